"""`shouwang watch-camera` and `shouwang models`: plain cameras, watched on this machine or at the edge; needs `shouwang[vision]`, no database."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import httpx
import typer
from rich.progress import Progress

from shouwang.cli.app import app, console, told
from shouwang.cli.errors import TokenUnreadable

if TYPE_CHECKING:
    from shouwang.vision.camera import Camera
    from shouwang.vision.sending import Sender
    from shouwang.vision.sources import Source

EVENTS_PATH = "/api/v1/events/camera_json"
FPS = 5.0
TAKE_S = 1.0
MODELS_HELP = "模型文件夹 · the folder of the models"
models = typer.Typer(no_args_is_help=True, help="人员检测模型 · the models that find people")
app.add_typer(models, name="models")


def models_folder() -> Path:
    """Return where models lie unless told: `models` in the data folder."""
    return Path(os.environ.get("SHOUWANG_DATA_DIR", "var")) / "models"


@models.command("fetch")
def fetch_models(
    folder: Annotated[Path | None, typer.Option("--models", help=MODELS_HELP)] = None,
    address: Annotated[str, typer.Option("--from", help="下载地址前缀 · fetch from ADDRESS/FILE")] = "",
) -> None:
    """Fetch the models that the manifest names and check them; a file that differs by one bit is refused."""
    from shouwang.vision.weights import address_of, fetch, manifest  # noqa: PLC0415 - other commands need none of it

    target = folder or models_folder()
    environment = {**os.environ, **({"SHOUWANG_MODELS_URL": address} if address else {})}
    with told(), httpx.Client() as client:
        for weights in manifest().values():
            with Progress(console=console, transient=True) as progress:
                bar = progress.add_task(weights.file, total=weights.size)
                fetched = fetch(
                    weights, target, address=address_of(weights, environment), client=client,
                    report=lambda more, bar=bar, progress=progress: progress.advance(bar, more),  # type: ignore[misc]
                )
            state = "已下载 · fetched" if fetched else "已存在 · already there"
            console.print(f"{weights.file} {state} ({weights.licence}, SHA-256 {weights.sha256[:12]}…)", highlight=False)


@app.command("watch-camera")
def watch_camera(  # noqa: PLR0917 - the options of a command
    address: Annotated[str, typer.Argument(help="rtsp:// rtmp:// http(s):// 或文件 · or a file")],
    zone: Annotated[Path, typer.Option(help="区域文件 · the file of zones")],
    server: Annotated[str, typer.Option(help="守望服务器 · the server, https://…")],
    token_file: Annotated[Path, typer.Option(help="内含设备令牌 · a file that holds the device's token")],
    folder: Annotated[Path | None, typer.Option("--models", help=MODELS_HELP)] = None,
    fps: Annotated[float, typer.Option(min=1, max=25, help="每秒分析帧数 · frames looked at a second")] = FPS,
    once: Annotated[bool, typer.Option(help="放完即止（文件） · stop at the end (files)")] = False,
) -> None:
    """Watch one plain camera and post what happens in its zones; runs until Ctrl+C, opens the stream again whenever it breaks."""
    from shouwang.vision.camera import Camera  # noqa: PLC0415 - the optional extra
    from shouwang.vision.detecting import load  # noqa: PLC0415
    from shouwang.vision.sending import Sender  # noqa: PLC0415
    from shouwang.vision.sources import Source, is_file, named, stream_of  # noqa: PLC0415
    from shouwang.vision.watching import Watcher  # noqa: PLC0415
    from shouwang.vision.weights import path_of  # noqa: PLC0415
    from shouwang.vision.zones import read_plan  # noqa: PLC0415

    with told(), httpx.Client() as client:
        plan, place = read_plan(zone), folder or models_folder()
        read_token(token_file)
        watcher = Watcher(plan, load(path_of("light_person", place)), load(path_of("yolox_nano", place)))
        sender = Sender(server.rstrip("/") + EVENTS_PATH, lambda: read_token(token_file), client, say=say)
        source = Source(stream_of(address), least_gap_s=1 / fps * 0.9, once=once, paced=is_file(address))
        beside = ThreadPoolExecutor(1)
        camera = Camera(watcher, secrets.token_hex(4), sender.put, lambda: datetime.now(UTC), later=beside.submit)
        console.print(f"正在监看 · watching {named(address)}", highlight=False)
        source.start()
        sender.start()
        try:
            look(camera, source, clock=time.monotonic)
        except KeyboardInterrupt:
            console.print("停止 · stopping")
        finally:
            source.stop()
            beside.shutdown()
            conclude(sender, source)


def read_token(path: Path) -> str:
    """Return the token in a file. Raises TokenUnreadable."""
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenUnreadable(path=path, found=type(error).__name__) from error
    if not token:
        raise TokenUnreadable(path=path, found="an empty file")
    return token


def look(camera: Camera, source: Source, *, clock: Callable[[], float]) -> None:
    """Look at the newest frame again and again until the source has ended."""
    while True:
        over = source.ended.is_set()
        frame = source.newest.take(TAKE_S)
        counts = source.counts
        camera.state = {
            "frames": counts.frames, "dropped": counts.dropped, "opened": counts.opened, "broken": counts.broken,
            "stalled": counts.stalled, "clock_skew_s": round(counts.skew_s, 1),
        }
        if frame is not None:
            camera.see(frame.picture, at_s=frame.received_s, lag_s=clock() - frame.received_s)
        elif over:
            return
        else:
            camera.silent(at_s=clock())


def conclude(sender: Sender, source: Source) -> None:
    """Wait for what is still to be sent and say what became of everything."""
    left, sent, counts = sender.stop(), sender.sent, source.counts
    console.print(
        f"帧 {counts.frames}，丢帧 {counts.dropped}，重连 {max(0, counts.opened - 1)}；记录已送达 {sent.taken}，被拒 {sent.refused}，丢失 {sent.lost} · "
        f"frames {counts.frames}, dropped {counts.dropped}, reopened {max(0, counts.opened - 1)}; records taken {sent.taken}, refused {sent.refused}, lost {sent.lost}",
        highlight=False,
    )
    if left:
        console.print(f"退出时仍有 {left} 条未送达 · {left} were not sent when it ended", style="red", highlight=False)


def say(text: str) -> None:
    """Print a line."""
    console.print(text, highlight=False, markup=False)
