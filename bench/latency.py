"""`latency`: from an alert's POST to the duty person's screen, and from a timer's moment to the escalation that is seen.

The processes are those of `shouwang serve`. Alerts are posted over HTTP at a steady rate, each about a grid whose grid
worker is nobody else's; an independent client with a token for `push.read` listens. Then the acceptance limits of a
thousand of those tasks are set to pass within a window, and in its middle the worker is killed and started again.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.harness import ROOT, Bench, Place
from bench.serving import WORKER, Installation

RATE_PER_S = 100
WINDOW_S = 60
LEAD_S = 4.0
QUIET_S = 5.0
STALL_S = 1.5
BREAKS_A_FIGURE = True
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "pushes = alerts": lambda found: found.get("pushes") == found.get("alerts"),
    "p99_s <= 1.0": lambda found: 0 < (found.get("p99_s") or 0) <= 1.0,
    "timers_fired = timers": lambda found: found.get("timers_fired") == found.get("timers"),
    "timer_p99_s <= 1.0": lambda found: 0 < (found.get("timer_p99_s") or 0) <= 1.0,
}
Heard = Sequence[Mapping[str, Any]]


def run(bench: Bench) -> dict[str, Any]:
    """Measure both on each database; the figures at the top are the worse ones."""
    alerts = bench.options.number("alerts", 6_000, quick=600)
    timers = bench.options.number("timers", 1_000, quick=200)
    window_s = bench.options.number("window", WINDOW_S, quick=12)
    bench.n = {"alerts": alerts, "timers": timers, "alerts_per_s": RATE_PER_S, "window_s": window_s}
    done: dict[str, dict[str, Any]] = {}
    for kind in bench.databases():
        place = bench.place(kind)
        seeded = bench.part(place, "bench.latency", "seed", grids=alerts)
        done[kind] = _measure(bench, place, seeded, timers=timers, window_s=window_s)
        bench.note(f"{kind}: {json.dumps(done[kind])}")
    found: dict[str, Any] = {"alerts": alerts, "timers": timers, "by_database": done}
    for name, worst in {"pushes": min, "p50_s": max, "p99_s": max, "acked_p50_s": max, "acked_p99_s": max, "timers_fired": min, "timer_p99_s": max}.items():
        values = [each[name] for each in done.values() if each[name] is not None]
        found[name] = worst(values) if values and len(values) == len(done) else None
    return {**found, "verified": bool(done) and not any(each["wrong"] for each in done.values())}


def _measure(bench: Bench, place: Place, seeded: dict[str, Any], *, timers: int, window_s: int) -> dict[str, Any]:
    stalling = (sys.executable, "-m", "bench.part", "bench.latency", "stalling_worker", "{}")
    worker = {"worker": stalling} if bench.options.self_test else {}
    with Installation(place, **worker) as installation:
        listener = listen(place, installation.port, seeded["stream_token"])
        try:
            before = installation.cpu_s()
            posted = _post(place, installation.port, seeded)
            time.sleep(QUIET_S)
            cpu_s = {part: round(used - before[part], 2) for part, used in installation.cpu_s().items()}
            due = {int(case): at for case, at in bench.part(place, "bench.latency", "let_pass", count=timers, lead_s=LEAD_S, window_s=window_s)["due"].items()}
            time.sleep(max(0.0, min(due.values()) + window_s / 2 - time.time()))
            killed = time.time()
            installation.kill(WORKER)
            installation.start(WORKER)
            time.sleep(max(0.0, max(due.values()) - time.time()) + QUIET_S)
        finally:
            listener.send_signal(signal.SIGTERM)
            listener.wait()
    heard = [json.loads(line) for line in _heard(place).read_text().splitlines()]
    kept = bench.part(place, "bench.latency", "count", cases=sorted(due))
    told = _pushes(heard, posted, seeded["persons"])
    rang = _timers(heard, due, killed)
    return {**told.pop("figures"), **rang.pop("figures"), "cpu_s": cpu_s, "wrong": _wrong(told, rang, kept, posted, due), "settings": kept["settings"]}


def _heard(place: Place) -> Path:
    return place.folder / "heard.jsonl"


def listen(place: Place, port: int, token: str) -> subprocess.Popen[bytes]:
    """Start the independent client of the stream; it writes heard.jsonl in the place's folder. Raises TimeoutError."""
    client = subprocess.Popen([sys.executable, "-m", "bench.listening", str(port), str(_heard(place))], cwd=ROOT, stdin=subprocess.PIPE)
    assert client.stdin
    client.stdin.write(f"{token}\n".encode())
    client.stdin.close()
    until = time.monotonic() + 30
    while not (_heard(place).exists() and '"status": 200' in _heard(place).read_text()):
        if time.monotonic() > until:
            client.kill()
            raise TimeoutError("the stream did not answer the listener with 200")
        time.sleep(0.1)
    return client


def _post(place: Place, port: int, seeded: dict[str, Any]) -> list[dict[str, float]]:
    bodies = [
        {
            "kind": "WATER_LOW_USE", "subject_kind": "area", "subject_id": grid, "severity": 3, "reason": "WATER_LOW_USE_OPEN",
            "params": {"window_h": 24, "used_l": 3, "limit_l": 10},
        }
        for grid in seeded["grids"]
    ]
    (place.folder / "bodies.jsonl").write_text("\n".join(json.dumps({"alerts": [body]}) for body in bodies))
    command = [sys.executable, "-m", "bench.posting", str(port), str(place.folder / "bodies.jsonl"), str(place.folder / "posted.json"), str(RATE_PER_S)]
    subprocess.run(command, cwd=ROOT, input=f"{seeded['alerts_token']}\n".encode(), check=True, timeout=60 + 3 * len(bodies) / RATE_PER_S)
    posted: list[dict[str, float]] = json.loads((place.folder / "posted.json").read_text())
    return posted


def _pushes(heard: Heard, posted: Sequence[Mapping[str, float]], persons: Sequence[int]) -> dict[str, Any]:
    """Match each alert with the push that its duty person's inbox got; the person is known from the seeding, not from the answer."""
    offered = [each for each in heard if each.get("data", {}).get("topic") == "push" and each["data"]["template"] == "TASK_OFFERED"]
    at = {each["data"]["person"]: each["at"] for each in reversed(offered)}
    pairs = [(each, at[person]) for each, person in zip(posted, persons, strict=True) if person in at]
    return {
        "offered": Counter(each["data"]["person"] for each in offered), "ids": Counter(each["id"] for each in heard if "id" in each and each["data"]["topic"] != "beat"),
        "connections": [each for each in heard if "status" in each], "persons": persons,
        "figures": {
            "pushes": len(pairs), **_quantiles("", [seen - each["due"] for each, seen in pairs]),
            **_quantiles("acked_", [seen - each["acked"] for each, seen in pairs]),
            "post_p99_s": quantile([each["acked"] - each["due"] for each in posted], 0.99),
            "began_late_max_s": round(max(each["began"] - each["due"] for each in posted), 3),
        },
    }


def _timers(heard: Heard, due: Mapping[int, float], killed: float) -> dict[str, Any]:
    rang = [each for each in heard if each.get("data", {}).get("kind") == "case.escalated" and each["data"]["id"] in due]
    at = {each["data"]["id"]: each["at"] for each in reversed(rang)}
    late = [at[case] - moment for case, moment in due.items() if case in at]
    again = min((at[case] for case, moment in due.items() if case in at and moment >= killed), default=None)
    return {
        "rang": Counter(each["data"]["id"] for each in rang),
        "figures": {
            "timers_fired": len(late), "timer_p50_s": quantile(late, 0.5), "timer_p99_s": quantile(late, 0.99),
            "timer_max_s": quantile(late, 1.0), "restart_s": round(again - killed, 2) if again else None,
            "timers_late_by_restart": sum(each > 1.0 for each in late),
        },
    }


def _quantiles(prefix: str, values: list[float]) -> dict[str, float | None]:
    return {f"{prefix}p50_s": quantile(values, 0.5), f"{prefix}p99_s": quantile(values, 0.99), f"{prefix}max_s": quantile(values, 1.0)}


def quantile(values: list[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of all do not pass."""
    return round(sorted(values)[max(0, math.ceil(share * len(values)) - 1)], 3) if values else None


def _wrong(
    told: Mapping[str, Any], rang: Mapping[str, Any], kept: Mapping[str, Any], posted: Sequence[Mapping[str, float]], due: Mapping[int, float],
) -> dict[str, str]:
    """Return what differs between what was posted, what the client heard and what stands in the database."""
    once = Counter(told["persons"])
    compared: dict[str, tuple[Any, Any]] = {
        "answers": (Counter(each["status"] for each in posted), Counter({200: len(posted)})),
        "duty persons": (max(once.values()), 1),
        "heard by person": (told["offered"], once), "inboxes by person": (Counter({int(p): n for p, n in kept["offered"].items()}), once),
        "heard twice": ([item for item, times in told["ids"].items() if times > 1][:3], []),
        "connections": ([(each["status"], each["resumed"]) for each in told["connections"]], [(200, "")]),
        "escalations heard": (rang["rang"], Counter(dict.fromkeys(due, 1))),
        "escalations kept": (Counter({int(case): n for case, n in kept["escalated"].items()}), Counter(dict.fromkeys(due, 1))),
        "open tasks without their one timer": (kept["untimed"], 0),
    }
    return {name: str({"found": one, "expected": two})[:300] for name, (one, two) in compared.items() if one != two}


def seed(*, grids: int) -> dict[str, Any]:
    """Put grids under the townships' villages, a grid worker on each who has no other duty, and issue two tokens."""
    from datetime import UTC, datetime

    from bench import world
    from shouwang.people.actions import issue_credential
    from shouwang.places.models import Area
    from shouwang.systems.living_alone.actions import publish_shipped

    world.seed()
    publish_shipped(now=datetime.now(UTC))
    made = add_grids(grids)
    persons = _add_grid_workers(made)
    root = [Area.objects.get(level="PREFECTURE").path]

    def token(subject: str, *rights: str) -> str:
        return issue_credential("INTEGRATION", subject=subject, paths=root, rights=rights, now=datetime.now(UTC))

    return {
        "grids": made, "persons": persons, "alerts_token": token("bench-alerts", "alerts.write"),
        "stream_token": token("bench-stream", "stream.read", "push.read"),
    }


def add_grids(count: int) -> list[int]:
    """Put grids under the townships' villages and return them."""
    from django.db import transaction

    from bench import world
    from shouwang.journal.put import put, reserve_ids
    from shouwang.places.models import Area

    below = tuple(path for _, path in world.townships())
    villages = [row for row in Area.objects.filter(level="VILLAGE").order_by("id").values_list("id", "path") if row[1].startswith(below)]
    columns = ("id", "parent_id", "level", "name", "official_name", "spelling", "code", "path", "point_is_schematic", "outline", "outline_is_schematic")
    with transaction.atomic():
        ids = list(reserve_ids(Area, count))
        put(Area, columns, [
            (grid, village, "GRID", f"网格{n}", "", "", "", f"{path}{grid}/", False, "", False)
            for n, (grid, (village, path)) in enumerate(zip(ids, (villages[n % len(villages)] for n in range(count)), strict=True))
        ])
    return ids


def _add_grid_workers(grids: Sequence[int]) -> list[int]:
    from datetime import UTC, datetime, timedelta

    from shouwang.kernel.moments import local
    from shouwang.people.actions import NewDuty, NewPerson, add_persons, assign_duties
    from shouwang.people.rules import SYSTEM

    now = datetime.now(UTC)
    since = local(now).date() - timedelta(days=9)
    persons: list[int] = []
    for at in range(0, len(grids), 500):
        some = grids[at : at + 500]
        added = add_persons(SYSTEM, [NewPerson(f"网格员{at + n}", grid) for n, grid in enumerate(some)], now=now)
        assign_duties(SYSTEM, [NewDuty(person, "GRID_WORKER", grid, since) for person, grid in zip(added, some, strict=True)], now=now)
        persons += added
    return persons


def let_pass(*, count: int, lead_s: float, window_s: int) -> dict[str, Any]:
    """Let the acceptance limits of `count` open tasks pass, evenly over a window that begins soon; return when, by case."""
    from datetime import UTC, datetime, timedelta

    from django.db import transaction

    from shouwang.cases.models import Task
    from shouwang.journal.actions import set_timers
    from shouwang.journal.rules import NewTimer

    tasks = list(Task.objects.filter(state="OFFERED").order_by("id").values_list("id", "case_id")[:count])
    start = datetime.now(UTC) + timedelta(seconds=lead_s)
    due = [start + timedelta(seconds=n * window_s / len(tasks)) for n in range(len(tasks))]
    with transaction.atomic():
        for (task, _), at in zip(tasks, due, strict=True):
            Task.objects.filter(pk=task).update(due_at=at)
        set_timers([NewTimer("task", task, at) for (task, _), at in zip(tasks, due, strict=True)])
    return {"due": {case: at.timestamp() for (_, case), at in zip(tasks, due, strict=True)}}


def count(*, cases: Sequence[int]) -> dict[str, Any]:
    """Count in plain SQL what each inbox got and what became of the timers; check the log."""
    from django.db import connection

    from bench.world import database_settings
    from shouwang.journal.queries import verify

    verify()
    escalated: Counter[int] = Counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id, count(*) FROM notify_message WHERE template = 'TASK_OFFERED' AND push_seq IS NOT NULL AND done_at IS NOT NULL GROUP BY person_id")
        offered = dict(cursor.fetchall())
        cursor.execute("SELECT subject_id, count(*) FROM journal_event WHERE kind = 'case.escalated' GROUP BY subject_id")
        escalated.update(dict(cursor.fetchall()))
        cursor.execute(
            "SELECT count(*) FROM cases_task t WHERE t.state IN ('CONFIRM', 'OFFERED', 'ACCEPTED', 'ARRIVED', 'SUSPENDED') AND 1 <> "
            "(SELECT count(*) FROM journal_timer j WHERE j.kind = 'task' AND j.subject_id = t.id AND j.due_at = t.due_at)",
        )
        untimed = cursor.fetchone()[0]
    return {"offered": offered, "escalated": {case: escalated[case] for case in cases}, "untimed": untimed, "settings": database_settings()}


def stalling_worker() -> dict[str, Any]:
    """The self-test: the worker sleeps before each pass, as one that polls."""
    from shouwang.config import wiring

    work_once = wiring.work_once

    def late(*arguments: Any, **named: Any) -> Any:
        time.sleep(STALL_S)
        return work_once(*arguments, **named)

    wiring.work_once = late
    wiring.run_worker()
    return {}
