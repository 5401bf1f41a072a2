"""What can be wrong with a report, and what to do then."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class RequestError(ShouwangError):
    """The root of this room's errors."""

    status = 422


class ReportWrong(RequestError):
    """One thing a report says cannot be taken."""

    zh = "“{what}”为“{found}”，应为{expected}；请修改后再提交。"
    en = "{what_en} is “{found}”; expected {expected_en}. Correct it and submit again."


class RequestEnded(RequestError):
    """A report was to be added to a request whose case is no longer open."""

    zh = "诉求 {number} 已不在办理中；请另立一件。"
    en = "Request {number} is no longer being handled; make a new one."
    status = 409


class NothingToAnswer(RequestError):
    """An answer came when none is waited for."""

    zh = "诉求 {number} 目前不需要您答复；办结后会再请您确认。"
    en = "Request {number} needs no answer now; you will be asked when it is done."
    status = 409


class NumberOrDigitsWrong(RequestError):
    """The number and the last four digits do not belong together; says no more than that."""

    zh = "编号与电话后四位对不上；请核对后再试，或拨打受理电话询问。"
    en = "The number and the last four digits of the phone do not match; check both, or ask by telephone."


class TooOften(RequestError):
    """Somebody has asked too often for now."""

    zh = "提交过于频繁，请在 {minutes} 分钟后再试；紧急情况请直接拨打 110、119 或 120。"
    en = "That was too often; try again in {minutes} minutes. In an emergency call 110, 119 or 120."
    status = 429


class FollowLinkInvalid(RequestError):
    """A link to follow a request was changed, cut off or has expired."""

    zh = "这个链接不完整或已过期；请用编号和电话后四位查询。"
    en = "This link is incomplete or has expired; look the request up by its number and the last four digits of the phone."
    status = 404
