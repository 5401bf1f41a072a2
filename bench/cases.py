"""`cases`: a case of 13 steps, five departments at once in the middle, through the action that the page calls.

Each step is one commit with its task, timer, message and events. The peer keeps the same case as BPMN and saves its
serialised state in SQLite at each human step, at the same durability. Pairs are interleaved.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from bench.harness import POSTGRES, SQLITE, Bench, median

PAIRS = 5
CODE = "bench_13"
BEFORE = ("register", "review", "assign")
DEPARTMENTS = ("civil", "deputy", "township", "city", "county")
AFTER = ("join", "report", "approve", "answer", "archive")
STEPS = (*BEFORE, *DEPARTMENTS, *AFTER)
PEERS: dict[str, dict[str, bool]] = {
    "peer": {}, "peer_spec_apart": {"spec_apart": True}, "peer_in_memory": {"restored": False},
}
EVENTS_PER_CASE = 1 + len(STEPS) + 2
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "ratio >= 3": lambda found: (found.get("ratio") or 0) >= 3,
    "bytes_per_case <= 6500": lambda found: 0 < (found.get("bytes_per_case") or 0) <= 6_500,
}


def run(bench: Bench) -> dict[str, Any]:
    """Measure our cases and the peer's in turn."""
    count = bench.options.number("cases", 200, quick=20)
    pairs = bench.options.number("pairs", PAIRS, quick=2)
    bench.n = {"cases_per_round": count, "rounds": pairs, "steps": len(STEPS)}
    found: dict[str, Any] = {"settings": {}, "cases_per_s": {}, "cpu_s_per_case": {}}
    kinds = bench.databases()
    places = {kind: bench.place(kind) for kind in kinds}
    for kind, place in places.items():
        found["settings"][kind] = bench.part(place, "bench.cases", "prepare")
        bench.note(f"{kind} is ready")
    rounds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in (*kinds, *PEERS)}
    peer_place = next(iter(places.values()))
    with_peer = _has_peer(bench)
    for n in range(pairs):
        for kind, place in places.items():
            break_at = count // 2 if bench.options.self_test and n == 0 else -1
            rounds[kind].append(bench.part(place, "bench.cases", "walk", count=count, lose_message_at=break_at))
        if with_peer:
            for name, way in PEERS.items():
                rounds[name].append(bench.part(peer_place, "bench.spiff", "walk", count=count, **way))
        bench.note(f"pair {n + 1}: " + ", ".join(f"{kind} {done[-1]['per_s']:.1f}/s" for kind, done in rounds.items() if done))
    checks = {kind: bench.part(place, "bench.cases", "check", cases=count * pairs) for kind, place in places.items()}
    for kind in (SQLITE, POSTGRES):
        found["cases_per_s"][kind] = median([done["per_s"] for done in rounds.get(kind, [])])
        found["cpu_s_per_case"][kind] = median([done["cpu_s"] / count for done in rounds.get(kind, [])], 5)
    _compare(rounds, found)
    found["bytes_per_case"] = round(checks[SQLITE]["bytes"] / (count * pairs)) if SQLITE in checks else None
    found["bytes_by_table"] = checks[SQLITE]["by_table"] if SQLITE in checks else None
    found["checks"] = {kind: check["wrong"] for kind, check in checks.items()}
    peers = [done["correct"] for name in PEERS for done in rounds[name]]
    found["verified"] = bool(checks) and all(not check["wrong"] for check in checks.values()) and all(peers)
    return found


def _compare(rounds: dict[str, list[dict[str, Any]]], found: dict[str, Any]) -> None:
    """Divide pair by pair: `ratio` against the peer that reads its state back at each step, as our action does; the others beside."""
    found |= {"peer_cases_per_s": None, "peer_bytes_per_save": None, "ratio_pairs": None}
    found |= {"ratio" + name.removeprefix("peer"): None for name in PEERS}
    if not rounds["peer"]:
        return
    found["peer_cases_per_s"] = {name: median([done["per_s"] for done in rounds[name]]) for name in PEERS}
    found["peer_bytes_per_save"] = {name: rounds[name][-1]["bytes"] for name in PEERS}
    if rounds.get(SQLITE):
        for name in PEERS:
            ratios = [ours["per_s"] / theirs["per_s"] for ours, theirs in zip(rounds[SQLITE], rounds[name], strict=True)]
            found["ratio" + name.removeprefix("peer")] = median(ratios, 2)
            if name == "peer":
                found["ratio_pairs"] = [round(ratio, 2) for ratio in ratios]


def _has_peer(bench: Bench) -> bool:
    try:
        from importlib.metadata import version

        bench.peer["SpiffWorkflow"] = {
            "version": version("SpiffWorkflow"), "bpmn": "bench/thirteen.bpmn", "saved": "SQLite, WAL, synchronous FULL, one row a case, at each human step",
        }
    except ImportError:
        bench.skipped.append("SpiffWorkflow")
        return False
    return True


def prepare() -> dict[str, Any]:
    """Seed the world and the procedure, and walk one case slowly against an independent reference of the graph."""
    from django.db import connection

    from bench import world

    settings = world.seed()
    _publish()
    _walk_slowly()
    if connection.vendor == "sqlite":
        _checkpoint()
        _note_bytes()
    return settings


def _publish() -> None:
    from shouwang.cases.actions import publish_procedure
    from shouwang.cases.rules.procedures import CaseLimit, Limit, Phrase, Procedure, Result, Rung, Step

    who = {
        "civil": Rung("CIVIL_AFFAIRS", "COUNTY", 60), "deputy": Rung("CIVIL_AFFAIRS", "COUNTY", 60, "DEPUTY"),
        "township": Rung("CIVIL_AFFAIRS", "TOWNSHIP", 60), "city": Rung("CIVIL_AFFAIRS", "PREFECTURE", 60),
        "county": Rung("COUNTY_DUTY", "COUNTY", 60, "DEPUTY"),
    }
    after: dict[str, tuple[str, ...]] = {}
    for one, two in ((BEFORE[0], BEFORE[1]), (BEFORE[1], BEFORE[2]), *zip(AFTER, AFTER[1:], strict=False)):
        after[two] = (one,)
    after |= dict.fromkeys(DEPARTMENTS, (BEFORE[-1],))
    after[AFTER[0]] = DEPARTMENTS
    done = (Result("DONE", Phrase("办结", "Done")),)
    steps = tuple(
        Step(
            code, Phrase(code, code), (who.get(code, Rung("TOWNSHIP_DUTY", "TOWNSHIP", 60)), Rung("CITY_DUTY", "PREFECTURE", 60)),
            done, Limit(240), after.get(code, ()),
        )
        for code in STEPS
    )
    procedure = Procedure(CODE, Phrase("联合处置", "Joint handling"), steps, (CaseLimit("promised", "PROMISED", Limit(10, "WORKING_DAYS")),))
    publish_procedure(procedure, shipped=True, now=datetime.now(UTC))


def _open(n: int, places: list[tuple[int, str]]) -> int:
    from shouwang.cases.actions import NewCase, open_case

    area_id, path = places[n % len(places)]
    new = NewCase(CODE, "bench", 2, area_id, path, "area", area_id, "BENCH", {"n": n})
    return open_case(new, now=datetime.now(UTC))


_READY = "SELECT id, assignee_id FROM cases_task WHERE case_id = %s AND state = 'OFFERED'"


def _ready(case_id: int) -> list[tuple[int, int]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_READY, [case_id])
        return cursor.fetchall()


def _walk_slowly() -> None:
    """Complete one case; after each step the open tasks, timers and messages must be what the graph says."""
    from bench import world
    from shouwang.cases.actions import complete
    from shouwang.cases.models import Case, Task
    from shouwang.journal.queries import timers_of
    from shouwang.notify.queries import messages_of_tasks

    case_id = _open(0, world.townships())
    ended: set[str] = set()
    while len(ended) < len(STEPS):
        if not set(BEFORE) <= ended:
            expected = {next(code for code in BEFORE if code not in ended)}
        elif not set(DEPARTMENTS) <= ended:
            expected = set(DEPARTMENTS) - ended
        else:
            expected = {next(code for code in AFTER if code not in ended)}
        tasks = list(Task.objects.filter(case_id=case_id, state="OFFERED"))
        ids = [task.pk for task in tasks]
        if {task.step for task in tasks} != expected or sorted(timers_of("task", ids)) != sorted(ids):
            raise ValueError(f"after {sorted(ended)}: open {[task.step for task in tasks]}, expected {sorted(expected)}")
        if sorted(sent.person_id for sent in messages_of_tasks(ids)) != sorted(task.assignee_id or 0 for task in tasks):
            raise ValueError(f"after {sorted(ended)}: messages do not match the assignees")
        complete(tasks[-1].pk, person_id=tasks[-1].assignee_id or 0, result="DONE", now=datetime.now(UTC))
        ended.add(tasks[-1].step)
    if Case.objects.get(pk=case_id).state != "CLOSED":
        raise ValueError("the case did not close")


def walk(*, count: int, lose_message_at: int = -1) -> dict[str, Any]:
    """Walk `count` cases through all steps, each step as its assignee, each in its own commit."""
    from bench import world
    from shouwang.cases.actions import changes, complete

    places = world.townships()
    _open_and_close(places, complete, 0)
    queue, calls = changes.queue, 0

    def losing(messages: Any, *, now: datetime) -> None:
        nonlocal calls
        calls += 1
        queue([] if calls == lose_message_at + 1 else messages, now=now)

    with patch.object(changes, "queue", losing if lose_message_at >= 0 else queue):
        start, cpu = time.perf_counter(), time.process_time()
        for n in range(count - 1):
            _open_and_close(places, complete, n)
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    return {"per_s": (count - 1) / seconds, "cpu_s": cpu_s}


def _open_and_close(places: list[tuple[int, str]], complete: Callable[..., None], n: int) -> None:
    case_id = _open(n, places)
    while tasks := _ready(case_id):
        for task_id, person in tasks:
            complete(task_id, person_id=person, result="DONE", now=datetime.now(UTC))


def check(*, cases: int) -> dict[str, Any]:
    """Deliver what was queued, count everything, verify the chain, and measure the files."""
    from django.db import connection

    from shouwang.cases.models import Case, Clock, Task
    from shouwang.config.wiring import work_once
    from shouwang.journal.actions import take_lease
    from shouwang.journal.models import EventRow
    from shouwang.journal.queries import next_timer_at, verify
    from shouwang.notify.models import Message
    from shouwang.notify.queries import alive_count

    owner = f"bench-{os.getpid()}"
    later = datetime.now(UTC) + timedelta(minutes=2)
    for _ in range(20):
        lease = take_lease("worker", owner, now=datetime.now(UTC), ttl=timedelta(seconds=60))
        if lease is None or not (work_once(lease, now=later) or alive_count()):
            break
        later += timedelta(minutes=2)
    total = cases + 1
    expected = {
        "closed": (Case.objects.filter(state="CLOSED").count(), total), "cases": (Case.objects.count(), total),
        "tasks done": (Task.objects.filter(state="DONE").count(), total * len(STEPS)),
        "clocks stopped": (Clock.objects.filter(running_since__isnull=True, due_at__isnull=True).count(), total),
        "timers left": (int(next_timer_at() is not None), 0), "messages": (Message.objects.count(), total * len(STEPS)),
        "messages not delivered": (alive_count(), 0),
        "events": (EventRow.objects.filter(kind__startswith="case.", subject_id__isnull=False).count(), total * EVENTS_PER_CASE),
        "log verified": (verify(), EventRow.objects.count()),
    }
    wrong = {name: {"found": one, "expected": two} for name, (one, two) in expected.items() if one != two}
    if connection.vendor != "sqlite":
        return {"wrong": wrong}
    _checkpoint()
    grown, by_table = _grown()
    return {"wrong": wrong, "bytes": grown, "by_table": {name: round(size / cases) for name, size in by_table.items() if size > 0}}


def _checkpoint() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _sizes() -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name")
        return dict(cursor.fetchall())


def _data_bytes() -> int:
    from django.conf import settings

    return sum(path.stat().st_size for path in settings.SHOUWANG_DATA_DIR.glob("shouwang.sqlite3*"))


def _before() -> Any:
    from django.conf import settings

    return settings.SHOUWANG_DATA_DIR / "bench-before.json"


def _note_bytes() -> None:
    import json

    try:
        tables = _sizes()
    except Exception:  # noqa: BLE001 - SQLite may be built without dbstat
        tables = {}
    _before().write_text(json.dumps({"bytes": _data_bytes(), "tables": tables}))


def _grown() -> tuple[int, dict[str, int]]:
    import json

    before = json.loads(_before().read_text())
    now = _sizes() if before["tables"] else {}
    return _data_bytes() - before["bytes"], {name: size - before["tables"].get(name, 0) for name, size in now.items()}
