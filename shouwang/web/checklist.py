"""What an office sets up first, in order, and how far it is: on the administrator's first page until all is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text
from shouwang.notify.queries import enabled_channels
from shouwang.people.queries import SetUp, count_tokens, set_up
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import ADMINISTRATOR, CHANNELS, DUTIES
from shouwang.places import queries as places
from shouwang.places.actions import set_setting
from shouwang.places.rules.settings import SettingSpec
from shouwang.systems.living_alone.queries import list_homes

State = Literal["DONE", "NEXT", "TODO", "SKIPPED"]
WORDS: Mapping[State, tuple[Text, str]] = {
    "DONE": (Text("已完成", "Done"), "done"),
    "NEXT": (Text("下一步", "Next"), "doing"),
    "TODO": (Text("未做", "To do"), ""),
    "SKIPPED": (Text("不用", "Not needed"), ""),
}
SKIPPED = SettingSpec(
    "setup.not_needed", Text("首次设置中不用的步骤", "Steps of the first setting up that are not needed"), "TEXT", "",
    Text("在“设置”页的清单中选择。", "Chosen in the list on the page “Set up”."),
)
NEEDED = frozenset({"places.edit", "people.edit", "duties.edit", "settings.edit"})


@dataclass(frozen=True)
class Step:
    """One step: what to do and where, what there is so far, and whether an office may do without it."""

    code: str
    title: Text
    text: Text
    href: str
    action: Text
    found: Text
    is_done: bool
    may_skip: bool = False


@dataclass(frozen=True)
class Shown:
    """A step with its state."""

    step: Step
    state: State
    word: Text
    tone: str


def checklist(scope: Scope, *, now: datetime) -> list[Shown]:
    """Return the steps with their state; none for whoever may not do them all, or once every one is done or not needed."""
    if not scope.rights >= NEEDED:
        return []
    shown = with_states(_steps(scope, now=now), not_needed(scope))
    return shown if any(each.state in {"NEXT", "TODO"} for each in shown) else []


def with_states(steps: list[Step], skipped: Collection[str]) -> list[Shown]:
    """Return the steps with their states: the first that is neither done nor skipped is the next."""
    found: list[Shown] = []
    for step in steps:
        open_before = any(each.state == "NEXT" for each in found)
        state: State = "DONE" if step.is_done else "SKIPPED" if step.may_skip and step.code in skipped else "TODO" if open_before else "NEXT"
        found.append(Shown(step, state, *WORDS[state]))
    return found


def not_needed(scope: Scope) -> frozenset[str]:
    """Return the codes of the steps that the office does without."""
    area_id = _top(scope)
    return frozenset(places.setting(area_id, SKIPPED.key).value.split()) if area_id else frozenset()


def choose(scope: Scope, code: str, *, needed: bool, now: datetime) -> None:
    """Say that the office does without a step, or not without it after all."""
    area_id = _top(scope)
    if area_id is None:
        return
    chosen = not_needed(scope) - {code} if needed else not_needed(scope) | {code}
    set_setting(area_id, SKIPPED.key, " ".join(sorted(chosen)) or None, now=now)


def may_do_without(code: str) -> bool:
    """Return whether `code` names a step that an office may do without."""
    return code in {"ACCOUNTS", "ROSTER", "CHANNELS", "SYSTEMS", "TOKENS"}


def _top(scope: Scope) -> int | None:
    paths = scope.paths_for("settings.edit")
    return int(paths[0].strip("/").rpartition("/")[2]) if paths and paths[0].strip("/") else None


def _steps(scope: Scope, *, now: datetime) -> list[Step]:
    areas = places.count_below(scope.paths_for("places.edit"))
    there = set_up(scope, today=local(now).date(), now=now)
    homes = list_homes(scope, now=now, limit=1)[1]
    tokens = count_tokens(scope)
    return [_areas(areas), *_people(there), _channels(), Step(
        "SYSTEMS", Text("独居关爱", "Living alone"), Text("导入住户、家属和水表的名单", "Import the list of homes, relatives and meters"),
        "/living-alone/import/", Text("导入住户", "Import homes"), _count(homes, "户", "homes"), homes > 0, may_skip=True,
    ), Step(
        "TOKENS", Text("接入设备", "Connect devices"), Text("为水表或抄表平台签发令牌，照页面上的命令发一条读数", "Issue a token for a meter or a metering platform, and post one reading with the command shown"),
        "/setup/tokens/", Text("签发令牌", "Issue a token"), _count(tokens, "个令牌", "tokens"), tokens > 0, may_skip=True,
    )]


def _areas(number: int) -> Step:
    return Step(
        "AREAS", Text("区划", "Areas"), Text("县、乡镇、村、网格，从 Excel 或 CSV 导入", "Counties, townships, villages and grids, from Excel or CSV"),
        "/places/import/", Text("导入区划", "Import areas"), _count(number, "个下级地区", "areas below"), number > 0,
    )


def _people(there: SetUp) -> list[Step]:
    held = {code: number for code, number in there.holders.items() if code != ADMINISTRATOR}
    words = [(DUTIES[code], number) for code, number in sorted(held.items()) if code in DUTIES]
    duties = Text("、".join(f"{title.zh} {n} 人" for title, n in words) or "还没有", ", ".join(f"{title.en}: {n}" for title, n in words) or "none yet")
    return [
        Step(
            "PEOPLE", Text("人员", "People"), Text("名单里可以同时写职责", "The list may hold their duties, too"), "/people/import/",
            Text("导入名单", "Import a list"), _count(there.persons - 1, "人（不含您）", "besides you"), there.persons > 1,
        ),
        Step(
            "DUTIES", Text("职责", "Duties"), Text("谁对哪个地区的哪类事负责；在人员页面安排", "Who answers for what where; assigned on a person's page"),
            "/people/duties/", Text("查看职责", "See the duties"), duties, bool(held),
        ),
        Step(
            "ACCOUNTS", Text("账号", "Accounts"), Text("要登录的值班员在人员页面开通账号；网格员用消息里的链接，不用账号", "Officers who sign in get an account on their page; grid workers use the links of their messages and need none"),
            "/people/", Text("选择人员", "Choose a person"), _count(there.accounts - 1, "个账号（不含您）", "besides yours"), there.accounts > 1, may_skip=True,
        ),
        Step(
            "ROSTER", Text("值班表", "Roster"), Text("谁在何时值班，谁备班；没有班次时由职责人应答", "Who is on duty when, and who stands in; without shifts the holders of the duties answer"),
            "/people/roster/", Text("安排班次", "Plan shifts"), _count(there.shifts, "个班次", "shifts"), there.shifts > 0, may_skip=True,
        ),
    ]


def _channels() -> Step:
    names = [CHANNELS[code] for code in sorted(enabled_channels()) if code in CHANNELS]
    found = Text("、".join(name.zh for name in names) or "只有站内消息", ", ".join(name.en for name in names) or "only the inbox")
    return Step(
        "CHANNELS", Text("消息渠道", "Message channels"), Text("开启后用“发送测试消息”试一次", "Switch one on, then try “Send a test message”"),
        "/settings/channels/", Text("设置渠道", "Set channels"), found, bool(names), may_skip=True,
    )


def _count(number: int, zh: str, en: str) -> Text:
    return Text(f"{max(number, 0)} {zh}", f"{max(number, 0)} {en}")
