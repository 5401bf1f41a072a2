"""Words and orderings of the shared screens. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shouwang.kernel.texts import Text

TASK_STATES: Mapping[str, Text] = {
    "CONFIRM": Text("待派单", "To dispatch"),
    "OFFERED": Text("待签收", "To accept"),
    "ACCEPTED": Text("已签收", "Accepted"),
    "ARRIVED": Text("已到场", "On site"),
    "DONE": Text("已办结", "Done"),
    "CANCELLED": Text("已取消", "Cancelled"),
    "SUSPENDED": Text("已中止", "Suspended"),
}
CASE_STATES: Mapping[str, Text] = {
    "OPEN": Text("处置中", "Open"),
    "COMPLETED": Text("待销号", "To be checked"),
    "CLOSED": Text("已销号", "Closed"),
    "WITHDRAWN": Text("已撤回", "Withdrawn"),
}
EVENTS: Mapping[str, Text] = {
    "case.opened": Text("立案", "Case opened"),
    "case.dispatched": Text("派单", "Dispatched"),
    "case.task_offered": Text("派给{person}", "Offered to {person}"),
    "case.task_accepted": Text("{person}签收", "Accepted by {person}"),
    "case.arrived": Text("{person}到场", "{person} on site"),
    "case.step_done": Text("{person}办结：{result}", "{person} completed it: {result}"),
    "case.escalated": Text("无人签收，升级到{person}", "Nobody accepted; escalated to {person}"),
    "case.reminded": Text("再次提醒{person}", "{person} reminded"),
    "case.task_overdue": Text("办理超时，已报告{told}", "Overdue; {told} was told"),
    "case.coverage_gap": Text("无人值守：{level} {duty}", "Nobody on duty: {level} {duty}"),
    "case.handed_over": Text("转办给{to}", "Handed over to {to}"),
    "case.suspended": Text("中止", "Suspended"),
    "case.resumed": Text("恢复", "Resumed"),
    "case.extended": Text("延期 {minutes} 分钟", "Extended by {minutes} minutes"),
    "case.correction_asked": Text("要求补正", "Correction asked for"),
    "case.completed": Text("办结", "Completed"),
    "case.closed": Text("销号", "Closed"),
    "case.reopened": Text("重新打开", "Reopened"),
    "case.withdrawn": Text("撤回", "Withdrawn"),
    "case.merged": Text("并入事件 {into}", "Merged into case {into}"),
    "case.noted": Text("备注", "Note added"),
    "case.false_alarm": Text("误报", "False alarm"),
    "case.clock_passed": Text("承诺时限已过", "The limit of the case has passed"),
    "alert.signal_over": Text("信号恢复正常", "The signal is back to normal"),
}
FALSE_ALARM_REASONS: Mapping[str, Text] = {
    "DEVICE": Text("设备误报", "Device fault"),
    "KNOWN": Text("已知情况", "Known situation"),
    "TEST": Text("测试", "Test"),
}
KINDS: Mapping[str, Text] = {"living_alone": Text("独居老人用水异常", "Unusual water use, living alone")}


def chain(task_states: list[str], *, closed: bool) -> list[tuple[Text, bool]]:
    """Return the links of a case's chain and whether each is done."""
    names = [Text("预警", "Alert"), Text("签收", "Accept"), Text("到场", "On site"), Text("办结", "Close")]
    reached = 1
    if any(state in {"ACCEPTED", "ARRIVED", "DONE"} for state in task_states):
        reached = 2
    if any(state in {"ARRIVED", "DONE"} for state in task_states):
        reached = 3
    if closed:
        reached = 4
    return [(name, n < reached) for n, name in enumerate(names)]
