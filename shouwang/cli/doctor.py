"""`shouwang doctor`: the installation's checks, one line each, with what to type."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from shouwang.cli.app import DATABASE_HELP, app, console, start_django

if TYPE_CHECKING:
    from shouwang.web.doctor import Check

WORDS: Mapping[str, tuple[str, str]] = {"OK": ("正常", "green"), "WARNING": ("警告", "yellow"), "ERROR": ("错误", "red")}


def show(checks: Iterable[Check], *, say: Callable[[str], None]) -> None:
    """Say each check in one line, and below it what to type."""
    for check in checks:
        word, colour = WORDS[check.state]
        say(f"[{colour}]{word}[/{colour}]  {_plain(check.zh)} · {_plain(check.en)}")
        if check.type:
            say(f"      → {_plain(check.type)}")


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
    database: Annotated[str, typer.Option(help=DATABASE_HELP)] = "",
) -> None:
    """Look at the machine and the installation, and say what to type; exit code 1 when there is an error."""
    start_django(database=database)
    from shouwang.web.doctor import ERROR, examine  # noqa: PLC0415 - needs Django started

    checks = examine()
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=1))
    else:
        show(checks, say=lambda line: console.print(line, soft_wrap=True, highlight=False))
    if any(check.state == ERROR for check in checks):
        raise typer.Exit(1)
