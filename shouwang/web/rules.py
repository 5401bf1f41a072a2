"""Words and orderings of the shared screens. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouwang.kernel.texts import Text
from shouwang.people.rules.codes import CHANNELS

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
    "case.dispatched": Text("到时未确认，自动派单给{to}", "Not confirmed in time; dispatched to {to} by itself"),
    "case.task_accepted": Text("{person}签收", "Accepted by {person}"),
    "case.arrived": Text("{person}到场", "{person} on site"),
    "case.answered": Text("{person}回答：{answer}", "{person} answered: {answer}"),
    "case.step_done": Text("{person}办结：{result}", "{person} completed it: {result}"),
    "case.escalated": Text("无人签收，升级到{person}", "Nobody accepted; escalated to {person}"),
    "case.unreached": Text("{person}联系不上，不等到时，立即升级", "{person} cannot be reached; escalated at once"),
    "notify.message_failed": Text("消息未送达{person}", "The message to {person} did not arrive"),
    "case.reminded": Text("再次提醒{person}", "{person} reminded"),
    "case.task_overdue": Text("办理超时，已报告{told}", "Overdue; {told} was told"),
    "case.coverage_gap": Text("无人值守：{level}{duty}（{rank}）", "Nobody on duty: {duty}, {level} ({rank})"),
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
    "case.took_in": Text("事件 {taken} 并入本事件", "Case {taken} was merged into this one"),
    "case.split_off": Text("从事件 {source} 中分出", "Split off case {source}"),
    "case.gave_off": Text("分出事件 {split}", "Case {split} was split off"),
    "case.raised": Text("情况加重，事件提级", "It has grown graver; the case was raised"),
    "case.noted": Text("备注", "Note added"),
    "case.false_alarm": Text("误报", "False alarm"),
    "case.clock_passed": Text("承诺时限已过", "The limit of the case has passed"),
    "alert.signal_over": Text("信号恢复正常", "The signal is back to normal"),
}
OFFERED = Text("派给{person}", "Offered to {person}")
"""What each of an event's `offers` says."""
FALSE_ALARM_REASONS: Mapping[str, Text] = {
    "DEVICE": Text("设备误报", "Device fault"),
    "KNOWN": Text("已知情况", "Known situation"),
    "TEST": Text("测试", "Test"),
}
SPLIT_REASONS: Mapping[str, Text] = {
    "OTHER_MATTER": Text("不是同一件事", "not the same matter"),
    "OTHER_SUBJECT": Text("不是同一户或同一对象", "not about the same home or thing"),
    "OTHER_PLACE": Text("不在同一地点", "not in the same place"),
    "MISTAKE": Text("误操作", "merged by mistake"),
}
KINDS: Mapping[str, Text] = {
    "living_alone": Text("独居老人用水异常", "Unusual water use, living alone"),
    "drowning": Text("危险水域有人", "Somebody at a dangerous water"),
    "drowning_hazard": Text("水域隐患", "Hazard at a water"),
    "drowning_joint": Text("联席会议议定事项", "Agreed at a joint meeting"),
    "requests": Text("群众诉求", "Request"),
    "activities": Text("活动受理事项", "Matter at an activity"),
}


NOBODY: Mapping[str, tuple[str, Text]] = {
    "case.dispatched": ("to", Text("派单，但无人值守", "Dispatched, but nobody is on duty")),
    "case.escalated": ("person", Text("升级，但上级也无人值守", "Escalated, but nobody above is on duty")),
    "case.reminded": ("person", Text("到提醒时间，仍无人值守", "Time for a reminder, but still nobody on duty")),
    "case.task_overdue": ("told", Text("办理超时，上级无人值守", "Overdue; nobody above is on duty")),
}
"""What an event says when the person it is about is nobody, by the payload's name for that person."""
BY_HAND: Mapping[str, Text] = {
    "case.dispatched": Text("{by}派单给{to}", "{by} dispatched it to {to}"),
    "case.escalated": Text("{by}升级到{person}", "{by} escalated it to {person}"),
    "case.reminded": Text("{by}催办{person}", "{by} reminded {person}"),
}
"""What an event says when a person caused it; without one, the clock did."""
BY_REASON: Mapping[tuple[str, str], Text] = {
    ("case.reopened", "NOT_SOLVED"): Text("反映人说没有解决，重新打开", "Reopened: the reporter says it is not solved"),
    ("case.closed", "SOLVED"): Text("反映人确认已解决，销号", "Closed: the reporter says it is solved"),
    ("case.closed", "NO_ANSWER"): Text("反映人没有答复，到时销号", "Closed: the reporter did not answer in time"),
    **{
        ("case.split_off", code): Text(f"从事件 {{source}} 中分出：{why.zh}", f"Split off case {{source}}: {why.en}") for code, why in SPLIT_REASONS.items()
    },
    **{("case.gave_off", code): Text(f"分出事件 {{split}}：{why.zh}", f"Case {{split}} was split off: {why.en}") for code, why in SPLIT_REASONS.items()},
}
"""What an event says by the reason it gives, or by the answer of whoever reported the case."""
SENDING_STATES: Mapping[str, Text] = {
    "PENDING": Text("待发送", "Waiting"),
    "LEASED": Text("发送中", "Sending"),
    "SENT": Text("已发送", "Sent"),
    "DELIVERED": Text("已送达", "Delivered"),
    "FAILED": Text("发送失败", "Failed"),
    "UNKNOWN": Text("结果未知", "Unknown"),
}


@dataclass(frozen=True)
class Card:
    """One thing that can be set up: where, and who may."""

    title: Text
    text: Text
    href: str
    right: str


SETUP = (
    Card(Text("区划", "Areas"), Text("增改区划、按地区设参数", "Add and change areas, set what holds in each"), "/places/", "places.edit"),
    Card(Text("人员", "People"), Text("增加人员、导入名册、分配职责", "Add people, import lists, assign duties"), "/people/", "people.edit"),
    Card(Text("值班表", "Roster"), Text("谁在何时值班，谁是备岗", "Who is on duty when, and who stands in"), "/people/roster/", "duties.edit"),
    Card(Text("设备", "Things"), Text("水表等设备、最近读数、无法归属的读数", "Meters and their last readings, readings that cannot be placed"), "/things/", "telemetry.import"),
    Card(Text("流程与时限", "Procedures and limits"), Text("各级多久签收、多久办完，按地区设", "How soon each level accepts and completes, area by area"), "/setup/procedures/", "settings.edit"),
    Card(Text("监测阈值", "Thresholds"), Text("水表读数多少算异常，按地区设", "By which numbers meters are judged, area by area"), "/settings/thresholds/", "settings.edit"),
    Card(Text("独居关爱", "Living alone"), Text("登记住户和水表、导入名单、登记外出", "Enrol homes and meters, import lists, note absences"), "/living-alone/", "people.edit"),
    Card(Text("迟到读数复核", "Late readings"), Text("读数迟到后重新判断的结果", "What was found when readings came late"), "/late/", "telemetry.import"),
    Card(Text("消息渠道", "Message channels"), Text("短信、电话、企业微信、钉钉、飞书、邮件：开关、机器人、测试", "SMS, telephone, WeCom, DingTalk, Feishu, e-mail: switch on, robots, tests"), "/settings/channels/", "settings.edit"),
    Card(Text("喇叭", "Loudspeakers"), Text("水边喊话的摄像机、音柱和警笛：登记、试音、每日检查", "Cameras, horns and sirens that speak on site: register, try, daily check"), "/settings/speakers/", "settings.edit"),
    Card(Text("消息文字", "Message texts"), Text("短信、群消息、邮件、电话说什么，按地区设", "What SMS, chats, e-mail and calls say, area by area"), "/settings/texts/", "settings.edit"),
    Card(Text("接入令牌", "Tokens"), Text("为设备和其他系统签发、更换、停用上报令牌", "Issue, rotate and revoke what devices and other systems post with"), "/setup/tokens/", "settings.edit"),
    Card(Text("接口", "Interface"), Text("设备和其他系统怎样上报", "How devices and other systems call"), "/api/docs", "settings.edit"),
    Card(Text("体检", "Doctor"), Text("机器、数据库、字体、日历、渠道是否正常，该怎么办", "Whether machine, database, fonts, calendar and channels are well, and what to do"), "/setup/doctor/", "settings.edit"),
    Card(Text("查阅记录", "Access log"), Text("谁看过谁的完整信息、谁导出过名单", "Who saw whose full details, who exported lists"), "/people/access/", "audit.read"),
)


@dataclass(frozen=True)
class Link:
    """One link of a case's chain: what, whether it is reached, by whom and when."""

    title: Text
    reached: bool
    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Worked:
    """What the chain needs to know of one task."""

    state: str
    who: str
    accepted_at: datetime | None
    arrived_at: datetime | None
    ended_at: datetime | None


def event_words(kind: str, payload: Mapping[str, Any]) -> Text:
    """Return the wording of an event: another one where the person it is about is nobody, or where a person caused it."""
    if kind == "notify.message_failed":
        return unsent_words(str(payload.get("channel", "")), str(payload.get("state", "")))
    nobody = NOBODY.get(kind)
    if nobody and payload.get(nobody[0]) is None:
        return nobody[1]
    if payload.get("by") and kind in BY_HAND:
        return BY_HAND[kind]
    if "by" in payload:
        return BY_REASON.get((kind, str(payload.get("reason") or payload.get("result"))), EVENTS[kind])
    return EVENTS[kind]


def unsent_words(channel: str, state: str) -> Text:
    """Return what to say of a message that failed on a channel, or of which nobody knows whether it went."""
    name = CHANNELS.get(channel, Text(channel, channel))
    if state == "UNKNOWN":
        return Text(f"{name.zh}是否送达{{person}}不明", f"{name.en} to {{person}}: not known whether it arrived")
    return Text(f"{name.zh}未送达{{person}}", f"{name.en} to {{person}} did not arrive")


def chain(tasks: Sequence[Worked], *, opened_at: datetime | None = None, ended_at: datetime | None = None) -> list[Link]:
    """Return the links of a case's chain, oldest task first; `ended_at` is the end of the case."""
    states = {task.state for task in tasks}
    accepted = next((task for task in tasks if task.accepted_at), None)
    arrived = next((task for task in tasks if task.arrived_at), None)
    ended = next((task for task in reversed(tasks) if task.ended_at and task.state == "DONE"), None)
    return [
        Link(Text("预警", "Alert"), reached=True, at=opened_at),
        Link(
            Text("签收", "Accept"), bool(states & {"ACCEPTED", "ARRIVED", "DONE"}),
            accepted.who if accepted else "", accepted.accepted_at if accepted else None,
        ),
        Link(
            Text("到场", "On site"), bool(states & {"ARRIVED", "DONE"}),
            arrived.who if arrived else "", arrived.arrived_at if arrived else None,
        ),
        Link(Text("办结", "Close"), ended_at is not None, ended.who if ended and ended_at else "", ended_at),
    ]
