"""`shouwang rotate-keys`: a new key for the sealed numbers, and everything sealed again with it, while the installation works."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.progress import Progress

from shouwang.cli.app import app, console, start_django, told

DROP_HELP = "旧密钥不再保留，旧备份将打不开 · forget old keys: older backups can then not be opened"


@app.command("rotate-keys")
def rotate_keys(drop_old: Annotated[bool, typer.Option("--drop-old", help=DROP_HELP)] = False) -> None:
    """Make a new key for telephone and identity numbers and seal them all again with it."""
    start_django()
    from django.conf import settings  # noqa: PLC0415 - needs Django started

    from shouwang.journal import resealing, sealed  # noqa: PLC0415
    from shouwang.kernel.sealing import Keys, with_new_version  # noqa: PLC0415

    with told():
        if not settings.SHOUWANG_FIELD_KEYS:
            sealed.save_keys(with_new_version(sealed.keys(anew=True)))
            time.sleep(sealed.FRESH_S + 1)  # by then every process has seen the new key
        with Progress(console=console) as progress:
            bar = progress.add_task("重新加密 · sealing again", total=None)
            count = resealing.reseal(lambda more: progress.advance(bar, more))
        used, current = resealing.versions_in_use(), sealed.keys(anew=True)
        if drop_old and not settings.SHOUWANG_FIELD_KEYS and set(used) <= {current.current}:
            sealed.save_keys(Keys(current.index, {current.current: current.versions[current.current]}))
    console.print(f"{count} 项已用第 {current.current} 版密钥加密 · {count} values are sealed with key version {current.current}")
