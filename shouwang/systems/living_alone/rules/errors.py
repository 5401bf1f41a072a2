"""What the living-alone system refuses, and what to do then."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class MeterTaken(ShouwangError):
    """The meter watches another home, or lies outside the actor's area."""

    zh = "水表 {meter} 已用于另一住户，或不在您的管辖范围内；请核对表号。"
    en = "The meter {meter} watches another home, or lies outside your area; check its number."
    status = 409


class AbsenceWrong(ShouwangError):
    """An absence ends before it begins, or lasts too long."""

    zh = "外出截止“{found}”应在现在之后、{most} 天以内；请改正日期。"
    en = "The absence may end after now and within {most} days, not at {found}; correct the day."
    status = 422
