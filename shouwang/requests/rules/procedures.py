"""The shipped procedures and the wording of requests. Pure.

A resident's matter first goes to the village grid worker, who mends it or passes it on; what a grid worker reports has been
looked at already and goes to the township. Both end with the answer of whoever reported it.
"""

from __future__ import annotations

from typing import Literal

from shouwang.cases.rules.procedures import CaseLimit, Condition, EvidenceNeed, Limit, Phrase, Procedure, Result, Rung, Step
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.requests.rules.catalogue import REASON, SERVICES

KIND = "requests"
SUBJECT = "request"
SMS = "sms"
ALONE = Severity.RED
"""Messages to reporters go alone, as urgent ones do: who has no inbox could not read a bundle's other messages."""
CONSENT, WORDING = "REQUEST_ANSWER", "request-1"
HOUR = 60
Level = Literal["PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE"]

_HOW = EvidenceNeed("how", Phrase("怎样解决的", "How it was solved"), "CHOICE", (
    ("ON_SITE", Phrase("当场处理好", "Mended on the spot")), ("BY_SERVICE", Phrase("联系专业部门处理好", "Mended by the service in charge")),
    ("AGREED", Phrase("与当事人商量好", "Agreed with those concerned")),
))
_DONE = EvidenceNeed("done", Phrase("补充说明（可不填）", "Remark (optional)"), "TEXT", optional=True)
_WHY = EvidenceNeed("why", Phrase("说明", "Explanation"), "TEXT")
SOLVED = Result("SOLVED", Phrase("已解决", "Solved"), (_HOW, _DONE))
PASSED_ON = Result("PASSED_ON", Phrase("需上级办理", "Needs the level above"), (_WHY,))
EXPLAINED = Result("EXPLAINED", Phrase("已答复说明", "Answered and explained"), (_WHY,))
NOTHING_FOUND = Result("NOTHING_FOUND", Phrase("到场未发现", "Nothing found on site"), (_WHY,))
RESULTS = (SOLVED, PASSED_ON, EXPLAINED, NOTHING_FOUND)


def _above(first_minutes: int) -> tuple[Rung, ...]:
    duties: tuple[tuple[str, Level, int], ...] = (
        ("TOWNSHIP_DUTY", "TOWNSHIP", first_minutes), ("COUNTY_DUTY", "COUNTY", 4 * HOUR), ("CITY_DUTY", "PREFECTURE", 8 * HOUR),
    )
    return tuple(Rung(duty, level, minutes) for duty, level, minutes in duties)


def _worker(minutes: int) -> tuple[Rung, ...]:
    return Rung("GRID_WORKER", "VILLAGE", minutes), Rung("GRID_WORKER", "VILLAGE", minutes, rank="DEPUTY")


PROMISED = (CaseLimit("promised", "PROMISED", Limit(5, "WORKING_DAYS")),)
_HANDLE = Step(
    code="handle", title=Phrase("办理", "Handle"), rungs=_above(4 * HOUR), results=(SOLVED, EXPLAINED, NOTHING_FOUND),
    limit=Limit(3, "WORKING_DAYS"), repeat_minutes=24 * HOUR,
)
RESIDENT_REQUEST = Procedure(
    code="RESIDENT_REQUEST",
    title=Phrase("群众诉求办理", "A resident's request"),
    steps=(
        Step(
            code="look", title=Phrase("现场查看处理", "Look and mend"), rungs=(*_worker(2 * HOUR), *_above(2 * HOUR)), results=RESULTS,
            limit=Limit(2, "WORKING_DAYS"), repeat_minutes=24 * HOUR,
        ),
        Step(
            code="handle", title=_HANDLE.title, rungs=_HANDLE.rungs, results=_HANDLE.results, limit=_HANDLE.limit,
            repeat_minutes=_HANDLE.repeat_minutes, after=("look",), when=(Condition("look.result", "==", "PASSED_ON"),),
        ),
    ),
    clocks=PROMISED, closes="REPORTER",
)
URGENT_REQUEST = Procedure(
    code="URGENT_REQUEST",
    title=Phrase("紧急诉求办理", "An urgent request"),
    steps=(
        Step(
            code="look", title=Phrase("立即查看处理", "Look at once"), rungs=(*_worker(15), *_above(15)),
            results=(SOLVED, EXPLAINED, NOTHING_FOUND), limit=Limit(HOUR), repeat_minutes=30,
        ),
    ),
    clocks=(CaseLimit("promised", "PROMISED", Limit(4 * HOUR)),), closes="REPORTER",
)
FIELD_REQUEST = Procedure(
    code="FIELD_REQUEST", title=Phrase("网格员上报办理", "A grid worker's report"), steps=(_HANDLE,), clocks=PROMISED,
    closes="REPORTER",
)
URGENT_FIELD_REQUEST = Procedure(
    code="URGENT_FIELD_REQUEST",
    title=Phrase("网格员紧急上报办理", "A grid worker's urgent report"),
    steps=(
        Step(
            code="handle", title=_HANDLE.title, rungs=_above(15), results=_HANDLE.results, limit=Limit(2 * HOUR), repeat_minutes=30,
        ),
    ),
    clocks=URGENT_REQUEST.clocks, closes="REPORTER",
)
PROCEDURES = (RESIDENT_REQUEST, URGENT_REQUEST, FIELD_REQUEST, URGENT_FIELD_REQUEST)

TEMPLATES = {
    "REQUEST_RECEIVED": Text(
        "已收到您反映的“{service}”，编号 {number}。查进度：", "Your report of “{service}” was received, number {number}. Follow it:",
    ),
    "REQUEST_DONE": Text(
        "您反映的“{service}”（编号 {number}）已办结：{result}。解决了没有，请点一下：",
        "“{service}” (number {number}) is done: {result}. Please say whether it is solved:",
    ),
}


def service_word(code: str) -> str:
    """Return the registered word of a service's title."""
    return f"SERVICE_{code}"


def result_word(code: str) -> str:
    """Return the registered word of a result of these procedures."""
    return f"REQUEST_RESULT_{code}"


WORDS = {
    **{REASON + each.code: Text(f"诉求：{each.title.zh}", f"Request: {each.title.en}") for each in SERVICES},
    **{service_word(each.code): Text(each.title.zh, each.title.en) for each in SERVICES},
    **{result_word(each.code): Text(each.title.zh, each.title.en) for each in RESULTS},
}


def procedure_for(*, channel: str, severity: int) -> str:
    """Return the code of the procedure that answers a report of this channel and severity."""
    urgent = severity >= Severity.ORANGE
    if channel == "FIELD_REPORT":
        return URGENT_FIELD_REQUEST.code if urgent else FIELD_REQUEST.code
    return URGENT_REQUEST.code if urgent else RESIDENT_REQUEST.code
