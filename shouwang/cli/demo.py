"""Commands of the demo: seed an invented city, start everything, play simulated meters."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from rich.progress import Progress

from shouwang.cli.app import app, bring_up_to_date, console, start_django, told
from shouwang.cli.serving import ME, past_posted, run_all, web
from shouwang.web.demo import Role, keep_roles, mark_if_empty

KEEP_HELP = "保留数据的文件夹 · keep the data in this folder"
PAST_HELP = "连同往月的办理记录 · with the past months' handled cases, which the tour counts"
PORT_HELP = "端口，0 为任选 · port, 0 for any"


@contextmanager
def demo_folder(keep: Path | None, *, prefix: str) -> Iterator[Path]:
    """Point this process and its children at `keep`, or at a folder that is removed afterwards."""
    folder = keep or Path(tempfile.mkdtemp(prefix=prefix))
    folder.mkdir(parents=True, exist_ok=True)
    before = dict(os.environ)
    os.environ |= {"SHOUWANG_DATA_DIR": str(folder), "SHOUWANG_DEMO": "1", "SHOUWANG_SECRET_KEY": secrets.token_urlsafe(32)}
    try:
        yield folder
    finally:
        os.environ.clear()
        os.environ |= before
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@app.command()
def demo(
    port: Annotated[int, typer.Option(help=PORT_HELP)] = 0,
    keep: Annotated[Path | None, typer.Option(help=KEEP_HELP)] = None,
    seed: Annotated[int, typer.Option(help="随机种子 · seed")] = 7,
    past: Annotated[bool, typer.Option(help=PAST_HELP)] = True,
) -> None:
    """Seed an invented Liaocheng, start everything with simulated meters, and print one address with role links."""
    with demo_folder(keep, prefix="shouwang-demo-") as folder:
        horns = free_port()
        os.environ |= {"SHOUWANG_WEBHOOK_ALLOW": f"127.0.0.1:{horns}", "SHOUWANG_DEMO_HORNS": str(horns)}
        start_django()
        port = port or free_port()
        bring_up_to_date()
        mark_if_empty(folder)
        roles, token, meters = _seed(seed, past=past)
        keep_roles(folder, roles)
        address = f"http://127.0.0.1:{port}"
        show_links(address, [(f"{role.zh} · {role.en}", role.href) for role in roles])
        os.environ |= {"SHOUWANG_DEMO_TOKEN": token, "SHOUWANG_ADDRESS": address}
        play = [*ME, "play-meters", address, ",".join(meters), "--seed", str(seed)]
        with told():
            run_all([web("127.0.0.1", port), [*ME, "worker", "--after-past"], [*ME, "watch", "--after-past"], [*ME, "voice"], play, [*ME, "play-cameras", address, "--seed", str(seed)]])


def show_links(address: str, links: Sequence[tuple[str, str]]) -> None:
    """Print the one address and the link of each role."""
    console.print(f"\n[bold]守望 Shouwang[/bold]  {address}/\n")
    for title, link in links:
        console.print(f"  {title}: {address}{link}")
    console.print("\nCtrl+C 结束 · ends")


def _seed(seed: int, *, past: bool) -> tuple[list[Role], str, Sequence[str]]:
    """Seed the world and, if wanted, its past, fold the figures, and return the roles, the meters' token and the meters."""
    from shouwang.config.wiring import News  # noqa: PLC0415 - needs Django started
    from shouwang.journal.clock import clock  # noqa: PLC0415
    from shouwang.simulator.history import seed_past  # noqa: PLC0415
    from shouwang.simulator.horns import seed_horns  # noqa: PLC0415
    from shouwang.simulator.world import ROLES  # noqa: PLC0415
    from shouwang.simulator.world import seed as seed_world  # noqa: PLC0415

    now, chance = clock().now(), Random(seed)  # noqa: S311 - a simulation
    with Progress(console=console) as progress:
        bar = progress.add_task("生成演示数据 · seeding", total=4)
        world = seed_world(now=now, chance=chance, report=lambda _, done, total: progress.update(bar, completed=done, total=total))
        if past:
            months = progress.add_task("往月记录 · past months", total=None)
            seed_past(world, now=now, chance=chance, report=lambda _, done, total: progress.update(months, completed=done, total=total))
            seed_horns(int(os.environ.get("SHOUWANG_DEMO_HORNS", "0")) or free_port(), now=now)
        folding, news = progress.add_task("汇总指标 · folding", total=None), News()
        while heard := news.tell():
            progress.advance(folding, heard)
    return [Role(code, zh, en, world.links[code]) for code, zh, en, _ in ROLES], world.token, world.meters


@app.command("play-cameras", hidden=True)
def play_cameras(address: str, seed: int = 7) -> None:
    """Post what simulated cameras at waters see to a running installation; nothing where the demo has none."""
    start_django()
    from shouwang.journal.clock import clock  # noqa: PLC0415 - needs Django started
    from shouwang.simulator.cameras import Camera, play  # noqa: PLC0415
    from shouwang.simulator.history import CAMERAS, camera_code  # noqa: PLC0415
    from shouwang.simulator.horns import serve  # noqa: PLC0415
    from shouwang.telemetry.queries import things_named  # noqa: PLC0415

    horns = int(os.environ.get("SHOUWANG_DEMO_HORNS", "0"))
    if horns:
        serve(horns)
    there = things_named([camera_code(n) for n in range(1, CAMERAS + 1)])
    cameras = [Camera(code) for code in sorted(there)]
    chance = Random(seed)  # noqa: S311 - a simulation
    play(address, os.environ["SHOUWANG_DEMO_TOKEN"], cameras, now=lambda: clock().now(), chance=chance, stop=lambda: False)


@app.command("play-meters", hidden=True)
def play_meters(address: str, meters: str, seed: int = 7) -> None:
    """Post readings of simulated meters to a running installation."""
    start_django()
    from shouwang.journal.clock import clock  # noqa: PLC0415 - needs Django started
    from shouwang.simulator.meters import make_meters, play  # noqa: PLC0415
    from shouwang.simulator.world import SILENT  # noqa: PLC0415

    chance = Random(seed)  # noqa: S311 - a simulation
    now = clock().now()
    simulated = make_meters(meters.split(","), silent=SILENT, now=now)
    play(
        address, os.environ["SHOUWANG_DEMO_TOKEN"], simulated, now=lambda: clock().now(), chance=chance, stop=lambda: False,
        past_posted=lambda: past_posted().touch(),
    )
