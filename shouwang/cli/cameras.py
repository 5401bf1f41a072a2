"""`shouwang cameras`: hears the cameras that are set up, beside `serve`."""

from __future__ import annotations

from shouwang.cli.app import app, console, start_django, told


@app.command()
def cameras() -> None:
    """Hear the cameras of shouwang.toml: streams, PullPoints, GB/T 28181; say who has fallen silent."""
    start_django()
    from shouwang.journal.clock import clock  # noqa: PLC0415 - needs Django started
    from shouwang.telemetry.cameras.running import run  # noqa: PLC0415

    with told():
        run(now=lambda: clock().now(), on_ready=lambda count: console.print(f"收听 {count} 台摄像机 · hearing {count} cameras"))
