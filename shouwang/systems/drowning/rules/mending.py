"""The shipped procedures of what is beyond the camera: a hazard is mended and checked, an agreed item done and checked. Pure."""

from __future__ import annotations

from shouwang.cases.rules.procedures import EvidenceNeed, Limit, Phrase, Procedure, Result, Rung, Step

DAY = 24 * 60
_DONE = EvidenceNeed("done", Phrase("做了什么", "What was done"), "TEXT")
_PHOTO = EvidenceNeed("photo", Phrase("整改后照片", "A photo of it mended"), "PHOTO", optional=True)
_WHY = EvidenceNeed("why", Phrase("说明", "Explanation"), "TEXT")
_RUNGS = (Rung("TOWNSHIP_DUTY", "TOWNSHIP", DAY), Rung("COUNTY_DUTY", "COUNTY", DAY))
WATER_HAZARD = Procedure(
    code="WATER_HAZARD", title=Phrase("水域隐患整改", "Mend a hazard at a water"),
    steps=(
        Step(
            code="mend", title=Phrase("整改", "Mend it"), rungs=_RUNGS,
            results=(Result("MENDED", Phrase("已整改", "Mended"), (_DONE, _PHOTO)), Result("NO_HAZARD", Phrase("不作隐患", "No hazard"), (_WHY,))),
            limit=Limit(10, "WORKING_DAYS"), repeat_minutes=DAY,
        ),
    ),
    closes="CHECK",
)
WATER_JOINT_ITEM = Procedure(
    code="WATER_JOINT_ITEM", title=Phrase("联席会议议定事项", "An item agreed at a joint meeting"),
    steps=(
        Step(
            code="do", title=Phrase("办理", "Do it"), rungs=_RUNGS,
            results=(Result("FINISHED", Phrase("已办结", "Done"), (EvidenceNeed("done", Phrase("办结说明", "Closing note"), "TEXT"), _PHOTO)),),
            limit=Limit(20, "WORKING_DAYS"), repeat_minutes=DAY,
        ),
    ),
    closes="CHECK",
)
PROCEDURES = (WATER_HAZARD, WATER_JOINT_ITEM)
