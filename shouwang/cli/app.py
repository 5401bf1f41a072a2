"""The command's root: the typer application, its console, and how a command starts Django and tells an error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from shouwang.kernel.errors import ShouwangError

DATABASE_HELP = "postgresql://… ；空为 SQLite · empty for SQLite"
app = typer.Typer(no_args_is_help=True, help="守望 Shouwang: closes the loops of a county or city.")
console = Console()


def start_django(*, database: str = "") -> None:
    """Choose the settings and start Django; `database` wins over the environment."""
    if database:
        os.environ["SHOUWANG_DATABASE"] = database
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")
    import django  # noqa: PLC0415 - settings come from the command's options

    django.setup()


def bring_up_to_date() -> None:
    """Apply the migrations that are missing."""
    from django.core.management import call_command  # noqa: PLC0415 - needs Django started

    call_command("migrate", verbosity=0)


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of Shouwang's own into two red sentences and exit code 1."""
    try:
        yield
    except ShouwangError as error:
        console.print(f"{error.text('zh')}\n{error.text('en')}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
