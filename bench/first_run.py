"""`first_run`: a clone with a new environment and one command, as a newcomer meets it, until the first live alert shows.

What is measured is the checkout's last commit: it is cloned, `make demo` runs in the clone with its input closed, and a
client that knows nothing of the code signs in as the duty officer by the printed link and looks at the desk.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from bench.browsing import Client
from bench.harness import ROOT, Bench

SETUP_MOST_S, ALERT_MOST_S, POLL_S, END_S = 900.0, 120.0, 0.5, 20.0
STARTS = "shouwang.cli.main demo"  # as make says it; before it come the environment and the assets
ROLES = 6
LINK = re.compile(r"^\s*(\S+) · [^:]+: (https?://[^/\s]+)(/enter/\S+)$", re.MULTILINE)
ASKS = re.compile(r"(\[[yY]/[nN]\]|\?\s*$|password:|username for)", re.IGNORECASE | re.MULTILINE)
ROW = re.compile(r'<li id="case-(\d+)"')
BREAKS_A_FIGURE = True
BROKEN = ("first_alert_s <= 60",)
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "first_alert_s <= 60": lambda found: 0 < (found.get("first_alert_s") or 0) <= 60,
    "questions = 0": lambda found: found.get("questions") == 0,
}


def run(bench: Bench) -> dict[str, Any]:
    """Clone, start, look; with --self-test the watch is killed as soon as it runs, and no alert may show."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        bench.skipped.append("git")
        return {"first_alert_s": None, "questions": None, "setup_s": None, "verified": False}
    clone = bench.folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    with Demo(clone) as demo:
        start_s = demo.wait_for(lambda: STARTS in demo.said, most_s=SETUP_MOST_S)
        address_s = demo.wait_for(lambda: len(LINK.findall(demo.said)) >= ROLES, most_s=SETUP_MOST_S)
        links = LINK.findall(demo.said)
        if bench.options.self_test:
            demo.kill_the_watch()
        found = _look(demo, *links[0][1:])
        entered = [title for title, address, path in links if _enters(address, path)]
    bench.n = {"cases": len(found["cases"]), "links": len(links)}
    first_s = found["at_s"]
    return {
        "setup_s": round(start_s, 1), "seed_s": round(address_s - start_s, 1),
        "first_alert_s": None if first_s is None else round(first_s - start_s, 1),
        "after_address_s": None if first_s is None else round(first_s - address_s, 1),
        "questions": len(ASKS.findall(demo.said)), "roles_entered": entered, "explained": found["explained"],
        "verified": found["explained"] and len(entered) == ROLES,
    }


class Demo:
    """`make demo` in a clone, with nothing of this environment but its path, its home and what tells pip and npm where packages are."""

    def __init__(self, clone: Path) -> None:
        self._clone = clone
        self._parts: list[str] = []

    def __enter__(self) -> Self:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SHOUWANG_", "DJANGO_", "PYTHON", "VIRTUAL_ENV", "XDG_", "BENCH_"))}
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            ["make", "demo"], cwd=self._clone, env={**kept, "COLUMNS": "400"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        for pid in self._all():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    @property
    def said(self) -> str:
        """What was printed so far."""
        return "".join(self._parts)

    @property
    def age_s(self) -> float:
        """Seconds since the command was given."""
        return time.monotonic() - self._began

    def wait_for(self, holds: Callable[[], object], *, most_s: float) -> float:
        """Return when `holds()` came true, in seconds since the command. Raises RuntimeError when it does not, or the demo ends."""
        while not holds():
            if self._process.poll() is not None or self.age_s > most_s:
                raise RuntimeError(f"the demo ended or took longer than {most_s:.0f} s; it said: {self.said[-800:]}")
            time.sleep(0.05)
        return self.age_s

    def kill_the_watch(self) -> None:
        """Stop the process that would find the first alert, as long as the demo lives."""
        while not (found := [pid for pid in self._all() if b"\0watch\0" in _command(pid)]):
            time.sleep(0.05)
        for pid in found:
            os.kill(pid, signal.SIGSTOP)

    def _read(self) -> None:
        assert self._process.stdout is not None
        while text := self._process.stdout.readline():
            self._parts.append(text)

    def _all(self) -> list[int]:
        """Return every living process of the demo's session."""
        return [pid for pid in (int(each.name) for each in Path("/proc").glob("[0-9]*")) if _session(pid) == self._process.pid]


def _session(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[3])
    return 0


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _enters(address: str, path: str) -> bool:
    """Return whether a role's link leads to a page of that role's own."""
    with Client(address) as client, contextlib.suppress(httpx.HTTPError):
        return urlsplit(str(client.enter(path).url)).path not in {"/sign-in/", path}
    return False


def _look(demo: Demo, address: str, path: str) -> dict[str, Any]:
    """Look at the desk until a case is on it that its page explains by a meter's water, or the time is up."""
    until = demo.age_s + ALERT_MOST_S
    with Client(address) as officer:
        entered = False
        while demo.age_s < until:
            with contextlib.suppress(httpx.HTTPError):
                if not entered:
                    officer.enter(path)
                    entered = True
                cases = ROW.findall(officer.get("/desk/").text)
                if cases:
                    at_s = demo.age_s
                    page = officer.get(f"/cases/{cases[0]}/").text
                    return {"cases": cases, "at_s": at_s, "explained": "用水" in page and "<svg" in page}
            time.sleep(POLL_S)
    return {"cases": [], "at_s": None, "explained": False}
