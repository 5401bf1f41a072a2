"""What people refuses, and what to do then."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class PeopleError(ShouwangError):
    """The root of this room's errors."""


class ScopeMissing(PeopleError):
    """A table of people was read without saying in whose scope."""

    zh = "读取 {table} 时没有给出数据范围；请使用 within(scope)，后台任务使用 unscoped()。"
    en = "{table} was read without a scope; use within(scope), or unscoped() in background work."
    status = 500


class CodeUnknown(PeopleError):
    """A code is not one this room knows."""

    zh = "{field}“{found}”不认识；应为以下之一：{expected}。"
    en = "The {field} {found} is unknown; expected one of: {expected}."
    status = 422


class SpanEmpty(PeopleError):
    """A period ends before or when it begins."""

    zh = "结束（{until}）必须晚于开始（{start}）；请修改后再提交。"
    en = "The end ({until}) must lie after the start ({start}); correct it and try again."
    status = 422


class DutyHeldAlready(PeopleError):
    """The person already holds this duty at this place at this time."""

    zh = "人员 {person} 在此处已有职责“{duty}”（编号 {held}）；请先结束原职责。"
    en = "Person {person} already holds duty {duty} here (number {held}); end that one first."
    status = 409


class ShiftOverlaps(PeopleError):
    """Two shifts of one duty and area would overlap."""

    zh = "该时段与班次 {shift}（{start} 至 {until}）重叠；请调整时间或先取消该班次。"
    en = "The shift overlaps shift {shift} ({start} to {until}); change the times or cancel that one first."
    status = 409


class MemberAlready(PeopleError):
    """The person already has this role in the household."""

    zh = "人员 {person} 在家庭 {household} 中已是“{role}”；无需重复添加。"
    en = "Person {person} already is {role} of household {household}; nothing to add."
    status = 409


class ConsentAbsent(PeopleError):
    """There is no live consent to withdraw."""

    zh = "人员 {person} 对“{purpose}”没有有效的同意，无需撤回。"
    en = "Person {person} has no live consent to {purpose}; there is nothing to withdraw."
    status = 409


class ReasonMissing(PeopleError):
    """Personal data was to be shown without a reason."""

    zh = "查看完整个人信息必须写明事由（至少 {least} 个字，最多 {most} 个字）；请填写后再试。"
    en = "Full personal details are shown only for a reason of {least} to {most} characters; write it and try again."
    status = 422


class CredentialEnded(PeopleError):
    """A credential was revoked or has expired."""

    zh = "凭据 {credential} 已失效；请重新签发。"
    en = "Credential {credential} has ended; issue a new one."
    status = 409


class TokenLive(PeopleError):
    """A device or integration was to get a second token while its first one lives."""

    zh = "“{subject}”已有有效令牌（编号 {credential}）；请在列表中更换令牌，旧的随即失效。"
    en = "{subject} has a live token already (number {credential}); rotate it in the list, and the old one ends."
    status = 409


class CredentialUnbound(PeopleError):
    """A credential names too little: a link needs a person, one object and an expiry; a device and an integration a subject."""

    zh = "签发{kind}凭据缺少：{missing}；请补充后再签发。"
    en = "A {kind} credential lacks: {missing}; give it and issue again."
    status = 422


class RightNotGrantable(PeopleError):
    """A token was to be issued for a right that its kind may not have."""

    zh = "{kind}凭据不能授予权限“{right}”；可授予：{expected}。"
    en = "A {kind} credential cannot be issued for the right {right}; it may have: {expected}."
    status = 422


class UsernameTaken(PeopleError):
    """Another account has this user name."""

    zh = "用户名“{username}”已被使用；请换一个。"
    en = "The user name {username} is taken; choose another."
    status = 409


class AccountOff(PeopleError):
    """An account that is switched off was to be entered by a link."""

    zh = "账号“{username}”已停用；请先启用，再生成进入链接。"
    en = "The account {username} is switched off; switch it on before you make a link."
    status = 409


class PasswordWeak(PeopleError):
    """A password is too short, too common or too like the user name."""

    zh = "密码不合要求：{problem}"
    en = "The password will not do: {problem}"
    status = 422


class ViewNameWrong(PeopleError):
    """The name of a saved view is empty or too long."""

    zh = "视图名称“{found}”有 {length} 个字；应为 1 至 {most} 个字，请修改后再保存。"
    en = "The name “{found}” of the view has {length} characters; it must have 1 to {most}. Change it and save again."
    status = 422


class ViewQueryLong(PeopleError):
    """What a view shall narrow a page to is longer than any page's filters."""

    zh = "视图的筛选条件有 {length} 个字符，最多 {most} 个；请减少条件后再保存。"
    en = "The filters of the view have {length} characters, at most {most} may be kept; choose fewer and save again."
    status = 422


class ViewNameTaken(PeopleError):
    """The account has a view of this name already."""

    zh = "您已有名为“{name}”的视图；请换一个名称，或先删除原来的。"
    en = "You have a view named “{name}” already; choose another name, or delete that one first."
    status = 409


class ViewsFull(PeopleError):
    """The account has as many views of this page as one may have."""

    zh = "您已保存 {most} 个视图，达到上限；请先删除不用的，再保存“{name}”。"
    en = "You have saved {most} views, the most there may be; delete one you do not need, then save “{name}”."
    status = 409


class FirstRunOver(PeopleError):
    """A first administrator was to be made, but somebody can come in already."""

    zh = "首次设置已经完成；请登录，或请管理员开通账号。"
    en = "The first run is over; sign in, or ask the administrator for an account."
    status = 409


class FirstRunTokenDead(PeopleError):
    """The address of the first run is not of this installation, or older than a day."""

    zh = "这个首次设置地址不对或已过一天；请在运行守望的电脑上输入 shouwang first-run，打开新的地址。"
    en = "This address of the first run is wrong or older than a day; type shouwang first-run on the machine that runs Shouwang and open the new one."
    status = 404


class RootUnknown(PeopleError):
    """The first administrator was to answer for an area that is not at the top of the tree."""

    zh = "“{found}”不是最上级的区域；请从列表中选择。"
    en = "{found} is no area at the top of the tree; choose one of the list."
    status = 422
