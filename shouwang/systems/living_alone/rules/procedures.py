"""The shipped procedures of the living-alone system. Pure."""

from __future__ import annotations

from typing import Literal

from shouwang.cases.rules.procedures import (
    Answer,
    CaseLimit,
    Condition,
    EvidenceNeed,
    Limit,
    Phrase,
    Procedure,
    Result,
    Rung,
    Step,
)
from shouwang.kernel.texts import Text

SYSTEM = "living_alone"
Level = Literal["PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE"]

HARD_STOP_HOURS = 24
HOURS_SINCE_USE = "hours_since_use"
CALL = ("voice", "sms")
MESSAGE = ("sms", "voice")
SAID = {
    "SAID_WELL": Text("我没事", "I am well"), "SAID_AWAY": Text("我外出了", "I am away"), "SAID_HELP": Text("我需要帮助", "I need help"),
    "KIN_WELL": Text("已联系上，人平安", "Spoke, all is well"), "KIN_AWAY": Text("家里没人，外出了", "Nobody at home, away"),
}
"""What a resident or a relative may answer, as history and messages say it."""
AWAY = frozenset({"SAID_AWAY", "KIN_AWAY"})
WELL = frozenset({"SAID_WELL", "KIN_WELL"})
_SHORT_OF_STOP = Condition(HOURS_SINCE_USE, "<", HARD_STOP_HOURS)
_RESIDENT = (
    Answer("1", "SAID_WELL", Phrase("我没事", "I am well"), "WELL", (("how", "KEYPAD"),), (_SHORT_OF_STOP,)),
    Answer("2", "SAID_AWAY", Phrase("外出（2 后再按天数，如 23 为三天）", "Away (2, then how many days, as 23 for three)"), "AWAY", (("told_by", "SELF"),)),
    Answer("9", "SAID_HELP", Phrase("需要帮助", "I need help")),
)
_RELATIVE = (
    Answer("1", "KIN_WELL", Phrase("刚与本人通过话，平安", "I have just spoken to the person: well"), "WELL", (("how", "RELATIVE"),), (_SHORT_OF_STOP,)),
    Answer("2", "KIN_AWAY", Phrase("外出（2 后再按天数，如 23 为三天）", "Away (2, then how many days, as 23 for three)"), "AWAY", (("told_by", "FAMILY"),)),
)


def _contacts() -> tuple[Rung, ...]:
    """The resident first, then the family: four minutes together, so that with the seconds each rung takes five are never passed.

    A relative may still answer while the grid worker is being asked.
    """
    return (
        Rung("RESIDENT", "VILLAGE", 3, who="ROLE_OF_SUBJECT", channels=CALL, consent="METER_WATCH", answers=_RESIDENT),
        Rung("RELATIVE", "VILLAGE", 1, who="ROLE_OF_SUBJECT", channels=MESSAGE, consent="SHARE_WITH_RELATIVE", answers=_RELATIVE),
    )


def _ladder(first_minutes: int) -> tuple[Rung, ...]:
    above: tuple[tuple[str, Level, int], ...] = (
        ("TOWNSHIP_DUTY", "TOWNSHIP", 15), ("COUNTY_DUTY", "COUNTY", 15), ("CITY_DUTY", "PREFECTURE", 30),
    )
    return (
        Rung("GRID_WORKER", "VILLAGE", first_minutes),
        Rung("GRID_WORKER", "VILLAGE", 15, rank="DEPUTY"),
        *(Rung(duty, level, minutes) for duty, level, minutes in above),
    )


def _choice(code: str, zh: str, en: str, *options: tuple[str, str, str]) -> EvidenceNeed:
    return EvidenceNeed(code, Phrase(zh, en), "CHOICE", tuple((option, Phrase(zh_, en_)) for option, zh_, en_ in options))


_WELL = Result("WELL", Phrase("平安", "Well"), (
    _choice(
        "how", "怎样确认", "How you know", ("MET", "见到本人", "Met the person"), ("SPOKE", "通话确认", "Spoke by telephone"),
        ("KEYPAD", "本人电话按键", "The person pressed a key"), ("RELATIVE", "亲属联系上本人", "A relative spoke to the person"),
    ),
))
_NEEDED_HELP = Result("NEEDED_HELP", Phrase("需要救助", "Needed help"), (
    _choice("called", "已联系", "Called", ("120", "120", "120"), ("DOCTOR", "医生", "Doctor"), ("FAMILY", "家属", "Family")),
    EvidenceNeed("handed_to", Phrase("已交给谁", "Handed to whom"), "TEXT"),
))
_AWAY = Result("AWAY", Phrase("外出", "Away"), (
    _choice("told_by", "谁告知", "Who said so", ("SELF", "本人", "The person"), ("FAMILY", "家属", "Family"), ("NEIGHBOUR", "邻居", "A neighbour"),
        ("RECORDED", "已登记外出", "Noted as away")),
))
_VISITOR = Result("VISITOR", Phrase("有人来访", "Visitor"))
_METER = Result("METER_OR_LEAK", Phrase("水表故障或漏水", "Meter fault or leak"), (
    _choice("what", "情况", "What it is", ("METER", "水表故障", "Meter fault"), ("LEAK", "漏水", "Leak"), ("TAP", "忘关水", "Tap left open")),
))

WELFARE_CHECK = Procedure(
    code="WELFARE_CHECK",
    title=Phrase("独居老人上门核实", "Welfare check"),
    steps=(
        Step(
            code="visit", title=Phrase("上门核实", "Visit"), rungs=(*_contacts(), *_ladder(30)),
            results=(_WELL, _NEEDED_HELP, _AWAY, _VISITOR, _METER), limit=Limit(60),
        ),
        Step(
            code="revisit", title=Phrase("救助后回访", "Visit after help"), after=("visit",),
            when=(Condition("visit.result", "==", "NEEDED_HELP"),),
            rungs=(Rung("TOWNSHIP_DUTY", "TOWNSHIP", 24 * 60), Rung("COUNTY_DUTY", "COUNTY", 24 * 60)),
            results=(Result("VISITED", Phrase("已回访", "Visited")), Result("REFERRED", Phrase("转社会救助", "Referred to assistance"), (
                _choice("agreed", "本人同意转介", "The person agrees to the referral", ("YES", "同意", "Agrees"), ("GUARDIAN", "监护人同意", "The guardian agrees")),
            ))),
            limit=Limit(7 * 24 * 60),
        ),
    ),
    clocks=(CaseLimit("promised", "PROMISED", Limit(3 * 60)),),
)

METER_CHECK = Procedure(
    code="METER_CHECK",
    title=Phrase("水表检修", "Meter check"),
    steps=(
        Step(
            code="repair", title=Phrase("检修", "Repair"),
            rungs=(Rung("TOWNSHIP_DUTY", "TOWNSHIP", 4 * 60), Rung("COUNTY_DUTY", "COUNTY", 4 * 60)),
            results=(Result("REPAIRED", Phrase("已修复", "Repaired")), _AWAY), limit=Limit(3, "WORKING_DAYS"), repeat_minutes=24 * 60,
        ),
    ),
)
LEAK_CHECK = Procedure(
    code="LEAK_CHECK",
    title=Phrase("漏水核实", "Leak check"),
    steps=(
        Step(
            code="look", title=Phrase("漏水核实", "Look for a leak"),
            rungs=(Rung("GRID_WORKER", "VILLAGE", 24 * 60), Rung("TOWNSHIP_DUTY", "TOWNSHIP", 24 * 60)),
            results=(_METER, Result("ORDINARY", Phrase("正常用水", "Ordinary use")), _VISITOR), limit=Limit(3, "WORKING_DAYS"), repeat_minutes=24 * 60,
        ),
    ),
)
PROCEDURES = (WELFARE_CHECK, METER_CHECK, LEAK_CHECK)
