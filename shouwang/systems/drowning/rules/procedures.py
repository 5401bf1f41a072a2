"""The shipped procedures of the drowning system. Pure."""

from __future__ import annotations

from shouwang.cases.rules.procedures import CaseLimit, EvidenceNeed, Limit, Phrase, Procedure, Result, Rung, Step

LEFT, KNOWN_CHILD, NOBODY, FALSE_ALARM, RESCUED = "LEFT", "KNOWN_CHILD", "NOBODY", "FALSE_ALARM", "RESCUED"


def _choice(code: str, zh: str, en: str, *options: tuple[str, str, str], optional: bool = False) -> EvidenceNeed:
    return EvidenceNeed(code, Phrase(zh, en), "CHOICE", tuple((option, Phrase(zh_, en_)) for option, zh_, en_ in options), optional=optional)


_RESULTS = (
    Result(LEFT, Phrase("已离开水边", "Left the water"), (
        _choice("how", "怎样离开的", "How", ("TALKED", "当面劝离", "Talked away on site"), ("VOICE", "听到喇叭后离开", "Left at the voice"),
            ("CALLED", "电话联系后离开", "Left after a call")),
    )),
    Result(KNOWN_CHILD, Phrase("认识的孩子，已告知家长", "A known child, the parents were told"), (
        _choice("told", "告知了谁", "Who was told", ("PARENT", "父母", "Parents"), ("GUARDIAN", "其他监护人", "Another guardian"), ("SCHOOL", "学校", "The school")),
    )),
    Result(NOBODY, Phrase("到场无人", "Nobody there")),
    Result(FALSE_ALARM, Phrase("误报", "False alarm"), (
        _choice(
            "what", "画面上是什么", "What it was", ("ANIMAL", "动物", "An animal"), ("LIGHT", "反光、影子", "Light or shadow"), ("WEATHER", "雨雪、昆虫", "Rain, snow, insects"),
            ("WORKER", "劳作人员", "Somebody at work"), ("OUTSIDE", "在线外", "Outside the line"), ("OTHER", "其他", "Something else"), optional=True,
        ),
    )),
    Result(RESCUED, Phrase("有人落水，已施救", "Somebody was rescued"), (
        _choice("called", "已联系", "Called", ("120", "120", "120"), ("119", "119", "119"), ("BOTH", "120 和 119", "120 and 119")),
        EvidenceNeed("handed_to", Phrase("已交给谁", "Handed to whom"), "TEXT"),
    )),
)
WATER_EDGE_CHECK = Procedure(
    code="WATER_EDGE_CHECK",
    title=Phrase("水边警情处置", "A person at the water's edge"),
    ring_seconds=20,
    steps=(
        Step(
            code="go", title=Phrase("到场劝离", "Go and see"),
            rungs=(
                Rung("VILLAGE_CADRE", "VILLAGE", 1), Rung("GRID_LEADER", "VILLAGE", 1), Rung("GRID_WORKER", "VILLAGE", 1),
                Rung("TOWNSHIP_DUTY", "TOWNSHIP", 5), Rung("COUNTY_DUTY", "COUNTY", 10), Rung("CITY_DUTY", "PREFECTURE", 15),
            ),
            results=_RESULTS, limit=Limit(15), repeat_minutes=5,
        ),
    ),
    clocks=(CaseLimit("promised", "PROMISED", Limit(30)),),
)
CAMERA_CHECK = Procedure(
    code="CAMERA_CHECK",
    title=Phrase("摄像机、喇叭检修", "Camera or loudspeaker check"),
    steps=(
        Step(
            code="repair", title=Phrase("检修", "Repair"),
            rungs=(Rung("TOWNSHIP_DUTY", "TOWNSHIP", 60), Rung("COUNTY_DUTY", "COUNTY", 4 * 60)),
            results=(
                Result("REPAIRED", Phrase("已修复", "Repaired")), Result("BACK", Phrase("自行恢复", "Came back by itself")),
                Result("REPLACED", Phrase("已更换", "Replaced")),
            ),
            limit=Limit(2, "WORKING_DAYS"), repeat_minutes=24 * 60,
        ),
    ),
)
PROCEDURES = (WATER_EDGE_CHECK, CAMERA_CHECK)
