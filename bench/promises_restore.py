"""Restored under load: `shouwang backup` while writers never pause, `shouwang restore` into a new place, every row compared.

The reference is independent of the backup: triggers of this bench note every change of every table with its transaction.
What was restored must be the sum of whole transactions, none missing before another in the log, none missing that was
acknowledged before the backup began.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.harness import ROOT, Bench, Place
from bench.promises_audit import tagged

ROLES = ("readings", "alerts", "cases", "people", "content", "worker")
METERS = 500
LOAD_LIMIT_S = 900
STARTED_S = 120
Acknowledged = list[tuple[float, str, Any]]


def restored(bench: Bench, kind: str) -> dict[str, Any]:
    """Return what came of the backups of one database: `equal`, and what differed or was missing."""
    times = bench.options.number("backups", 3, quick=1)
    place = bench.place(kind)
    token = bench.part(place, "bench.promises_restore", "world")["token"]
    bench.part(place, "bench.promises_audit", "begin")
    writers = [
        bench.start(place, "bench.promises_restore", "load", role=role, token=token, seed=bench.seed + n)
        for n, role in enumerate(ROLES)
    ]
    _wait_for_all(place)
    made = []
    for n in range(times):
        time.sleep(bench.options.number("before_s", 10, quick=4))
        made.append(_back_up(bench, place, n))
    (place.folder / "stop").touch()
    for writer in writers:
        bench.answer(writer)
    written = _lines(bench.part(place, "bench.promises_audit", "changes")["file"])
    acknowledged = _acknowledged(place)
    found = [_compare(bench, kind, place, *each, written, acknowledged) for each in made]
    return {"equal": all(each["equal"] for each in found), "backups": found, "changes": len(written), "acknowledged": len(acknowledged)}


def _wait_for_all(place: Place) -> None:
    """Wait until every writer has had something acknowledged."""
    until = time.monotonic() + STARTED_S
    while not all((path := place.folder / f"acknowledged-{role}").exists() and path.stat().st_size for role in ROLES[:-1]):
        if time.monotonic() > until:
            raise TimeoutError("a writer had nothing acknowledged")
        time.sleep(0.1)


def _back_up(bench: Bench, place: Place, n: int) -> tuple[Path, float, float]:
    file = bench.folder / f"{place.kind}-{n}.backup"
    begin = time.monotonic()
    if bench.options.self_test:
        bench.part(place, "bench.promises_restore", "broken_backup", file=str(file))
    else:
        _command(place, "backup", file)
    return file, begin, time.monotonic()


def _command(place: Place, *words: object) -> None:
    command = [sys.executable, "-m", "shouwang.cli.main", *map(str, words)]
    subprocess.run(command, cwd=ROOT, env=place.environment, stdout=sys.stderr, check=True, timeout=600)


def _compare(
    bench: Bench, kind: str, source: Place, file: Path, begin: float, end: float, written: list[list[Any]],
    acknowledged: Acknowledged,
) -> dict[str, Any]:
    target = bench.place(kind)
    bench.part(target, "bench.promises_audit", "receive")
    wrong = []
    try:
        _command(target, "restore", file)
        _command(target, "verify-log")
    except subprocess.CalledProcessError as error:
        return {"equal": False, "wrong": [f"{error.cmd[3]} ended with {error.returncode}"]}
    changes = _lines(bench.part(target, "bench.promises_audit", "changes")["file"])
    rows = _lines(bench.part(target, "bench.promises_audit", "rows")["file"])
    before = [[kind, value] for at, kind, value in acknowledged if at < begin]
    kept = target.folder / "before.json"
    kept.write_text(json.dumps(before), "utf-8")
    missing = bench.part(target, "bench.promises_restore", "missing", file=str(kept))["missing"]
    during = sum(begin <= at < end for at, _, _ in acknowledged)
    wrong += _whole_transactions(written, changes)
    wrong += _differing(_sum(written, {change[1] for change in changes}), rows)
    wrong += _contents(source, target)
    if missing:
        wrong.append(f"{len(missing)} acknowledged are missing: {missing[:3]}")
    if not during:
        wrong.append("nothing was written while the backup ran")
    bench.note(f"{kind}: {len(rows)} rows restored, {len(before)} acknowledged before, {during} during: {wrong or 'equal'}")
    return {
        "equal": not wrong, "wrong": wrong[:5], "rows": len(rows), "transactions": len({change[1] for change in changes}),
        "acknowledged_before": len(before), "acknowledged_during": during, "seconds": round(end - begin, 2),
    }


def _whole_transactions(written: list[list[Any]], restored_changes: list[list[Any]]) -> list[str]:
    """Return what is wrong: a transaction that came in part, or one that stands before another in the log and is missing."""
    wrong = []
    known = {change[1] for change in restored_changes}
    if [change for change in written if change[1] in known] != restored_changes:
        wrong.append("a transaction was restored in part")
    for log in ("journal_event", "telemetry_ingest_batch"):
        numbers = [(int(change[4]), change[1] in known) for change in written if change[2] == log and change[3] == "I"]
        there = [inside for _, inside in sorted(numbers)]
        if there != sorted(there, reverse=True):
            wrong.append(f"{log} has a hole")
    return wrong


def _sum(written: list[list[Any]], transactions: set[str]) -> dict[tuple[str, str], str]:
    """Return the rows that the changes of some transactions add up to, by table and key."""
    rows: dict[tuple[str, str], str] = {}
    for _, transaction, table, what, key, row in written:
        if transaction in transactions:
            if what == "D":
                rows.pop((table, key), None)
            else:
                rows[table, key] = row
    return rows


def _differing(expected: dict[tuple[str, str], str], rows: list[list[Any]]) -> list[str]:
    """Return the tables whose content has another hash than expected."""
    found = {(table, key): row for table, key, row in rows}
    one, two = _hashes(expected), _hashes(found)
    return [
        f"{table}: {sum(name == table for name, _ in found)} rows, expected {sum(name == table for name, _ in expected)}, or other content"
        for table in sorted(one.keys() | two.keys())
        if one.get(table) != two.get(table)
    ]


def _hashes(rows: dict[tuple[str, str], str]) -> dict[str, str]:
    hashes: dict[str, Any] = defaultdict(hashlib.sha256)
    for table, key in sorted(rows):
        hashes[table].update(json.dumps([key, rows[table, key]]).encode())
    return {table: each.hexdigest() for table, each in hashes.items()}


def _contents(source: Place, target: Place) -> list[str]:
    """Return what is wrong with the restored content of files: its name is its hash, and the source has the same."""
    wrong = []
    for path in (path for path in (target.folder / "files").rglob("*") if path.is_file()):
        content = path.read_bytes()
        same = (source.folder / "files" / path.relative_to(target.folder / "files")).read_bytes() == content
        if hashlib.sha256(content).hexdigest() != path.name or not same:
            wrong.append(f"content {path.name}")
    return wrong


def _lines(file: str) -> list[list[Any]]:
    with Path(file).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _acknowledged(place: Place) -> Acknowledged:
    return [(at, kind, value) for path in sorted(place.folder.glob("acknowledged-*")) for at, kind, value in _lines(str(path))]


def broken_backup(*, file: str) -> dict[str, Any]:
    """Make the self-test's broken backup, whose tables are of different moments."""
    from django.db import connection

    from shouwang.cli.backup import back_up, sqlite

    def instead(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return execute("SELECT 1" if "REPEATABLE READ" in sql else sql, params, many, context)

    opened, live = sqlite._open, str(connection.settings_dict["NAME"])

    def later(name: str) -> Any:
        if name != live:
            return opened(name)
        with opened(name) as source, opened(file + ".late") as copy:
            source.backup(copy)
            time.sleep(2)
            copy.execute("ATTACH ? AS live", [name])
            for word in ("insert", "update", "delete"):
                copy.execute(f"DROP TRIGGER bench_{word}_alerts_alert")
            copy.execute("DELETE FROM main.alerts_alert")
            copy.execute("INSERT INTO main.alerts_alert SELECT * FROM live.alerts_alert")
            copy.execute("DETACH live")
        return copy

    sqlite._open = later
    with connection.execute_wrapper(instead):
        back_up(Path(file), now=datetime.now(UTC))
    return {}


def world() -> dict[str, Any]:
    """Seed Liaocheng, meters and the procedure of the load; return the token that its readings come with."""
    from bench import world as base
    from shouwang.people.actions import issue_credential
    from shouwang.places.models import Area
    from shouwang.telemetry.actions import add_things
    from shouwang.telemetry.rules import NewThing

    base.seed()
    base.publish_storm()
    root = Area.objects.get(level="PREFECTURE")
    now = datetime.now(UTC)
    add_things([
        NewThing(f"M{n}", "WATER_METER", f"M{n}", (("register_l", "L"),), root.id, root.path, None) for n in range(METERS)
    ], now=now)
    return {"token": issue_credential("INTEGRATION", subject="bench", paths=[root.path], now=now)}


def load(*, role: str, token: str, seed: int) -> dict[str, Any]:
    """Write without a pause until told to stop, noting what was acknowledged, and when."""
    from django.conf import settings

    from bench.world import register

    tagged()
    register()
    folder = Path(settings.SHOUWANG_DATA_DIR)
    until = time.monotonic() + LOAD_LIMIT_S

    def stop() -> bool:
        return (folder / "stop").exists() or time.monotonic() > until

    if role == "worker":
        from shouwang.config.wiring import run_worker

        run_worker(stop)
        return {}
    done = {"readings": _readings, "alerts": _alerts, "cases": _cases, "people": _people, "content": _content}[role]
    with (folder / f"acknowledged-{role}").open("w", encoding="utf-8", buffering=1) as out:
        for value in done(random.Random(seed), token):
            out.write(json.dumps([time.monotonic(), role, value]) + "\n")
            if stop():
                break
    return {}


def _readings(chance: random.Random, token: str) -> Iterator[int]:
    """Post readings of every meter again and again; yields the moment of each batch."""
    import msgspec

    from shouwang.people.queries import scope_of_token
    from shouwang.telemetry.sources.http import receive

    base = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(10_000_000):
        now = datetime.now(UTC)
        at = base + timedelta(seconds=n)
        body = msgspec.json.encode({"readings": [
            {"device": f"M{m}", "datastream": "register_l", "phenomenon_time": at, "result": chance.randrange(10**6)} for m in range(METERS)
        ]})
        answer = receive(body, scope_of_token(token, "INTEGRATION", now), now=now)
        if answer.status != 200:
            raise RuntimeError(answer.body)
        yield int(at.timestamp()) * 1_000_000


def _alerts(chance: random.Random, token: str) -> Iterator[list[int]]:
    """Open alerts with their cases, tasks, timers and messages; yields their ids."""
    from bench.world import KIND, SUBJECT
    from shouwang.alerts.actions import take_findings
    from shouwang.alerts.rules import FoundFinding

    del token
    for n in range(10_000_000):
        findings = [
            FoundFinding(KIND, SUBJECT, subject, 1, "OPEN", chance.randint(1, 4), 1, "BENCH", {}) for subject in range(n * 20, n * 20 + 20)
        ]
        yield take_findings(findings, now=datetime.now(UTC))


def _cases(chance: random.Random, token: str) -> Iterator[list[Any]]:
    """Accept, arrive at and complete tasks as those to whom they are offered; yields the task and how far it came."""
    from shouwang.cases import actions
    from shouwang.cases.models import Task

    del token
    last = 0
    for _ in range(10_000_000):
        found = Task.objects.filter(pk__gt=last, state="OFFERED", assignee_id__isnull=False).order_by("pk").values_list("pk", "assignee_id").first()
        if found is None:
            time.sleep(0.01)
            continue
        last, person = found
        actions.accept(last, person_id=person, now=datetime.now(UTC))
        yield [last, "accepted_at"]
        if chance.random() < 0.6:
            actions.arrive(last, person_id=person, now=datetime.now(UTC))
            yield [last, "arrived_at"]
            actions.complete(last, person_id=person, result="WELL", now=datetime.now(UTC))
            yield [last, "ended_at"]


def _people(chance: random.Random, token: str) -> Iterator[list[int]]:
    """Add invented persons; yields their ids."""
    from bench.world import townships
    from shouwang.people.actions import NewPerson, add_persons
    from shouwang.people.rules import SYSTEM

    del token
    places = townships()
    for n in range(10_000_000):
        area = chance.choice(places)[0]
        yield add_persons(SYSTEM, [NewPerson(f"住户{n}甲{k}", area) for k in range(5)], now=datetime.now(UTC))


def _content(chance: random.Random, token: str) -> Iterator[str]:
    """Store content; yields its hash."""
    from shouwang.files.actions import store

    del token
    for _ in range(10_000_000):
        yield store(chance.randbytes(chance.randint(1, 40_000)), limit_bytes=100_000, now=datetime.now(UTC)).sha256
        time.sleep(0.02)


def missing(*, file: str) -> dict[str, Any]:
    """Return what of the acknowledged is not in this database or its folder."""
    from django.conf import settings
    from django.db import connection

    sought: dict[str, list[Any]] = defaultdict(list)
    for kind, value in json.loads(Path(file).read_text("utf-8")):
        sought[kind].append(value)

    def every(sql: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    full = {at for at, number in every("SELECT at, count(*) FROM telemetry_observation GROUP BY at") if number == METERS}
    alerts = {row[0] for row in every("SELECT id FROM alerts_alert")}
    persons = {row[0] for row in every("SELECT id FROM people_person")}
    hashes = {row[0] for row in every("SELECT sha256 FROM files_file")}
    tasks = {
        (row[0], name)
        for row in every("SELECT id, accepted_at, arrived_at, ended_at FROM cases_task")
        for name, at in zip(("accepted_at", "arrived_at", "ended_at"), row[1:], strict=True)
        if at is not None
    }
    folder = Path(settings.SHOUWANG_DATA_DIR) / "files"
    gone: list[Any] = [["readings", at] for at in sought["readings"] if at not in full]
    gone += [["alerts", ids] for ids in sought["alerts"] if not alerts.issuperset(ids)]
    gone += [["people", ids] for ids in sought["people"] if not persons.issuperset(ids)]
    gone += [["cases", step] for step in sought["cases"] if tuple(step) not in tasks]
    gone += [["content", name] for name in sought["content"] if name not in hashes or not (folder / name[:2] / name[2:4] / name).is_file()]
    return {"missing": gone}
