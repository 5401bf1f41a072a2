"""`shouwang first-run`: the address at which the first administrator is made, while there is nobody yet."""

from __future__ import annotations

from typing import Annotated

import typer

from shouwang.cli.app import DATABASE_HELP, app, bring_up_to_date, console, start_django, told
from shouwang.cli.errors import SomebodyThere


@app.command("first-run")
def first_run(database: Annotated[str, typer.Option(help=DATABASE_HELP)] = "") -> None:
    """Print the address at which the first administrator is made; it serves for a day, and once."""
    start_django(database=database)
    bring_up_to_date()
    from django.conf import settings  # noqa: PLC0415 - needs Django started

    with told():
        address = first_run_address(settings.SHOUWANG_ADDRESS)
        if not address:
            raise SomebodyThere
        show_first_run(address)


def first_run_address(base: str) -> str:
    """Return the address below `base` at which the first administrator is made; nothing where somebody can come in already."""
    from shouwang.journal.clock import clock  # noqa: PLC0415 - needs Django started
    from shouwang.people.actions import first_run_token  # noqa: PLC0415
    from shouwang.people.queries import nobody_yet  # noqa: PLC0415

    return f"{base}/first-run/{first_run_token(now=clock().now())}/" if nobody_yet() else ""


def show_first_run(address: str) -> None:
    """Print the address, with what it is for."""
    console.print("首次设置（一天内有效，只能用一次）· first run, serves for a day, and once:")
    console.print(f"  {address}", soft_wrap=True, markup=False, highlight=False)
