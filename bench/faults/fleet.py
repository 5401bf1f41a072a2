"""The production processes as children: the very commands of `shouwang serve`, each killed and started again alone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.faults.records import KILLS, OPEN, REQUESTS, Record, newest
from bench.harness import ROOT
from shouwang.cli.serving import ME, web

WATCH, WORKER, WEB = "watch", "worker", "web"
MUTANT = (sys.executable, "-m", "bench.faults.mutant")
READY_S, END_S = 120.0, 20.0
LAST_WORDS = 400


class Fleet:
    """Web, watch and worker; each has a process group of its own, so that a kill takes its children too."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, port: int, worker: Sequence[str] = (*ME, "worker")) -> None:
        self.port = port
        self._folder = folder
        self._environment = {**environment, "PYTHONFAULTHANDLER": "1"}  # a process that crashes says where
        self._commands: dict[str, Sequence[str]] = {WATCH: (*ME, "watch"), WORKER: worker, WEB: web("127.0.0.1", port)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._record = Record(folder, KILLS)
        self.died_alone: list[str] = []

    def __enter__(self) -> Self:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends the bench ends its children too
        try:
            for kind in self._commands:
                self._start(kind)
            self._wait_for_web()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def _end(self) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
            self._kill(process)

    def kill(self, kind: str) -> None:
        """Kill one process as `kill -9` does and start it again at once."""
        process = self._running[kind]
        at, wall = time.monotonic(), time.time()
        self._kill(process)
        self._record.note(kind=kind, at=at, wall=wall, started=self._started[kind])
        self._start(kind)

    def is_at_work(self, kind: str) -> bool:
        """Return whether something outside has seen this process work since it was started; of the watch nothing is seen."""
        started = self._started[kind]
        if kind == WEB:
            return any(row["done"] > started and 0 < row["status"] < 500 for row in newest(self._folder, REQUESTS))
        return kind == WATCH or any(row["arrived"] > started for row in newest(self._folder, OPEN))

    def revive(self) -> None:
        """Start again what has ended by itself, as a service manager does, and remember that it had to."""
        for kind, process in self._running.items():
            if process.poll() is not None:
                last = (self._folder / f"{kind}.log").read_text("utf-8", "replace")[-LAST_WORDS:]
                self.died_alone.append(f"{kind} ended with {process.returncode}: …{last}")
                self._start(kind)

    def _start(self, kind: str) -> None:
        with (self._folder / f"{kind}.log").open("ab") as log:
            self._running[kind] = subprocess.Popen(
                self._commands[kind], cwd=ROOT, env=self._environment, stdout=log, stderr=log, process_group=0,
            )
        self._started[kind] = time.monotonic()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process and its children, and wait until all of them are gone: a port is free only then."""
        until = time.monotonic() + END_S
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < until:
                os.killpg(process.pid, signal.SIGKILL)
                process.poll()
                time.sleep(0.01)
        process.wait()

    def _wait_for_web(self) -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sign-in/", timeout=5).close()
                return
            time.sleep(0.1)
        message = f"the web process did not answer within {READY_S:.0f} s; see {self._folder / 'web.log'}"
        raise TimeoutError(message)
