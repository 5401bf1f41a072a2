"""The main navigation: every room's first page, for whoever has its right."""

from __future__ import annotations

from django.http import HttpRequest

from shouwang.kernel.texts import Text
from shouwang.notify.queries import unread_count
from shouwang.people.guard import scope_of
from shouwang.ui.navigation import Entry
from shouwang.web.demo import roles


def unread(request: HttpRequest) -> int:
    """Return how many entries of the own inbox are unread."""
    person_id = scope_of(request).person_id
    return unread_count(person_id) if person_id else 0


def _entry(zh: str, en: str, href: str, *rights: str) -> Entry:
    return Entry(Text(zh, en), href, frozenset(rights))


MESSAGES = Entry(
    Text("消息", "Messages"), "/messages/", frozenset({"case.read"}), count=unread, count_topic="push", count_from="/messages/unread/",
)
TOUR = Entry(Text("实践导览", "Tour"), "/tour/", frozenset({"case.read"}), is_there=lambda: bool(roles()))


WAYS = (
    _entry("值班台", "Duty desk", "/desk/", "case.dispatch"),
    _entry("事件", "Cases", "/cases/", "case.dispatch", "settings.edit"),
    _entry("指标", "Figures", "/figures/", "case.dispatch", "settings.edit"),
    _entry("群众诉求", "Requests", "/requests/", "case.dispatch", "settings.edit"),
    _entry("我的任务", "My tasks", "/tasks/", "case.handle"),
    _entry("上报", "Report", "/field-report/", "case.handle"),
    MESSAGES,
    _entry("活动", "Activities", "/activities/", "case.dispatch", "case.handle", "people.edit"),
    _entry("独居关爱", "Living alone", "/living-alone/", "people.read"),
    _entry("防溺水", "Waters", "/waters/", "case.read"),
    _entry("区划", "Areas", "/places/", "case.dispatch", "places.edit"),
    _entry("人员", "People", "/people/", "case.dispatch", "people.edit"),
    _entry("设备", "Things", "/things/", "case.dispatch", "telemetry.import"),
    Entry(Text("设置", "Set up"), "/setup/", frozenset({"settings.edit"}), under=("/settings/",)),
    TOUR,
)
SEARCH = _entry("搜索", "Search", "/search/", "case.read")
