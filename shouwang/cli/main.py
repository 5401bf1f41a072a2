"""The `shouwang` command: demo, serve, worker, watch, migrate, verify-log."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

app = typer.Typer(no_args_is_help=True, help="守望 Shouwang: closes the loops of a county or city.")
console = Console()


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")
    import django  # noqa: PLC0415 - settings come from the command's options

    django.setup()


def _migrate() -> None:
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


@app.command()
def migrate() -> None:
    """Bring the database to this version."""
    _django()
    _migrate()
    console.print("数据库已是最新 · the database is up to date")


@app.command()
def worker() -> None:
    """Run timers, listeners and the outbox."""
    _django()
    from shouwang.config.wiring import run_worker  # noqa: PLC0415

    run_worker()


def _past_posted() -> Path:
    """Return the file that says that the simulated meters have posted their past."""
    return Path(os.environ["SHOUWANG_DATA_DIR"]) / "past_posted"


@app.command()
def watch(
    after_past: Annotated[bool, typer.Option(hidden=True, help="wait for the simulated meters' past")] = False,
) -> None:
    """Run the detectors."""
    _django()
    while after_past and not _past_posted().exists():
        time.sleep(0.2)
    from shouwang.watch.jobs import serve as serve_watch  # noqa: PLC0415

    serve_watch(lambda: False)


@app.command("verify-log")
def verify_log() -> None:
    """Check the hash chain of the event log."""
    _django()
    from shouwang.journal.queries import verify  # noqa: PLC0415
    from shouwang.journal.rules import LogBroken  # noqa: PLC0415

    try:
        with Progress(console=console) as progress:
            bar = progress.add_task("日志 · log", total=None)
            count = verify(lambda done, total: progress.update(bar, completed=done, total=total))
    except LogBroken as broken:
        console.print(f"[red]{broken.text('zh')}\n{broken.text('en')}[/red]")
        raise typer.Exit(1) from broken
    console.print(f"{count} 条，校验一致 · {count} events, the chain holds")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _web(host: str, port: int) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "rsgi", "--host", host, "--port", str(port), "--no-ws",
        "--log-level", "warning", "shouwang.config.gateway:application",
    ]


def _run_all(commands: Sequence[Sequence[str]]) -> None:
    """Run the processes together; when one ends, or on Ctrl+C, end the others."""
    running = [subprocess.Popen(command) for command in commands]  # noqa: S603 - our own commands
    try:
        while all(process.poll() is None for process in running):
            time.sleep(0.3)
    except KeyboardInterrupt:
        pass
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=15)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口 · port")] = 8000,
    database: Annotated[str, typer.Option(help="postgresql://… ；空为 SQLite · empty for SQLite")] = "",
) -> None:
    """Run everything: web and stream, the watch, the worker."""
    if database:
        os.environ["SHOUWANG_DATABASE"] = database
    _django()
    _migrate()
    me = [sys.executable, "-m", "shouwang.cli.main"]
    console.print(f"守望 Shouwang  http://{host}:{port}/")
    _run_all([_web(host, port), [*me, "worker"], [*me, "watch"]])


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="端口，0 为任选 · port, 0 for any")] = 0,
    keep: Annotated[Path | None, typer.Option(help="保留数据的文件夹 · keep the data in this folder")] = None,
    seed: Annotated[int, typer.Option(help="随机种子 · seed")] = 7,
) -> None:
    """Seed an invented Liaocheng, start everything with simulated meters, and print one address with role links."""
    folder = keep or Path(tempfile.mkdtemp(prefix="shouwang-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ |= {"SHOUWANG_DATA_DIR": str(folder), "SHOUWANG_DEMO": "1", "SHOUWANG_SECRET_KEY": secrets.token_urlsafe(32)}
    _django()
    port = port or _free_port()
    try:
        links, token, meters = _seed_demo(seed)
        address = f"http://127.0.0.1:{port}"
        console.print(f"\n[bold]守望 Shouwang[/bold]  {address}/\n")
        for title, link in links:
            console.print(f"  {title}: {address}{link}")
        console.print("\nCtrl+C 结束 · ends")
        me = [sys.executable, "-m", "shouwang.cli.main"]
        os.environ["SHOUWANG_DEMO_TOKEN"] = token
        play = [*me, "play-meters", address, ",".join(meters), "--seed", str(seed)]
        _run_all([_web("127.0.0.1", port), [*me, "worker"], [*me, "watch", "--after-past"], play])
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _seed_demo(seed: int) -> tuple[list[tuple[str, str]], str, Sequence[str]]:
    _migrate()
    from shouwang.journal.clock import clock  # noqa: PLC0415
    from shouwang.simulator.world import ROLES  # noqa: PLC0415
    from shouwang.simulator.world import seed as seed_world  # noqa: PLC0415

    now = clock().now()
    with Progress(console=console) as progress:
        bar = progress.add_task("生成演示数据 · seeding", total=4)
        world = seed_world(now=now, chance=Random(seed), report=lambda _, done, total: progress.update(bar, completed=done, total=total))  # noqa: S311
    return [(f"{zh} · {en}", world.links[code]) for code, zh, en, _ in ROLES], world.token, world.meters


@app.command("play-meters", hidden=True)
def play_meters(address: str, meters: str, seed: int = 7) -> None:
    """Post readings of simulated meters to a running installation."""
    _django()
    from shouwang.journal.clock import clock  # noqa: PLC0415
    from shouwang.simulator.meters import make_meters, play  # noqa: PLC0415
    from shouwang.simulator.world import SILENT  # noqa: PLC0415

    chance = Random(seed)  # noqa: S311 - a simulation
    now = clock().now()
    simulated = make_meters(meters.split(","), silent=SILENT, now=now, chance=chance)
    play(
        address, os.environ["SHOUWANG_DEMO_TOKEN"], simulated, now=lambda: clock().now(), chance=chance, stop=lambda: False,
        past_posted=lambda: _past_posted().touch(),
    )


if __name__ == "__main__":
    app()
