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


class TrialTooSmall(ShouwangError):
    """Too few homes have readings of the weeks that a trial looks at."""

    zh = "近 {days} 天有足够读数的住户只有 {found} 户，至少要 {least} 户；请等读数积累后再试算。"
    en = "Only {found} homes have enough readings of the last {days} days, {least} are needed; try again when there are more."
    status = 422


class TargetWrong(ShouwangError):
    """What an office would accept in false alarms is no number that makes sense."""

    zh = "每户每年可接受的误报“{found}”应是 0.2 到 50 之间的数。"
    en = "Acceptable false alarms a home-year must be a number between 0.2 and 50, not {found}."
    status = 422
