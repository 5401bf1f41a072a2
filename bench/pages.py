"""`pages`: what the duty desk and the phone page weigh on the wire, and how fast the desk is with 5,000 open cases.

A whole county with all its townships and villages; a county duty officer looks at it through the real web process. What
the page shows is compared with plain SQL before anything is timed.
"""

from __future__ import annotations

import json
import math
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.browsing import Client, Part
from bench.harness import Bench, Place
from bench.serving import WEB, Installation

CHROMIUM = Path("/usr/bin/chromium")
REQUESTS = 200
ROWS, BARS, REST = 60, 24, "其他"
COUNTY = "莘县"
TOLERANCE = 0.02
BREAKS_A_FIGURE = False
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "desk_kb <= 350": lambda found: 0 < (found.get("desk_kb") or 0) <= 350,
    "phone_kb <= 30": lambda found: 0 < (found.get("phone_kb") or 0) <= 30,
    "desk_5000_ms <= 300": lambda found: 0 < (found.get("desk_5000_ms") or 0) <= 300,
}


def run(bench: Bench) -> dict[str, Any]:
    """Load, check and time the pages on each database; the figures at the top are the worse ones."""
    open_ = bench.options.number("open", 5_000, quick=500)
    ended = bench.options.number("ended", 20_000, quick=1_000)
    requests = bench.options.number("requests", REQUESTS, quick=30)
    bench.n = {"open": open_, "ended": ended, "requests": requests}
    done: dict[str, dict[str, Any]] = {}
    for kind in bench.databases():
        place = bench.place(kind)
        seeded = bench.part(place, "bench.pages", "seed", open_=open_, ended=ended)
        bench.n |= {"areas": seeded["areas"], "open_elsewhere": seeded["elsewhere"]}
        application = {"application": "bench.broken:application"} if bench.options.self_test else {}
        with Installation(place, (WEB,), **application) as installation:
            done[kind] = _measure(bench, place, seeded, installation, requests=requests)
        bench.note(f"{kind}: {json.dumps(done[kind], ensure_ascii=False)}")
    found: dict[str, Any] = {"by_database": done}
    for name in ("desk_kb", "phone_kb", "desk_5000_ms"):
        values = [each[name] for each in done.values() if each[name] is not None]
        found[name] = max(values) if values and len(values) == len(done) else None
    return {**found, "verified": bool(done) and not any(each["wrong"] for each in done.values())}


def _measure(bench: Bench, place: Place, seeded: dict[str, Any], installation: Installation, *, requests: int) -> dict[str, Any]:
    address = f"http://127.0.0.1:{installation.port}"
    with Client(address) as officer, Client(address) as worker:
        officer.enter(seeded["officer"])
        worker.enter(seeded["worker"])
        desk, phone = officer.load("/desk/"), max((worker.load(path) for path in (seeded["task"], "/tasks/")), key=_wire)
        html = desk[0].content.decode()
        now_ms = int(re.search(r'data-now="(\d+)"', html)[1])  # type: ignore[index] # a page without its moment is broken
        wrong = _wrong_desk(html, bench.part(place, "bench.pages", "expected", county=seeded["county"], now_ms=now_ms, passed_us=seeded["now_us"]))
        wrong |= _wrong_parts(bench, officer, desk, "/desk/")
        wrong |= _wrong_parts(bench, worker, phone, urlsplit(phone[0].url).path)
        times = [_timed(officer, "/desk/") for _ in range(requests)]
        parts = {part: [_timed(officer, f"/desk/{part}/") for _ in range(max(10, requests // 10))] for part in ("queue", "figures", "side")}
    return {
        "desk_kb": round(_wire(desk) / 1000, 1), "phone_kb": round(_wire(phone) / 1000, 1), "desk_5000_ms": _quantile(times, 0.95),
        "desk_p50_ms": _quantile(times, 0.5), "desk_max_ms": _quantile(times, 1.0),
        "fragments_p95_ms": {name: _quantile(each, 0.95) for name, each in parts.items()},
        "parts": {urlsplit(part.url).path: part.wire for part in (*desk, *phone)}, "wrong": wrong,
    }


def _timed(client: Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return (time.perf_counter() - began) * 1000


def _quantile(values: Sequence[float], share: float) -> float:
    return round(sorted(values)[max(0, math.ceil(share * len(values)) - 1)], 1)


def _wire(parts: Sequence[Part]) -> int:
    """Return the bytes on the wire; what the server sends uncompressed counts as it is sent."""
    return sum(part.wire for part in parts)


def _wrong_desk(html: str, expected: Mapping[str, Any]) -> dict[str, str]:
    """Return where the desk differs from what plain SQL says."""
    rows = [int(number) for number in re.findall(r'<li id="case-(\d+)"', html)]
    bars = re.findall(r'<li><span>([^<]+)</span><svg.*?</svg><span class="number">(\d+)</span></li>', html, re.DOTALL)
    figures = re.findall(r'class="figure-value[^"]*">([^<]+)<', html)
    tally = re.search(r'<ul class="tally".*?</ul>', html, re.DOTALL)
    severities = re.findall(r">(\d+)</span></li>", tally[0]) if tally else []
    points = re.search(r'<script id="desk-map" type="application/json">(.*?)</script>', html, re.DOTALL)
    shown = [point["id"] for point in json.loads(points[1])["points"]] if points else []
    compared = {
        "rows": (rows, expected["rows"]), "by severity": ([int(number) for number in severities], expected["by_severity"]),
        "figures": (figures, expected["figures"]), "by area": _bars([(name, int(number)) for name, number in bars], expected["by_area"]),
        "points of the map": (sorted(shown), sorted(expected["rows"])),
    }
    return {name: str({"found": one, "expected": two})[:400] for name, (one, two) in compared.items() if one != two}


def _bars(shown: Sequence[tuple[str, int]], expected: Mapping[str, int]) -> tuple[Any, Any]:
    """Return the bars and what they must be: the areas with most cases, most first, and all others together."""
    named = [(name, number) for name, number in shown if name != REST]
    most = sorted(expected.values(), reverse=True)
    wanted = ([(name, expected.get(name)) for name, _ in named], most[:BARS], sum(most[BARS:]))
    return (named, [number for _, number in named], sum(number for name, number in shown if name == REST)), wanted


def _wrong_parts(bench: Bench, client: Client, parts: Sequence[Part], path: str) -> dict[str, str]:
    """Return where Chromium loads something else, or weighs it differently; a missing Chromium is named in `skipped`."""
    if not CHROMIUM.exists():
        if "chromium" not in bench.skipped:
            bench.skipped.append("chromium")
        return {}
    seen = _in_chromium(client, path)
    ours = {part.url: part.wire for part in parts if not part.url.endswith(".svg")}  # without a screen nobody asks for the icon
    theirs = {url: length for url, length in seen.items() if not url.endswith(("/stream/", ".svg"))}
    wrong = {}
    if set(ours) != set(theirs):
        wrong[f"what {path} loads"] = f"ours {sorted(set(ours) - set(theirs))}, Chromium's {sorted(set(theirs) - set(ours))}"
    elif abs(sum(ours.values()) - sum(theirs.values())) > TOLERANCE * sum(ours.values()):
        wrong[f"weight of {path}"] = f"ours {ours}, Chromium's {theirs}"
    return wrong


def _in_chromium(client: Client, path: str) -> dict[str, int]:
    """Return what Chromium loads with a page, and the bytes of each body on the wire."""
    from playwright.sync_api import sync_playwright

    heads: dict[str, int] = {}
    lengths: dict[str, int] = {}
    urls: dict[str, str] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        try:
            context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768})
            context.add_cookies(client.cookies())  # type: ignore[arg-type]
            page = context.new_page()
            network = context.new_cdp_session(page)
            network.send("Network.enable")
            network.on("Network.requestWillBeSent", lambda each: urls.__setitem__(each["requestId"], each["request"]["url"]))
            network.on("Network.responseReceived", lambda each: heads.__setitem__(each["requestId"], each["response"]["encodedDataLength"]))
            network.on("Network.loadingFinished", lambda each: lengths.__setitem__(each["requestId"], each["encodedDataLength"]))
            page.goto(client.address + path, wait_until="load")
            page.wait_for_timeout(500)
        finally:
            browser.close()
    return {urls[number]: whole - heads.get(number, 0) for number, whole in lengths.items() if urls[number].startswith(client.address)}


def seed(*, open_: int, ended: int) -> dict[str, Any]:
    """Fill one county with open cases in all its villages, some of each kind of state, ended ones of last year, others elsewhere."""
    from datetime import UTC, datetime, timedelta
    from random import Random

    from bench import world
    from shouwang.cases.links import task_link
    from shouwang.cases.models import Task
    from shouwang.kernel.moments import to_us
    from shouwang.people.actions import NewDuty, NewPerson, add_account, add_persons, assign_duties, issue_entry_link
    from shouwang.people.rules import SYSTEM
    from shouwang.places.models import Area
    from shouwang.systems.living_alone.actions import publish_shipped

    world.seed()
    now = datetime.now(UTC)
    publish_shipped(now=now)
    county = Area.objects.get(name=COUNTY, level="COUNTY")
    areas = list(Area.objects.filter(level__in=("TOWNSHIP", "VILLAGE"), path__startswith=county.path).order_by("id"))
    others = list(Area.objects.filter(level="VILLAGE").exclude(path__startswith=county.path).order_by("id")[:500])
    chance = Random(7)
    village = next(area for area in areas if area.level == "VILLAGE")
    officer, worker = add_persons(SYSTEM, [NewPerson("值班员甲", county.pk), NewPerson("网格员乙", village.pk)], now=now)
    since = now.date() - timedelta(days=9)
    assign_duties(SYSTEM, [NewDuty(officer, "COUNTY_DUTY", county.pk, since, "DEPUTY"), NewDuty(worker, "GRID_WORKER", village.pk, since)], now=now)
    for at in range(0, ended, 1_000):
        _end(_open(areas, min(1_000, ended - at), now=now - timedelta(days=200), chance=chance), chance=chance)
    for _ in range(3):
        _end(_open(areas, open_ // 60, now=now, chance=chance), chance=chance)
    _vary(_open(areas, open_, now=now, chance=chance), now=now, chance=chance)
    _open(others, open_ // 5, now=now, chance=chance)
    mine = Task.objects.filter(assignee_id=worker, state="OFFERED").order_by("id").first()
    assert mine
    Task.objects.filter(pk=mine.pk).update(state="ACCEPTED", accepted_at=now)
    _tell(to_us(now))
    accounts = [add_account(SYSTEM, username=f"bench{person}", person_id=person, now=now) for person in (officer, worker)]
    links = [f"/enter/{issue_entry_link(account, now=now)}/" for account in accounts]
    return {
        "county": county.pk, "areas": len(areas), "elsewhere": open_ // 5, "officer": links[0], "worker": links[1],
        "task": task_link(mine.pk, worker), "now_us": to_us(now),
    }


def _open(areas: Sequence[Any], count: int, *, now: Any, chance: Any) -> list[int]:
    """Open cases spread over `areas` and over the two days before `now`, in batches of 500."""
    from datetime import timedelta

    from django.db import transaction

    from shouwang.cases.actions import NewCase, open_cases
    from shouwang.journal.actions import append

    ids: list[int] = []
    while len(ids) < count:
        at = now - timedelta(minutes=chance.randint(1, 2 * 24 * 60))
        some = [areas[(len(ids) + n) % len(areas)] for n in range(min(500, count - len(ids)))]
        cases = [
            NewCase("WELFARE_CHECK", "living_alone", chance.choice((1, 2, 2, 3, 3, 3, 4)), area.pk, area.path, "area", area.pk,
                    "WATER_LOW_USE_OPEN", {"window_h": 24, "used_l": chance.randint(0, 9), "limit_l": 10})
            for area in some
        ]
        with transaction.atomic():
            opened = open_cases(cases, now=at)
            append(opened.events, now=at)
        ids += opened.ids
    return ids


def _vary(ids: Sequence[int], *, now: Any, chance: Any) -> None:
    """Give a part of the open cases another limit, and let others be accepted."""
    for case_id in ids:
        drawn = chance.random()
        if drawn < 0.2:
            due_us = int((now.timestamp() + 60 * chance.randint(-600, 600)) * 1_000_000)
            _sql("UPDATE cases_case SET due_at = %s WHERE id = %s", due_us, case_id)
        elif drawn < 0.4:
            _sql("UPDATE cases_task SET state = 'ACCEPTED', accepted_at = offered_at + %s WHERE case_id = %s", chance.randint(1, 90) * 60_000_000, case_id)


def _end(ids: Sequence[int], *, chance: Any) -> None:
    """End cases as their workers would have: accepted after some minutes, completed and closed within the hour."""
    first, last = min(ids), max(ids)
    _sql("DELETE FROM journal_timer WHERE kind = 'task' AND subject_id IN (SELECT id FROM cases_task WHERE case_id BETWEEN %s AND %s)", first, last)
    _sql(
        "UPDATE cases_task SET state = 'DONE', result = 'WELL', accepted_at = offered_at + %s, ended_at = offered_at + 1800000000 "
        "WHERE case_id BETWEEN %s AND %s", chance.randint(1, 20) * 60_000_000, first, last,
    )
    _sql("UPDATE cases_case SET state = 'CLOSED', result = 'WELL', ended_at = opened_at + %s WHERE id BETWEEN %s AND %s", chance.randint(21, 59) * 60_000_000, first, last)


def _tell(now_us: int) -> None:
    """Append the events of what was edited, and let the figures hear the log as the worker does; limits have passed that are before `now_us`."""
    from itertools import groupby
    from operator import itemgetter

    from django.db import transaction

    from shouwang.indicators.actions import KINDS, LISTENER, fold
    from shouwang.journal.actions import append, listen
    from shouwang.journal.queries import events_after
    from shouwang.journal.rules import NewEvent
    from shouwang.kernel.moments import from_us

    rows = [(at_us, "case.task_accepted", case_id) for case_id, at_us in _sql("SELECT case_id, accepted_at FROM cases_task WHERE accepted_at IS NOT NULL")]
    rows += [(at_us, "case.completed", case_id) for case_id, at_us in _sql("SELECT id, ended_at FROM cases_case WHERE ended_at IS NOT NULL")]
    rows += [(at_us, "case.task_overdue", case_id) for case_id, at_us in _sql("SELECT id, due_at FROM cases_case WHERE state = 'OPEN' AND due_at < %s", now_us)]
    with transaction.atomic():
        for at_us, some in groupby(sorted(rows), key=itemgetter(0)):
            append([NewEvent(kind, case_id) for _, kind, case_id in some], now=from_us(at_us))
    while listen(LISTENER, fold, lambda seq: events_after(seq, kinds=KINDS, limit=2_000)).count:
        pass


def _sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def expected(*, county: int, now_ms: int, passed_us: int) -> dict[str, Any]:
    """Return from plain SQL what the desk of a county shows at a moment; nothing has noticed limits that passed after `passed_us`."""
    (path,) = _sql("SELECT path FROM places_area WHERE id = %s", county)[0]
    inside = (path, path[:-1] + "0")
    open_ = _sql("SELECT id, severity, due_at, path FROM cases_case WHERE state = 'OPEN' AND path >= %s AND path < %s", *inside)
    now_us = now_ms * 1000
    midnight_us = (now_us + 8 * 3_600_000_000) // 86_400_000_000 * 86_400_000_000 - 8 * 3_600_000_000
    today = _sql("SELECT id, state, opened_at, ended_at FROM cases_case WHERE opened_at >= %s AND path >= %s AND path < %s", midnight_us, *inside)
    accepted = _sql(
        "SELECT min(t.accepted_at) - min(c.opened_at) FROM cases_task t JOIN cases_case c ON c.id = t.case_id WHERE t.accepted_at IS NOT NULL "
        "AND c.opened_at >= %s AND c.path >= %s AND c.path < %s GROUP BY c.id", midnight_us, *inside,
    )
    ended = [row for row in today if row[1] in {"COMPLETED", "CLOSED"}]
    names = dict(_sql("SELECT id, name FROM places_area"))
    levels = [row[3].split("/")[3] or row[3].split("/")[2] for row in open_]
    return {
        "rows": [row[0] for row in sorted(open_, key=lambda row: (-row[1], row[2], row[0]))[:ROWS]],
        "by_severity": [sum(row[1] == level for row in open_) for level in (4, 3, 2, 1)],
        "figures": [
            str(len(today)), str(len(open_)), str(sum(row[2] < passed_us for row in open_)),
            f"{100 * len(ended) / len(today):.0f}" if today else "—", _median(row[0] for row in accepted), _median(row[3] - row[2] for row in ended),
        ],
        "by_area": Counter(names[int(area)] for area in levels),
    }


def _median(spans_us: Iterable[int]) -> str:
    spans = list(spans_us)
    return f"{statistics.median(spans) / 60_000_000:.1f}" if spans else "—"
