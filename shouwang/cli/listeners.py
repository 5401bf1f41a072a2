"""A command for every source that listens or connects by itself, found by its manifest: `shouwang mqtt` and whatever comes beside it."""

from __future__ import annotations

import importlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from shouwang.cli.app import app, console, start_django, told
from shouwang.telemetry.sources import FOLLOW, LISTEN, Source, sources_found

CERTIFICATE = typer.Option("--cert", help="TLS 证书（PEM）· TLS certificate (PEM)", exists=True, dir_okay=False)
KEY = typer.Option("--key", help="证书的私钥（PEM）· its private key (PEM)", exists=True, dir_okay=False)


def _command_of(source: Source) -> Callable[..., None]:
    def listen(
        host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="端口 · port")] = source.port,
        cert: Annotated[Path | None, CERTIFICATE] = None,
        key: Annotated[Path | None, KEY] = None,
    ) -> None:
        start_django()
        from shouwang.journal.clock import clock  # noqa: PLC0415 - needs Django started
        from shouwang.telemetry.listening import Listening  # noqa: PLC0415 - needs Django started

        def ready(at: int) -> None:
            console.print(f"{source.zh} · {source.en}  {host}:{at}")

        serve = importlib.import_module(f"shouwang.telemetry.sources.{source.name}").serve
        with told():
            serve(Listening(host, port, lambda: clock().now(), cert, key, ready))

    listen.__doc__ = f"{source.zh} · {source.en}."
    return listen


def _client_of(source: Source) -> Callable[[], None]:
    def follow() -> None:
        start_django()
        from shouwang.journal.clock import clock  # noqa: PLC0415 - needs Django started
        from shouwang.telemetry.following import Following  # noqa: PLC0415 - needs Django started

        options = Following(lambda: clock().now(), on_ready=lambda at: console.print(f"{source.zh} · {source.en}  {at}"))
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: options.over.set())
        serve = importlib.import_module(f"shouwang.telemetry.sources.{source.name}").serve
        with told():
            serve(options)

    follow.__doc__ = f"{source.zh} · {source.en}."
    return follow


for each in sources_found().values():
    if each.direction == LISTEN:
        app.command(each.name)(_command_of(each))
    elif each.direction == FOLLOW:
        app.command(each.name.replace("_", "-"))(_client_of(each))
