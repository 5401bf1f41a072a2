"""Pages of telemetry: the things with the age of their last reading, and the readings that could not be placed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.telemetry import queries
from shouwang.telemetry.queries import QuarantineRow, ThingRow
from shouwang.telemetry.receiving import is_events, release, release_event
from shouwang.telemetry.rules import REASONS
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

IMPORT_RIGHT = "telemetry.import"
KINDS = {"WATER_METER": Text("水表", "Water meter"), "CAMERA": Text("摄像机", "Camera")}
NOT_CONNECTED = Text("尚未接入", "not connected yet")
SILENT = Text("超过 48 小时没有消息", "not heard for over 48 hours")
RAW_SHOWN = 120
HEARD_OF = timedelta(hours=48)
RELEASED = Text("已放行 {rows} 条。", "Released: {rows}.")
NOT_RELEASED = Text("仍无法归属，请先登记设备和数据流。", "They still cannot be placed; register the device and its datastream first.")


def age(last_at: datetime | None, *, now: datetime) -> Text:
    """Return how long ago the last reading was, in words."""
    if last_at is None:
        return Text("超过 48 小时没有读数", "no reading for over 48 hours")
    minutes = max(0, (now - last_at) // timedelta(minutes=1))
    if minutes < 60:
        return Text(f"{minutes} 分钟前", f"{minutes} min ago")
    return Text(f"{minutes // 60} 小时 {minutes % 60} 分钟前", f"{minutes // 60} h {minutes % 60} min ago")


def last(row: ThingRow, *, now: datetime) -> Text:
    """Return when a thing last told something, in words."""
    if row.kind == "CAMERA" and (row.last_at is None or now - row.last_at > HEARD_OF):
        return NOT_CONNECTED if row.last_at is None else SILENT
    return age(row.last_at, now=now)


def _things_spec(now: datetime) -> ListSpec[ThingRow]:
    return ListSpec(
        title=Text("设备", "Devices"),
        columns=(
            Column("external_id", Text("编号", "Number"), lambda row: row.external_id),
            Column("name", Text("名称", "Name"), lambda row: row.name),
            Column("kind", Text("种类", "Kind"), lambda row: KINDS.get(row.kind, Text(row.kind, row.kind))),
            Column("last", Text("最近消息", "Last heard"), lambda row: last(row, now=now)),
            Column("last_at", Text("时间", "At"), lambda row: row.last_at),
        ),
        filters=(Filter("kind", Text("种类", "Kind"), [Choice(code, title) for code, title in KINDS.items()]),),
        searched=Text("编号或名称", "Number or name"),
    )


@require_GET
@needs()
def things(request: HttpRequest) -> HttpResponse:
    """List the things in the reader's area with the age of their last reading."""
    now, scope = clock().now(), scope_of(request)

    def fetch(query: ListQuery) -> tuple[Sequence[ThingRow], int]:
        return queries.things(
            scope, now=now, text=query.text, kind=query.chosen.get("kind", ""), offset=query.offset, limit=query.limit,
        )

    waiting = queries.quarantined_rows() if IMPORT_RIGHT in scope.rights else 0
    return list_response(
        request, spec=_things_spec(now), fetch=fetch, template="telemetry/things.html",
        context={"now": now, "waiting": waiting, "may_import": IMPORT_RIGHT in scope.rights},
    )


SHORT = {
    "UNKNOWN_DEVICE": Text("设备未登记", "Unknown device"), "UNKNOWN_DATASTREAM": Text("没有这个数据流", "Unknown datastream"),
    "FOREIGN_DEVICE": Text("替别的设备上报", "Another device's"), "NO_DEVICE": Text("没有写设备", "No device named"),
    "BAD_CLOCK": Text("时钟不对", "Wrong clock"),
}


def _reason(row: QuarantineRow) -> Text:
    return REASONS.get(row.reason, Text(row.reason, row.reason))


QUARANTINE: ListSpec[QuarantineRow] = ListSpec(
    title=Text("无法归属的读数和事件", "Readings and events that cannot be placed"),
    columns=(
        Column("at", Text("收到时间", "Received"), lambda row: row.at),
        Column("device", Text("设备", "Device"), lambda row: row.device),
        Column("reason", Text("原因", "Reason"), _reason),
        Column("rows", Text("条数", "How many"), lambda row: row.rows, numeric=True),
        Column("source", Text("来源", "Source"), lambda row: row.source),
        Column("raw", Text("原文", "As sent"), lambda row: row.raw[:RAW_SHOWN]),
    ),
    filters=(Filter("reason", Text("原因", "Reason"), [Choice(code, short) for code, short in SHORT.items()]),),
    searched=Text("设备", "Device"),
)


@require_GET
@needs()
def quarantine(request: HttpRequest) -> HttpResponse:
    """List the readings and device events that could not be placed. Raises Refused."""
    scope_of(request).require(IMPORT_RIGHT)

    def fetch(query: ListQuery) -> tuple[Sequence[QuarantineRow], int]:
        return queries.quarantine(
            reason=query.chosen.get("reason", ""), text=query.text, offset=query.offset, limit=query.limit,
        )

    waiting = [(REASONS.get(each.reason, Text(each.reason, each.reason)), each) for each in queries.quarantine_by_reason()]
    return list_response(request, spec=QUARANTINE, fetch=fetch, template="telemetry/quarantine.html", context={"waiting": waiting})


@require_POST
@needs()
def release_quarantine(request: HttpRequest, quarantine_id: int) -> HttpResponse:
    """Store readings or a device event from quarantine whose device is known by now. Raises Refused, NotFound."""
    scope_of(request).require(IMPORT_RIGHT)
    row = queries.quarantined(quarantine_id)
    if row is None:
        raise NotFound(what=f"{quarantine_id}")
    language = reader(request).language
    if not _released(row, now=clock().now()):
        messages.error(request, NOT_RELEASED.render(language, {}))
    else:
        messages.success(request, RELEASED.render(language, {"rows": row.rows}))
    return HttpResponseRedirect(reverse("telemetry:quarantine"))


def _released(row: QuarantineRow, *, now: datetime) -> bool:
    if is_events(row.source):
        return release_event(row.id, raw=row.raw, device=row.device, source=row.source, at=row.at, now=now)
    return release(row.id, raw=row.raw, device=row.device, source=row.source, now=now) is not None
