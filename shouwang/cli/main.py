"""The `shouwang` command. Each module below adds its group of commands to `app`."""

from __future__ import annotations

from shouwang.cli import backup, cameras, demo, doctor, first_run, keys, listeners, replay, serving, vision
from shouwang.cli.app import app

__all__ = ["app", "backup", "cameras", "demo", "doctor", "first_run", "keys", "listeners", "replay", "serving", "vision"]

if __name__ == "__main__":
    app()
