"""The shipped procedures of matters handled at an activity, one for each level it may be held at, and their wording. Pure.

A matter settled on the spot ends there: its step waits for confirmation, so nobody is told of it. What is handed on begins at
the duty that answers for such matters at the activity's own level, and climbs from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from shouwang.activities.rules.kinds import Matter, Responsible
from shouwang.cases.rules.procedures import CaseLimit, Condition, EvidenceNeed, Limit, Phrase, Procedure, Result, Rung, Step
from shouwang.kernel.texts import Text

KIND = "activities"
SUBJECT = "activity"
REASON = "ACTIVITY_MATTER_"
HERE, HANDED_ON = "HERE", "HANDED_ON"
Level = Literal["PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE"]
LEVELS: tuple[Level, ...] = ("VILLAGE", "TOWNSHIP", "COUNTY", "PREFECTURE")
HOUR = 60
DAY = 24 * HOUR
_DUTY_OF: Mapping[Level, str] = {"TOWNSHIP": "TOWNSHIP_DUTY", "COUNTY": "COUNTY_DUTY", "PREFECTURE": "CITY_DUTY"}

_NOTE = EvidenceNeed("note", Phrase("说明", "Note"), "TEXT", optional=True)
_DONE = EvidenceNeed("done", Phrase("做了什么", "What was done"), "TEXT")
_WHY = EvidenceNeed("why", Phrase("说明", "Explanation"), "TEXT")
SETTLED = Result("SETTLED", Phrase("当场办结", "Settled on the spot"), (_NOTE,))
ANSWERED = Result("ANSWERED", Phrase("当场解答", "Answered on the spot"), (_NOTE,))
SOLVED = Result("SOLVED", Phrase("已解决", "Solved"), (_DONE,))
EXPLAINED = Result("EXPLAINED", Phrase("已答复说明", "Answered and explained"), (_WHY,))


def procedure_code(level: str) -> str:
    """Return the code of the procedure of matters at an activity of an area of `level`; a grid counts as its village."""
    return f"ACTIVITY_MATTER_{'VILLAGE' if level == 'GRID' else level}"


def _general(first: Level) -> tuple[Rung, ...]:
    return tuple(Rung(_DUTY_OF[level], level, DAY) for level in LEVELS[LEVELS.index(first) :] if level in _DUTY_OF)


def _ladder(duty: Responsible, level: Level) -> tuple[Rung, ...]:
    own: tuple[Rung, ...] = ()
    if duty == "GRID_WORKER" and level == "VILLAGE":
        own = (Rung("GRID_WORKER", "VILLAGE", DAY), Rung("GRID_WORKER", "VILLAGE", DAY, rank="DEPUTY"))
    elif duty == "CIVIL_AFFAIRS" and level in {"VILLAGE", "TOWNSHIP"}:
        own = (Rung("CIVIL_AFFAIRS", "TOWNSHIP", DAY),)
    elif duty == "CIVIL_AFFAIRS" and level == "COUNTY":
        own = (Rung("CIVIL_AFFAIRS", "COUNTY", DAY),)
    return (*own, *_general("TOWNSHIP" if level == "VILLAGE" else level))


def _follow(duty: Responsible, level: Level) -> Step:
    return Step(
        code=f"follow_{duty.lower()}", title=Phrase("会后办理", "Go on after the activity"), rungs=_ladder(duty, level),
        results=(SOLVED, EXPLAINED), limit=Limit(5, "WORKING_DAYS"), repeat_minutes=DAY,
        when=(Condition("handled", "==", HANDED_ON), Condition("duty", "==", duty)),
    )


def procedure_of(level: Level) -> Procedure:
    """Return the procedure of matters at an activity of an area of `level`."""
    here = Step(
        code="here", title=Phrase("现场办理", "On the spot"), rungs=_general("TOWNSHIP" if level == "VILLAGE" else level),
        results=(SETTLED, ANSWERED), limit=Limit(DAY), dispatch="CONFIRM", confirm_minutes=DAY,
        when=(Condition("handled", "==", HERE),),
    )
    duties: tuple[Responsible, ...] = ("GRID_WORKER", "TOWNSHIP_DUTY", "CIVIL_AFFAIRS")
    return Procedure(
        code=procedure_code(level), title=Phrase("活动现场受理事项", "A matter at an activity"),
        steps=(here, *(_follow(duty, level) for duty in duties)), clocks=(CaseLimit("promised", "PROMISED", Limit(10, "WORKING_DAYS")),),
    )


PROCEDURES = tuple(procedure_of(level) for level in LEVELS)


def words(matters: Iterable[Matter]) -> dict[str, Text]:
    """Return the registered words of the reasons of these matters' cases."""
    return {REASON + each.code: Text(f"活动现场受理：{each.zh}", f"Taken at an activity: {each.en}") for each in matters}
