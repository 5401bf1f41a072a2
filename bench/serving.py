"""The processes of `shouwang serve` as children of a bench: the very commands, over real sockets, each alone."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.harness import ROOT, Place
from shouwang.cli.serving import ME, web

READY_S, END_S = 180.0, 20.0
WEB, WATCH, WORKER, VOICE = "web", "watch", "worker", "voice"


class Installation:
    """Web, watch, worker and voice, or some of them, on one database; whatever is left of them ends with the block."""

    def __init__(
        self, place: Place, parts: Sequence[str] = (WEB, WATCH, WORKER), *, worker: Sequence[str] = (*ME, "worker"), application: str = "",
    ) -> None:
        self.port = free_port()
        self._place = place
        self._parts = parts
        serve = web("127.0.0.1", self.port)
        self._commands: dict[str, Sequence[str]] = {WEB: [*serve[:-1], application or serve[-1]], WATCH: (*ME, "watch"), WORKER: worker, VOICE: (*ME, "voice")}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for part in self._parts:
                self.start(part)
            self._wait_for_web()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process, with force where one does not end by itself."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
            _kill(process)

    def start(self, part: str) -> None:
        """Start one process."""
        environment = {
            **self._place.environment, "SHOUWANG_HOSTS": "127.0.0.1", "SHOUWANG_ADDRESS": f"http://127.0.0.1:{self.port}",
            # Compiled modules are kept, as in any installation, but not in the tree that is measured.
            "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(self._place.folder.parent / "compiled"),
        }
        with (self._place.folder / f"{part}.log").open("ab") as log:
            self._running[part] = subprocess.Popen(
                self._commands[part], cwd=ROOT, env=environment, stdout=log, stderr=log, process_group=0,
            )

    def kill(self, part: str) -> None:
        """Kill one process as `kill -9` does. Raises RuntimeError when it had ended by itself."""
        process = self._running[part]
        if process.poll() is not None:
            raise RuntimeError(f"{part} ended by itself with {process.returncode}; see {part}.log")
        _kill(process)

    def cpu_s(self) -> dict[str, float]:
        """Return the processor time that each process and its children have used so far."""
        return {part: _cpu_s(process.pid) for part, process in self._running.items()}

    def _wait_for_web(self) -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                client.request("GET", "/sign-in/")
                if client.getresponse().status == 200:
                    return
            time.sleep(0.1)
        raise TimeoutError(f"the web process did not answer within {READY_S:.0f} s: {(self._place.folder / 'web.log').read_text()[-500:]}")


def _cpu_s(group: int) -> float:
    """Return the processor time of the living processes of a group."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(") ")[2].split()
            if int(fields[2]) == group:
                ticks += int(fields[11]) + int(fields[12])
    return round(ticks / os.sysconf("SC_CLK_TCK"), 2)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
