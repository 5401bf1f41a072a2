"""Commands that run the installation: serve, worker, watch, migrate, verify-log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from shouwang.cli.app import DATABASE_HELP, app, bring_up_to_date, console, start_django, told
from shouwang.cli.errors import PartEnded
from shouwang.cli.first_run import first_run_address, show_first_run

POLL_S = 0.3
END_S = 15
ME = (sys.executable, "-m", "shouwang.cli.main")


@app.command()
def migrate() -> None:
    """Bring the database to this version."""
    start_django()
    bring_up_to_date()
    console.print("数据库已是最新 · the database is up to date")


AfterPast = Annotated[bool, typer.Option(hidden=True, help="wait for the simulated meters' past")]


@app.command()
def worker(after_past: AfterPast = False) -> None:
    """Run timers, listeners and the outbox."""
    start_django()
    _wait_for_past(after_past)
    from shouwang.config.wiring import run_worker  # noqa: PLC0415 - needs Django started

    run_worker()


def past_posted() -> Path:
    """Return the file that says that the simulated meters have posted their past."""
    return Path(os.environ["SHOUWANG_DATA_DIR"]) / "past_posted"


def _wait_for_past(after_past: bool) -> None:
    """In a demo wait until its meters have posted their past: before that they would all be called silent."""
    while after_past and not past_posted().exists():
        time.sleep(0.2)


@app.command()
def watch(after_past: AfterPast = False) -> None:
    """Run the detectors."""
    start_django()
    _wait_for_past(after_past)
    from shouwang.watch.jobs import serve as serve_watch  # noqa: PLC0415 - needs Django started

    serve_watch(lambda: False)


@app.command()
def voice() -> None:
    """Hear what cameras tell and speak on site."""
    start_django()
    from shouwang.config.voice import run_voice  # noqa: PLC0415 - needs Django started

    run_voice()


@app.command("verify-log")
def verify_log() -> None:
    """Check the hash chain of the event log."""
    start_django()
    from shouwang.journal.queries import verify  # noqa: PLC0415 - needs Django started

    with told(), Progress(console=console) as progress:
        bar = progress.add_task("日志 · log", total=None)
        count = verify(lambda done, total: progress.update(bar, completed=done, total=total))
    console.print(f"{count} 条，校验一致 · {count} events, the chain holds")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口 · port")] = 8000,
    database: Annotated[str, typer.Option(help=DATABASE_HELP)] = "",
) -> None:
    """Run everything: web and stream, the watch, the worker, the voice."""
    start_django(database=database)
    bring_up_to_date()
    _keep_shipped()
    console.print(f"守望 Shouwang  http://{host}:{port}/")
    _show_first_run(f"http://{host}:{port}")
    with told():
        run_all([web(host, port), [*ME, "worker"], [*ME, "watch"], [*ME, "voice"]])


def _keep_shipped() -> None:
    """Publish what this version ships; nothing where nobody can come in yet, so that a backup still finds an empty place."""
    from shouwang.journal.clock import clock  # noqa: PLC0415 - needs Django started
    from shouwang.people.queries import nobody_yet  # noqa: PLC0415
    from shouwang.web.shipped import load_shipped  # noqa: PLC0415

    if not nobody_yet():
        load_shipped(now=clock().now())


def _show_first_run(here: str) -> None:
    """Print where the first administrator is made, while there is nobody yet: at the address of the settings, if they say one."""
    from django.conf import settings  # noqa: PLC0415 - needs Django started

    stated = settings.ENVIRONMENT.value("address").source != "default"
    if address := first_run_address(settings.SHOUWANG_ADDRESS if stated else here):
        show_first_run(address)


def web(host: str, port: int) -> list[str]:
    """Return the command that serves the pages and the stream."""
    return [
        sys.executable, "-m", "granian", "--interface", "rsgi", "--host", host, "--port", str(port), "--no-ws",
        "--respawn-failed-workers", "--log-level", "warning", "shouwang.config.gateway:application",
    ]


def run_all(commands: Sequence[Sequence[str]], during: Callable[[Callable[[], bool]], None] | None = None) -> None:
    """Run the processes together; when one ends, or on Ctrl+C or SIGTERM, end the others.

    `during` is called meanwhile, with a question that says whether all are still running; they end when it returns.
    Raises PartEnded when one has ended by itself, so that whoever supervises this command starts it again.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    running = [subprocess.Popen(command, process_group=0) for command in commands]  # noqa: S603 - our own commands

    def all_run() -> bool:
        return all(process.poll() is None for process in running)

    ended: list[subprocess.Popen[bytes]] = []
    try:
        (during or _wait)(all_run)
        ended = [process for process in running if process.poll() is not None]
    except KeyboardInterrupt:
        pass
    finally:
        for process in running:
            process.terminate()
        for process in running:
            _end(process)
    for process in ended:
        raise PartEnded(part=" ".join(map(str, process.args[1:4])), code=process.returncode)  # type: ignore[index] # a list, as given


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended; one that does not, as a server that is just starting, is killed with its children."""
    try:
        process.wait(timeout=END_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(all_run: Callable[[], bool]) -> None:
    while all_run():
        time.sleep(POLL_S)


@app.command()
def refold() -> None:
    """Make the lines of the figures anew from the event log."""
    start_django()
    from shouwang.indicators.actions import rebuild  # noqa: PLC0415 - needs Django started

    with told(), Progress(console=console) as progress:
        bar = progress.add_task("汇总 · folding", total=None)
        count = rebuild(lambda done, total: progress.update(bar, completed=done, total=total))
    console.print(f"已由 {count} 条事件重算指标 · the figures were made anew from {count} events")
