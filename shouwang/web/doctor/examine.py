"""Looks at the machine and the installation; what needs the database is left out while it is away."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from shouwang.journal.clock import clock
from shouwang.journal.resealing import closed_columns
from shouwang.journal.sealed import key_file
from shouwang.kernel.clock import ScaledClock
from shouwang.kernel.moments import local
from shouwang.kernel.sealing import KeysInvalid
from shouwang.notify import queries, registry
from shouwang.people.queries import nobody_yet
from shouwang.places import queries as places
from shouwang.telemetry.sources import problems_of_settings
from shouwang.ui.assets import missing
from shouwang.web.doctor.checks import (
    ERROR,
    Check,
    accounts_check,
    assets_check,
    calendar_check,
    channel_checks,
    clock_checks,
    database_check,
    disk_check,
    fonts_check,
    keys_check,
    map_check,
    migrations_check,
    port_check,
    python_check,
    source_checks,
)
from shouwang.web.queries import REVIEW_NUMBER

TIMEOUT_S = 10
PORT = 8000


def examine() -> list[Check]:
    """Return every check of this machine and installation; those that need the database are left out while it is away."""
    checks = _machine()
    database = _database()
    checks.append(database)
    if database.state == ERROR:
        return checks
    migrations = migrations_check(_waiting())
    return [*checks, migrations] if migrations.state == ERROR else [*checks, migrations, *_installation()]


def _machine() -> list[Check]:
    folder = Path(settings.SHOUWANG_DATA_DIR)
    current = clock()
    synchronised = _output("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    return [
        python_check(tuple(sys.version_info[:3])),
        disk_check(folder, shutil.disk_usage(folder).free),
        *clock_checks(
            datetime.now(UTC), zone=settings.TIME_ZONE, synchronised={"yes": True, "no": False}.get((synchronised or "").strip()),
            scaled_speed=current.speed if isinstance(current, ScaledClock) else None,
        ),
        fonts_check(_output("fc-list", ":lang=zh")),
        map_check(REVIEW_NUMBER),
        assets_check(missing()),
        port_check(PORT, answers=_port_answers(PORT)),
        *source_checks({name: [(each.text("zh"), each.text("en")) for each in found] for name, found in problems_of_settings().items()}),
    ]


def _port_answers(port: int) -> Literal["FREE", "OURS", "OTHER"]:
    """Return what listens on a port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as heard:
            heard.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return "OURS" if b"shouwang" in heard.recv(4096).lower() else "OTHER"
    except OSError:
        return "FREE"


def _output(*command: str) -> str | None:
    """Return what a program of the system prints, None where it is missing or does not answer."""
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 - a path found on PATH, no shell
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _database() -> Check:
    try:
        apart = _seconds_apart()
    except (DatabaseError, OSError) as error:
        return database_check(_database_name(), problem=(str(error).splitlines() or [type(error).__name__])[0], seconds_apart=0)
    return database_check(_database_name(), problem="", seconds_apart=apart)


def _database_name() -> str:
    """Return which database is in use, without its password."""
    said = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(Path(str(said["NAME"])).resolve())
    return f"{said['HOST']}:{said['PORT']}/{said['NAME']}"


def _seconds_apart() -> float:
    """Return how many seconds the database's clock is ahead; 0 for SQLite, which has none."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT count(*) FROM sqlite_master")
            return 0.0
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0]) - datetime.now(UTC).timestamp()


def _waiting() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _installation() -> list[Check]:
    today = local(datetime.now(UTC)).date()
    roots = places.roots()
    calendar = places.working_calendar(roots[0].id) if roots else places.shipped_calendar()
    return [accounts_check(nobody=nobody_yet()), calendar_check(today, until=calendar.confirmed_until), _keys(), *channel_checks(_channels())]


def _keys() -> Check:
    place = "SHOUWANG_FIELD_KEYS" if settings.SHOUWANG_FIELD_KEYS else str(key_file())
    try:
        return keys_check(place, closed=closed_columns())
    except KeysInvalid as error:
        return keys_check(place, problem=error.text("zh"))


def _channels() -> dict[str, list[tuple[str, str]]]:
    kept = queries.settings()
    return {
        code: [
            (text.render("zh", {}), text.render("en", {}))
            for text in registry.make(code, kept[code].settings, allowed=settings.SHOUWANG_WEBHOOK_ALLOW).problems()
        ]
        for code in sorted(queries.enabled_channels())
    }
