"""The doctor's checks as tables, and the command on the database in use."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shouwang.cli.doctor import show
from shouwang.cli.main import app
from shouwang.web.doctor import ERROR, OK, WARNING
from shouwang.web.doctor import checks as doctor

AT = datetime(2026, 3, 1, tzinfo=UTC)
GIB = 1024**3


@pytest.mark.parametrize(
    ("check", "state"),
    [
        (doctor.python_check((3, 11, 0)), OK),
        (doctor.python_check((3, 10, 12)), ERROR),
        (doctor.disk_check(Path("var"), 10 * GIB), OK),
        (doctor.disk_check(Path("var"), 10 * GIB - 1), WARNING),
        (doctor.disk_check(Path("var"), GIB - 1), ERROR),
        (doctor.fonts_check("a.ttc\nb.ttc\n"), OK),
        (doctor.fonts_check(""), WARNING),
        (doctor.fonts_check(None), WARNING),  # fc-list itself is missing
        (doctor.database_check("x", problem="", seconds_apart=5.0), OK),
        (doctor.database_check("x", problem="", seconds_apart=-5.1), WARNING),  # two machines whose clocks differ
        (doctor.database_check("x", problem="refused", seconds_apart=0), ERROR),
        (doctor.migrations_check(0), OK),
        (doctor.migrations_check(1), ERROR),
        (doctor.calendar_check(date(2026, 1, 1), until=date(2026, 12, 31)), OK),
        (doctor.calendar_check(date(2026, 1, 1), until=date(2026, 12, 30)), WARNING),
        (doctor.map_check("审图号 GS(2024)0650号"), OK),
        (doctor.map_check("审图号：GS京(2024)0650号"), OK),
        (doctor.map_check(""), ERROR),
        (doctor.port_check(8000, answers="FREE"), OK),
        (doctor.port_check(8000, answers="OURS"), OK),
        (doctor.port_check(8000, answers="OTHER"), WARNING),
        (doctor.map_check("示意图"), ERROR),
        (doctor.assets_check([]), OK),
        (doctor.assets_check(["desk.js"]), ERROR),
        (doctor.accounts_check(nobody=False), OK),
        (doctor.accounts_check(nobody=True), WARNING),
        (doctor.keys_check("var/field_keys"), OK),
        (doctor.keys_check("var/field_keys", closed=["phone"]), ERROR),
        (doctor.keys_check("var/field_keys", problem="缺少 index"), ERROR),
        (doctor.channel_checks({})[0], WARNING),  # the inbox alone wakes nobody
        (doctor.channel_checks({"sms": []})[0], OK),
        (doctor.channel_checks({"sms": [("缺地址", "no address")]})[0], ERROR),
        (doctor.source_checks({"ctwing": []})[0], OK),
        (doctor.source_checks({"ctwing": [("有误", "wrong")]})[0], ERROR),
    ],
)
def test_a_check_says_how_it_stands_and_what_to_type(check: doctor.Check, state: str) -> None:
    assert state == check.state
    assert bool(check.type) == (state != OK)
    assert check.zh
    assert check.en


@pytest.mark.parametrize(
    ("now", "zone", "synchronised", "speed", "states"),
    [
        (AT, "Asia/Shanghai", True, None, {"clock": OK, "zone": OK}),
        (AT, "Asia/Shanghai", None, None, {"clock": OK, "zone": OK}),  # a container without timedatectl
        (AT, "Asia/Shanghai", False, None, {"clock": WARNING, "zone": OK}),
        (AT.replace(year=1970), "Asia/Shanghai", True, None, {"clock": ERROR, "zone": OK}),  # a dead battery
        (AT, "Asia/Nowhere", True, None, {"clock": OK, "zone": ERROR}),
        (AT, "Asia/Shanghai", True, 3600.0, {"clock": OK, "scaled_clock": WARNING, "zone": OK}),
    ],
)
def test_the_clock_and_its_zone(now: datetime, zone: str, synchronised: bool | None, speed: float | None, states: dict[str, str]) -> None:
    checks = doctor.clock_checks(now, zone=zone, synchronised=synchronised, scaled_speed=speed)
    assert states == {check.code: check.state for check in checks}


def test_each_line_names_the_state_and_below_it_what_to_type() -> None:
    said: list[str] = []
    show([doctor.migrations_check(2), doctor.migrations_check(0)], say=said.append)
    assert said == [
        "[red]错误[/red]  有 2 个表结构升级没有执行 · 2 migrations are not applied", "      → shouwang migrate",
        "[green]正常[/green]  表结构已是最新 · the tables are up to date",
    ]


@pytest.mark.django_db
def test_the_command_prints_json_and_fails_only_on_errors() -> None:
    answer = CliRunner().invoke(app, ["doctor", "--json"])
    checks = json.loads(answer.stdout)
    assert {"python", "disk", "clock", "zone", "fonts", "map", "assets", "database", "migrations", "calendar", "channels", "port"} <= {
        check["code"] for check in checks
    }
    assert answer.exit_code == any(check["state"] == ERROR for check in checks)
    assert next(check for check in checks if check["code"] == "migrations")["state"] == OK
