"""What the drowning system refuses, and what to do then."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class ZoneWrong(ShouwangError):
    """A zone's outline cannot be used."""

    zh = "区域轮廓有误：发现 {found}，应为 {problem}；请在截图上重新画。"
    en = "The outline of the zone is wrong: found {found}, expected {problem}; draw it again on the picture."
    status = 422


class KnownWrong(ShouwangError):
    """A notice that persons at a water are known has no reason, no end, or lasts too long."""

    zh = "“已知人员”登记有误：{found}；请填事由、1–{persons} 人、{hours} 小时以内的截止时间。"
    en = "The notice of known persons is wrong: {found}; give a reason, 1–{persons} persons and an end within {hours} hours."
    status = 422


class CameraTaken(ShouwangError):
    """A device is no camera, watches another water already, or lies outside the actor's area."""

    zh = "设备 {camera} 不是摄像机、已用于另一水域，或不在您的管辖范围内；请核对编号。"
    en = "The device {camera} is no camera, watches another water, or lies outside your area; check its number."
    status = 409


class ThresholdWrong(ShouwangError):
    """A threshold is no share, or was not among those whose effect was shown."""

    zh = "门槛“{found}”应为 0–1 之间、已显示过效果的值；请从表中选择。"
    en = "The threshold {found} must be between 0 and 1, one whose effect was shown; choose it from the table."
    status = 422


class WaterWrong(ShouwangError):
    """A field of a water is missing or no value of its kind."""

    zh = "水域的“{field}”不对：{found}；应为{expected}。"
    en = "The water's {field} is wrong: {found}; expected {expected}."
    status = 422


class HazardWrong(ShouwangError):
    """A field of a hazard is missing or no value of its kind."""

    zh = "隐患的“{field}”不对：{found}；应为 {expected}。"
    en = "The hazard's {field} is wrong: {found}; expected {expected}."
    status = 422


class HazardMoved(ShouwangError):
    """A hazard is not in the state that was asked to be changed."""

    zh = "隐患 {hazard} 现在是“{found}”，应为“{expected}”；请刷新页面再看。"
    en = "Hazard {hazard} is {found}, not {expected}; load the page again."
    status = 409


class PatrolNotYet(ShouwangError):
    """A patrol was told done before its window began."""

    zh = "巡查 {patrol} 从 {found} 起才可登记；请到时再登记。"
    en = "Patrol {patrol} begins on {found}; tell it done then."
    status = 409


class ItemsInvalid(ShouwangError):
    """The file of the five parties' items cannot be used."""

    zh = "清单文件 {file} 的“{code}”有误：{problem}；请修改后再启动。"
    en = "The item {code} of {file} is wrong: {problem}; correct it and start again."


class ItemWrong(ShouwangError):
    """A field of an item of the five parties, or of one agreed at a joint meeting, is missing or no value of its kind."""

    zh = "事项的“{field}”不对：{found}；应为 {expected}。"
    en = "The item's {field} is wrong: {found}; expected {expected}."
    status = 422
