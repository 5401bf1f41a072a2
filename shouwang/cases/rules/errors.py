"""What can be wrong with an action on a case or a task."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class CaseError(ShouwangError):
    """The root of this room's errors."""

    status = 409


class TaskTaken(CaseError):
    """Somebody else has accepted the task."""

    zh = "任务 {task} 已由{who}签收；如需接手，请联系值班台转办。"
    en = "Task {task} was accepted by {who}; ask the duty desk to hand it over."


class TaskEnded(CaseError):
    """The task is done or cancelled."""

    zh = "任务 {task} 已结束（{state}）；如有新情况，请先重新打开事件。"
    en = "Task {task} has ended ({state}); reopen the case before adding to it."


class ContactCannotTake(CaseError):
    """Somebody who is asked as a contact of the subject would take the task."""

    zh = "任务 {task} 由值守人员处置；您可以直接回答情况，或登记外出。"
    en = "Task {task} is for those on duty; answer what you know, or say that the home is away."


class AnswerUnknown(CaseError):
    """A contact gives an answer that the procedure does not ask for."""

    zh = "任务 {task} 没有“{found}”这个回答；可选：{expected}。"
    en = "Task {task} knows no answer {found}; choose among {expected}."
    status = 422


class TaskNotYours(CaseError):
    """The task was never offered to this person."""

    zh = "任务 {task} 没有派给您；请从派给您的消息里打开。"
    en = "Task {task} was not offered to you; open it from a message sent to you."


class CaseNotOpen(CaseError):
    """The case is not in a state that allows this."""

    zh = "事件 {case} 当前为“{state}”，需要“{expected}”才能{doing}。"
    en = "Case {case} is {state}; it must be {expected} to {doing}."


class ClockUnknown(CaseError):
    """A suspension names a clock the case does not have."""

    zh = "事件 {case} 没有名为 {found} 的时限；可选：{expected}。"
    en = "Case {case} has no clock {found}; choose among {expected}."


class CorrectionTwice(CaseError):
    """A correction may be asked for once only."""

    zh = "事件 {case} 已要求过一次补正；补正要求必须一次告知。"
    en = "A correction was already asked for in case {case}; all that is lacking must be said at once."


class ExerciseMixed(CaseError):
    """A case of an exercise and one of another, or a real one, would become one."""

    zh = "事件 {case} 与事件 {into} 不属于同一次演练（或一真一演），不能合并。"
    en = "Cases {case} and {into} are not of the same exercise, or one of them is real; they cannot be merged."


class NotMergeable(CaseError):
    """Two cases are not both open and about the same thing."""

    zh = "事件 {case} 不能并入事件 {into}：两件都须处置中，且属同一业务、同一对象；请重新打开页面核对。"
    en = "Case {case} cannot become part of case {into}: both must be open, of one kind and about the same; open the page again."


class NotTakenIn(CaseError):
    """A case was to be split off one that it was not merged into."""

    zh = "事件 {case} 现在没有并入事件 {source}，不能从中分出；请重新打开页面核对。"
    en = "Case {case} is not part of case {source} now and cannot be split off; open the page again."


class HandoverWaiting(CaseError):
    """The watch was handed over already and waits for the second signature."""

    zh = "{area} 的上一次交班（{given}）还在等待接班人签名；请先由接班人签名，或撤回后重新交班。"
    en = "The hand-over of {area} at {given} still waits for the second signature; let it be signed, or withdraw it and begin again."


class HandoverNotYours(CaseError):
    """Somebody signs a hand-over that is not meant for this person."""

    zh = "这次交班的接班人是{expected}；请由本人登录后签名。"
    en = "This watch is handed to {expected}; that person must sign in and sign."


class HandoverSigned(CaseError):
    """A hand-over that both have signed cannot be changed."""

    zh = "这次交班已于 {taken} 由双方签名，不能再改；如需补充，请写在下一次交班里。"
    en = "Both signed this hand-over at {taken}; it cannot be changed. Write what is missing into the next one."


class ProcedureNotOwn(CaseError):
    """An area without a version of its own shall follow the area above, which it does already."""

    zh = "流程 {procedure} 在这里没有自己的版本，已经随上级；无需恢复。"
    en = "Procedure {procedure} has no version of its own here and follows the area above already; there is nothing to undo."
