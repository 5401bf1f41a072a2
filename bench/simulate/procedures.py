"""The simulator's own procedure and kind of alert: what the shipped ones do not use, so that all of the spine is walked.

Confirmation at the desk, three departments at once, joins ALL and ANY, conditions on facts and on results, a legal limit in
working days beside a promised one, every kind of evidence, and a supervisor's check at the end.
"""

from __future__ import annotations

from datetime import datetime

from shouwang.alerts.registry import register_kind
from shouwang.alerts.rules import AlertKind
from shouwang.cases.actions import publish_procedure
from shouwang.cases.rules.procedures import CaseLimit, Condition, EvidenceNeed, Limit, Phrase, Procedure, Result, Rung, Step

FLOOD, WATERLOGGED = "SIM_FLOOD", "SIM_WATERLOGGED"


def _phrase(words: str) -> Phrase:
    return Phrase(words, words)


_TOWN = (Rung("TOWNSHIP_DUTY", "TOWNSHIP", 20), Rung("COUNTY_DUTY", "COUNTY", 20), Rung("CITY_DUTY", "PREFECTURE", 30))
_CARE = (Rung("CIVIL_AFFAIRS", "TOWNSHIP", 60), Rung("CIVIL_AFFAIRS", "COUNTY", 60), Rung("CITY_DUTY", "PREFECTURE", 60))
_VILLAGE = (Rung("GRID_WORKER", "VILLAGE", 15), Rung("GRID_WORKER", "VILLAGE", 15, rank="DEPUTY"), *_TOWN)
_SAFE = Result("SAFE", _phrase("安全"), (
    EvidenceNeed("how", _phrase("怎样确认"), "CHOICE", (("SEEN", _phrase("看到")), ("TOLD", _phrase("听说")))),
    EvidenceNeed("remark", _phrase("备注"), "TEXT", optional=True),
))
_MOVED = Result("MOVED", _phrase("已转移"), (
    EvidenceNeed("where", _phrase("去向"), "TEXT"),
    EvidenceNeed("when", _phrase("时间"), "MOMENT"),
    EvidenceNeed("photo", _phrase("照片"), "PHOTO"),
))
_DONE = (Result("DONE", _phrase("完成")),)

PROCEDURE = Procedure(
    code=FLOOD, title=_phrase("积水处置"), closes="CHECK",
    steps=(
        Step("look", _phrase("查看"), _VILLAGE, (_SAFE, _MOVED), Limit(60), dispatch="CONFIRM", confirm_minutes=20),
        Step("pump", _phrase("排水"), _TOWN, _DONE, Limit(240), after=("look",), when=(Condition("depth_cm", ">=", 20),)),
        Step("shelter", _phrase("安置"), _CARE, _DONE, Limit(300), after=("look",), when=(Condition("look.result", "==", "MOVED"),)),
        Step("warn", _phrase("警示"), _TOWN, _DONE, Limit(120), after=("look",)),
        Step("inform", _phrase("告知"), _CARE, _DONE, Limit(480), after=("pump", "shelter", "warn"), join="ANY"),
        Step("report", _phrase("报告"), _TOWN, (_SAFE,), Limit(600), after=("pump", "shelter", "warn")),
    ),
    clocks=(CaseLimit("legal", "LEGAL", Limit(2, "WORKING_DAYS")), CaseLimit("promised", "PROMISED", Limit(8 * 60))),
)


def register() -> None:
    """Make the simulator's kind of alert known; its subject is an area."""
    register_kind(AlertKind(WATERLOGGED, "simulate", FLOOD, "积水", "Waterlogged"))


def publish(now: datetime) -> None:
    """Publish the simulator's procedure."""
    publish_procedure(PROCEDURE, shipped=True, now=now)
