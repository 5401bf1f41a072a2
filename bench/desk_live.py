"""`desk_live`: from a case that is stored to the line, number and marker painted on fifty open desks, ten events a second.

Fifty Chromium windows are more than a small machine carries, so `--chromium` of the desks (2) are real pages, looked at before
every frame, and the others are clients that hear the same stream and fetch the same parts at the same pace as the page's script
(`desks.py`): the server has fifty desks to serve. `p95_s` counts from the moment that stands in the journal, which is before the
commit, to the frame after the one that shows it, on the Chromium pages; `heard_p95_s` is until the item came, on all others. In the
middle some desks of both sorts lose the connection for some seconds; what was painted late for that reason is `replay_p95_s`.
Desks are those of the whole city: each hears everything. All events of the log are compared with what each desk heard.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.browsing import Client
from bench.harness import ROOT, Bench, Place
from bench.latency import quantile
from bench.painting import CHROMIUM, Screen, screens
from bench.relay import Relay
from bench.serving import Installation

DESKS, CHROMIUMS, SECONDS, RATE_PER_S, CUT_S, QUIET_S = 50, 2, 60, 10, 6.0, 12.0
CHANGES_IN = 5
"""Every how many events is a change of a case whose line is shown; the others are new alerts."""
SHOWN = 60
BACK_S = 5.0
WORDS = {"case.task_accepted": "已签收", "case.arrived": "已到场"}
BREAKS_A_FIGURE = True
BROKEN = ("p95_s <= 1.0", "lost = 0")
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "p95_s <= 1.0": lambda found: 0 < (found.get("p95_s") or 0) <= 1.0,
    "lost = 0": lambda found: found.get("lost") == 0,
    "replayed = missed_while_cut": lambda found: 0 < (found.get("missed_while_cut") or 0) == found.get("replayed"),
}


def run(bench: Bench) -> dict[str, Any]:
    """Measure on each database; the figures at the top are the worse ones."""
    desks = bench.options.number("desks", DESKS, quick=10)
    seconds = bench.options.number("seconds", SECONDS, quick=20)
    chromiums = bench.options.number("chromium", CHROMIUMS)
    bench.n = {"desks": desks, "chromium_pages": chromiums, "stream_clients": desks - chromiums, "events": seconds * RATE_PER_S, "seconds": seconds}
    if not CHROMIUM.exists():
        bench.skipped.append("chromium")
        return {"p95_s": None, "lost": None, "verified": False}
    done: dict[str, dict[str, Any]] = {}
    for kind in bench.databases():
        place = bench.place(kind)
        seeded = bench.part(place, "bench.desk_live", "seed", desks=desks, alerts=_alerts(seconds))
        application = {"application": "bench.dim:application"} if bench.options.self_test else {}
        with Installation(place, **application) as installation:
            done[kind] = _measure(bench, place, installation, seeded, seconds=seconds, chromiums=chromiums)
        bench.note(f"{kind}: {json.dumps(done[kind], ensure_ascii=False)}")
    found: dict[str, Any] = {"by_database": done}
    for name, worse in (("p50_s", max), ("p95_s", max), ("max_s", max), ("heard_p95_s", max), ("replay_p95_s", max), ("lost", max), ("missed_while_cut", min), ("replayed", min)):
        values = [each[name] for each in done.values() if each[name] is not None]
        found[name] = worse(values) if values and len(values) == len(done) else None
    return {**found, "verified": bool(done) and not any(each["wrong"] for each in done.values())}


def _alerts(seconds: int) -> int:
    return seconds * RATE_PER_S * (CHANGES_IN - 1) // CHANGES_IN


def _measure(
    bench: Bench, place: Place, installation: Installation, seeded: dict[str, Any], *, seconds: int, chromiums: int,
) -> dict[str, Any]:
    cookies = [_signed_in(f"http://127.0.0.1:{installation.port}", link) for link in seeded["links"]]
    heard_file = place.folder / "desks.jsonl"
    clients = subprocess.Popen(
        [sys.executable, "-m", "bench.desks", str(installation.port), str(heard_file)], cwd=ROOT, stdin=subprocess.PIPE, text=True,
    )
    assert clients.stdin
    clients.stdin.write(json.dumps(["; ".join(f"{each['name']}={each['value']}" for each in one) for one in cookies[chromiums:]]) + "\n")
    clients.stdin.flush()
    try:
        with Relay(installation.port) as relay:
            addresses = [f"http://127.0.0.1:{relay.port if number == 0 else installation.port}" for number in range(chromiums)]
            with screens(addresses, cookies[:chromiums]) as pages:
                _wait_until_opened(heard_file, len(cookies) - chromiums)
                start = time.time() + 6.0
                cut_at = start + seconds / 2
                told = {"until": start + seconds + QUIET_S, "cut_at": cut_at, "cut_s": CUT_S, "cut": max(1, (len(cookies) - chromiums) // 5)}
                clients.stdin.write(json.dumps(told) + "\n")
                clients.stdin.close()
                before = installation.cpu_s()
                _act(bench, place, installation, relay, pages, seeded, start=start, cut_at=cut_at, seconds=seconds)
                cpu_s = {part: round(used - before[part], 1) for part, used in installation.cpu_s().items()}
                _idle(pages, start + seconds + QUIET_S - time.time())
                painted = [(screen, screen.painted()) for screen in pages]
        clients.wait(60)
    finally:
        if clients.poll() is None:
            clients.kill()
    heard = [json.loads(line) for line in heard_file.read_text().splitlines()]
    kept = bench.part(place, "bench.desk_live", "kept", seen=seeded["seen"], after_seq=seeded["seq"])
    return {**_judge(kept, heard, painted, cut_at=cut_at, desks=len(cookies) - chromiums), "cpu_s": cpu_s, "settings": kept["settings"]}


def _signed_in(address: str, link: str) -> list[dict[str, str]]:
    with Client(address) as officer:
        officer.enter(link)
        return [{"name": each["name"], "value": each["value"]} for each in officer.cookies()]


def _wait_until_opened(path: Any, count: int) -> None:
    until = time.monotonic() + 120
    while not path.exists() or path.read_text().count('"opened"') < count:
        if time.monotonic() > until:
            raise TimeoutError(f"not all of {count} desks opened within 120 s")
        time.sleep(0.2)


def _act(
    bench: Bench, place: Place, installation: Installation, relay: Relay, pages: Sequence[Screen], seeded: dict[str, Any],
    *, start: float, cut_at: float, seconds: int,
) -> None:
    """Post alerts, change shown cases, cut the first page's connection and mend it."""
    bodies = [
        {
            "kind": "WATER_LOW_USE", "subject_kind": "area", "subject_id": grid, "severity": 4 if n % 20 == 19 else 1 + n % 3,
            "reason": "WATER_LOW_USE_OPEN", "params": {"window_h": 24, "used_l": 3, "limit_l": 10},
        }
        for n, grid in enumerate(seeded["grids"])
    ]
    (place.folder / "bodies.jsonl").write_text("\n".join(json.dumps({"alerts": [body]}) for body in bodies))
    command = [
        sys.executable, "-m", "bench.posting", str(installation.port), str(place.folder / "bodies.jsonl"), str(place.folder / "posted.json"),
        str(RATE_PER_S * (CHANGES_IN - 1) / CHANGES_IN),
    ]
    changing = bench.start(place, "bench.desk_live", "change", start=start, per_s=RATE_PER_S / CHANGES_IN, count=seconds * RATE_PER_S // CHANGES_IN)
    _idle(pages, start - 1.0 - time.time())
    posting = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True)
    assert posting.stdin
    posting.stdin.write(f"{seeded['alerts_token']}\n")
    posting.stdin.close()
    _idle(pages, cut_at - time.time())
    relay.cut()
    _idle(pages, CUT_S)
    pages[0].offline_shown = pages[0].state() == "down"
    relay.mend()
    while posting.poll() is None:
        _idle(pages, 0.5)
    bench.answer(changing)
    posted = json.loads((place.folder / "posted.json").read_text())
    if any(each["status"] != 200 for each in posted):
        raise RuntimeError(f"alerts were refused: {Counter(each['status'] for each in posted)}")


def _idle(pages: Sequence[Screen], seconds: float) -> None:
    pages[0].page.wait_for_timeout(max(0.0, seconds) * 1000)


def _judge(
    kept: Mapping[str, Any], heard: Sequence[Mapping[str, Any]], painted: Sequence[tuple[Screen, Sequence[Mapping[str, Any]]]], *, cut_at: float, desks: int,
) -> dict[str, Any]:
    """Compare what was kept with what each desk heard and each page painted."""
    events = {(each["id"], each["kind"]): each["at"] for each in kept["events"]}
    at = [{(each["case"], each["kind"]): each["at"] for each in reversed(heard) if each["desk"] == desk and each.get("topic") == "case"} for desk in range(desks)]
    times = Counter((each["desk"], each["case"], each["kind"]) for each in heard if each.get("topic") == "case")
    lost = sum(len(events.keys() - one.keys()) for one in at)
    cut = {each["desk"] for each in heard if "broke" in each and each["at"] < cut_at + CUT_S}
    late = {key for key, moment in events.items() if cut_at <= moment < cut_at + CUT_S}
    live = [one[key] - events[key] for desk, one in enumerate(at) for key in events.keys() & one.keys() if desk not in cut or events[key] < cut_at - 1 or events[key] > cut_at + CUT_S + BACK_S]
    seen = [_seen(events, shown, screen) for screen, shown in painted]
    unpainted = sum(len(events) - len(each) for each in seen)
    spans = [(key, moment - events[key], number) for number, each in enumerate(seen) for key, moment in each.items()]
    is_cut = {key for key, moment in events.items() if cut_at - 1 <= moment <= cut_at + CUT_S + BACK_S}
    usual = [span for key, span, number in spans if number or key not in is_cut]
    replayed = [span for key, span, number in spans if not number and key in late]
    markers = [span for screen, shown in painted for span in _markers(kept, shown, but=is_cut if screen is painted[0][0] else set())]
    took = {part: [each["took"] for each in heard if each.get("fetched") == part] for part in ("queue", "figures")}
    compared: dict[str, tuple[Any, Any]] = {
        "heard twice": ([key for key, number in times.items() if number > 1][:3], []),
        "told how the case stands": ({each["told"] for each in heard if each.get("topic") == "case"}, {True}),
        "faults of the pages": ([fault for screen, _ in painted for fault in screen.faults], []),
        "the cut page said so": (painted[0][0].offline_shown, True),
        "pill at the end": ([_last(shown, "held") for _, shown in painted], [kept["held"]] * len(painted)),
        "lines at the end": ([_lines(shown) for _, shown in painted], [kept["words"]] * len(painted)),
        "events": (len(events), len(kept["events"])),
    }
    return {
        **{f"{name}_s": quantile(usual, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))},
        "samples": len(usual), "events": len(events), "marker_p95_s": quantile(markers, 0.95), "heard_p95_s": quantile(live, 0.95), "heard_max_s": quantile(live, 1.0),
        "lost": lost + unpainted, "missed_while_cut": len(late) * (len(cut) + 1), "replay_p95_s": quantile(replayed, 0.95),
        "replayed": sum(len(late & at[desk].keys()) for desk in cut) + len(replayed),
        "fragments": {part: {"n": len(each), "p50_s": quantile(each, 0.5), "p95_s": quantile(each, 0.95)} for part, each in took.items()},
        "wrong": {name: str({"found": one, "expected": two})[:300] for name, (one, two) in compared.items() if one != two},
    }


def _seen(events: Mapping[tuple[int, str], float], shown: Sequence[Mapping[str, Any]], screen: Screen) -> dict[tuple[int, str], float]:
    """Return when each event was first seen painted: a new case when the pill's number reached its place, a change when its line said so."""
    found: dict[tuple[int, str], float] = {}
    lines: dict[tuple[int, str], float] = {}
    for each in reversed(shown):
        if "line" in each:
            lines[each["line"], each["words"]] = each["at"] / 1000
    new = sorted((key for key in events if key[1] == "case.opened" and key[0] > screen.seen), key=lambda key: events[key])
    held = [(each["at"] / 1000, each["held"]) for each in shown if "held" in each]
    for place, key in enumerate(new, 1):
        reached = next((moment for moment, number in held if number >= place), None)
        if reached is not None:
            found[key] = reached
    for key in events:
        if (key[0], WORDS.get(key[1], "")) in lines:
            found[key] = lines[key[0], WORDS[key[1]]]
    return found


def _markers(kept: Mapping[str, Any], shown: Sequence[Mapping[str, Any]], *, but: set[Any]) -> list[float]:
    """Return how long it took until the map had one marker more, for each new case."""
    new = sorted((each["at"], (each["id"], each["kind"])) for each in kept["events"] if each["kind"] == "case.opened")
    marks = [(each["at"] / 1000, each["marks"]) for each in shown if "marks" in each]
    spans = []
    for place, (moment, key) in enumerate(new, 1):
        reached = next((at for at, number in marks if number >= SHOWN + place), None)
        if reached is not None and key not in but:
            spans.append(reached - moment)
    return spans


def _last(shown: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((each[name] for each in reversed(shown) if name in each), None)


def _lines(shown: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many lines said what at the end."""
    return dict(sorted(Counter({each["line"]: each["words"] for each in shown if "line" in each}.values()).items()))


# Parts: each in a process of its own, on the place's database.


def seed(*, desks: int, alerts: int) -> dict[str, Any]:
    """Put grid workers on grids, open the cases that the desks show, and enrol an officer of the city for each desk."""
    from datetime import UTC, datetime, timedelta

    from bench import latency, world
    from shouwang.cases.models import Case
    from shouwang.journal.queries import last_seq
    from shouwang.people.actions import (
        NewDuty,
        NewPerson,
        add_account,
        add_persons,
        assign_duties,
        issue_credential,
        issue_entry_link,
    )
    from shouwang.people.rules import SYSTEM
    from shouwang.places.models import Area
    from shouwang.systems.living_alone.actions import publish_shipped

    now = datetime.now(UTC)
    world.seed()
    publish_shipped(now=now)
    grids = latency.add_grids(alerts + SHOWN)
    latency._add_grid_workers(grids)
    for n, grid in enumerate(grids):
        Area.objects.filter(pk=grid).update(lon=115.3 + (n % 40) * 0.03, lat=35.9 + (n // 40) * 0.06)
    _open_shown(grids[alerts:], now=now)
    city = Area.objects.get(level="PREFECTURE")
    people = add_persons(SYSTEM, [NewPerson(f"值班员{n}", city.pk) for n in range(desks)], now=now)
    since = now.date() - timedelta(days=9)
    assign_duties(SYSTEM, [NewDuty(person, "CITY_DUTY", city.pk, since, "DEPUTY") for person in people], now=now)
    accounts = [add_account(SYSTEM, username=f"desk{person}", person_id=person, now=now) for person in people]
    return {
        "links": [f"/enter/{issue_entry_link(account, now=now)}/" for account in accounts], "grids": grids[:alerts], "seq": last_seq(), "seen": max(Case.objects.values_list("pk", flat=True)),
        "alerts_token": issue_credential("INTEGRATION", subject="bench-alerts", paths=[city.path], rights=["alerts.write"], now=now),
    }


def _open_shown(grids: Sequence[int], *, now: Any) -> None:
    from django.db import transaction

    from shouwang.cases.actions import NewCase, open_cases
    from shouwang.journal.actions import append
    from shouwang.places.models import Area

    paths = dict(Area.objects.filter(pk__in=grids).values_list("pk", "path"))
    params = {"window_h": 24, "used_l": 3, "limit_l": 10}
    with transaction.atomic():
        opened = open_cases(
            [NewCase("WELFARE_CHECK", "living_alone", 3, grid, paths[grid], "area", grid, "WATER_LOW_USE_OPEN", params) for grid in grids], now=now,
        )
        append(opened.events, now=now)


def change(*, start: float, per_s: float, count: int) -> dict[str, Any]:
    """Let workers accept the shown cases and then arrive, one change after another at a steady rate."""
    from datetime import UTC, datetime

    from shouwang.cases.actions import accept, arrive
    from shouwang.cases.models import Task

    tasks = list(Task.objects.filter(state="OFFERED").order_by("id").values_list("id", "assignee_id")[:SHOWN])
    steps = [(step, task, person) for step in (accept, arrive) for task, person in tasks][:count]
    for n, (step, task, person) in enumerate(steps):
        time.sleep(max(0.0, start + n / per_s - time.time()))
        step(task, person_id=person, now=datetime.now(UTC))
    return {"changed": len(steps)}


def kept(*, seen: int, after_seq: int) -> dict[str, Any]:
    """Return from plain SQL the events since the desks were opened, how many new cases are open, and what the shown ones must say."""
    from bench.world import database_settings
    from shouwang.journal.queries import verify

    verify()
    rows = _sql("SELECT subject_id, kind, at FROM journal_event WHERE kind LIKE 'case.%%' AND seq > %s ORDER BY seq", after_seq)
    states = dict(_sql("SELECT t.state, count(*) FROM cases_task t JOIN cases_case c ON c.id = t.case_id WHERE c.id <= %s AND c.state = 'OPEN' GROUP BY t.state", seen))
    words = {"OFFERED": "待签收", "ACCEPTED": "已签收", "ARRIVED": "已到场"}
    return {
        "events": [{"id": case, "kind": kind, "at": at_us / 1_000_000} for case, kind, at_us in rows],
        "held": _sql("SELECT count(*) FROM cases_case WHERE state = 'OPEN' AND id > %s", seen)[0][0],
        "words": dict(sorted((words[state], number) for state, number in states.items())), "settings": database_settings(),
    }


def _sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
