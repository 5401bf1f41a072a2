"""What can be wrong with an activity, and what to do then."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class ActivityError(ShouwangError):
    """The root of this room's errors."""

    status = 409


class CatalogueInvalid(ActivityError):
    """The shipped kinds, matters or consent texts cannot be used."""

    zh = "{file} 中的 {code}：{problem}；请改正该文件。"
    en = "{code} in {file}: {problem}; correct that file."
    status = 500


class ActivityWrong(ActivityError):
    """One thing about a plan or an entry cannot be taken."""

    zh = "“{what}”为“{found}”，应为{expected}；请修改后再提交。"
    en = "{what_en} is “{found}”; expected {expected_en}. Correct it and submit again."
    status = 422


class MoveRefused(ActivityError):
    """The activity is not in a state that allows this."""

    zh = "活动 {activity} 现为“{state}”，需要“{expected}”才能{doing}。"
    en = "Activity {activity} is {state_en}; it must be {expected_en} to {doing_en}."


class NotUsed(ActivityError):
    """The kind of activity has no such thing."""

    zh = "“{kind}”没有{use}这一项；如确有需要，请改用其他活动类型。"
    en = "A {kind_en} has no {use_en}; choose another kind of activity if it needs one."


class SignUpClosed(ActivityError):
    """Nobody can sign up for the activity now."""

    zh = "这次活动现在不能报名（{why}）；请看活动安排，或直接询问主办方。"
    en = "Nobody can sign up for this activity now ({why_en}); see when it is, or ask the organiser."


class SignedUpAlready(ActivityError):
    """The same name and telephone number are signed up."""

    zh = "这个姓名和电话已经报过名；如要改动，请先取消原来的报名。"
    en = "This name and number are signed up already; withdraw the earlier sign-up to change it."


class ConsentMissing(ActivityError):
    """A minor is signed up without a guardian's consent to the present text."""

    zh = "未满 18 周岁的参加者需要监护人同意（同意书 {version}）；请由监护人填写并勾选。"
    en = "A participant under 18 needs a guardian's consent (text {version}); let the guardian fill it in and agree."
    status = 422


class NoListOfWhoCame(ActivityError):
    """Somebody's coming was to be noted although no guardian has asked for it."""

    zh = "到场只计人数，不记是谁；报名 {sign_up} 的监护人没有要求登记到场。请改为计数加一。"
    en = "Attendance is a count, not a list: no guardian of sign-up {sign_up} has asked for its arrival. Add one to the count instead."


class NumbersNotGiven(ActivityError):
    """No queue number can be taken now."""

    zh = "现在不能取号（{why}）；请到现场咨询台询问。"
    en = "No number can be taken now ({why_en}); ask at the desk on site."


class WindowUnknown(ActivityError):
    """The activity has no such window."""

    zh = "没有 {found} 号窗口，本次活动有 {most} 个窗口；请选择 1 到 {most}。"
    en = "There is no window {found}; this activity has {most}. Choose 1 to {most}."
    status = 404


class WindowBusy(ActivityError):
    """The window has another number in hand."""

    zh = "{window} 号窗口正在办理 {number} 号；请先办结或过号。"
    en = "Window {window} is serving number {number}; finish or skip it first."


class NumberElsewhere(ActivityError):
    """The number is not in this window's hand."""

    zh = "{number} 号现为“{state}”，不在 {window} 号窗口；请刷新后再操作。"
    en = "Number {number} is {state_en}, not at window {window}; reload the page."


class LinkInvalid(ActivityError):
    """A link to one's own sign-up was changed or cut off."""

    zh = "这个链接不完整或已失效；请从报名后的页面重新打开，或询问主办方。"
    en = "This link is incomplete or no longer valid; open it from the page after sign-up, or ask the organiser."
    status = 404
