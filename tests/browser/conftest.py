"""A real demo on a free port, a real Chromium, and the figures of this run as one JSON line at its end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from shouwang.ui import assets

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CASES = 6
START_S = 90
ROLES = ("duty", "grid", "township", "county", "city", "admin")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Figures:
    """What the journeys of this run measured."""

    journeys: dict[str, float] = field(default_factory=dict)
    dispatch_clicks: int | None = None
    close_taps: int | None = None
    report_taps: int | None = None
    telephone_entry_s: float | None = None
    enrol_home_s: float | None = None
    ladder_added_s: float | None = None
    jobs: dict[str, dict[str, float]] = field(default_factory=dict)
    axe_violations: int = 0
    console_errors: int = 0
    foreign_requests: int = 0
    skipped: int = 0

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long the journey `name` took."""
        started = time.monotonic()
        yield
        self.journeys[name] = round(time.monotonic() - started, 1)


FIGURES = Figures()


@dataclass
class Demo:
    """A running demo: its address, its role links and its data."""

    address: str
    links: dict[str, str]
    folder: Path

    def step(self, what: str, *numbers: int) -> Any:
        """Do something in the demo's database, in a process of its own."""
        return _step(self.folder, what, *numbers)

    def wait_for(self, case_id: int, *, rung: int) -> dict[str, Any]:
        """Wait until the worker has brought the case's task to a rung; return who has it."""
        for _ in range(40):
            found: dict[str, Any] = self.step("holder", case_id)
            if found["rung"] == rung and found["state"] == "OFFERED":
                return found
            time.sleep(0.3)
        pytest.fail(f"case {case_id} has not reached rung {rung}")


def environ_of(folder: Path) -> dict[str, str]:
    """Return the environment in which a process works on the demo in a folder."""
    return {**os.environ, "SHOUWANG_DATA_DIR": str(folder), "SHOUWANG_DATABASE": ""}


def _step(folder: Path, what: str, *numbers: int) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.browser.steps", what, *map(str, numbers)], cwd=ROOT, env=environ_of(folder), check=False, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _cases(folder: Path) -> int:
    try:
        with closing(sqlite3.connect(folder / "shouwang.sqlite3", timeout=5)) as database:
            return int(database.execute("SELECT count(*) FROM cases_case").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Yield a demo in a folder of its own, once its first six alerts are cases."""
    folder = tmp_path_factory.mktemp("demo")
    _step(folder, "prepare")
    said = folder / "said.txt"
    port = free_port()
    environ = {**os.environ, "COLUMNS": "300", "SHOUWANG_DATABASE": "", "NO_COLOR": "1"}
    with said.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "shouwang.cli.main", "demo", "--no-past", "--port", str(port), "--keep", str(folder)],
            cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )
    try:
        until = time.monotonic() + START_S
        while _cases(folder) < CASES:
            if running.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the demo shows no alerts: {said.read_text('utf-8')[-2000:]}")
            time.sleep(0.3)
        links = dict(zip(ROLES, re.findall(r"http://\S+(/enter/\S+/)", said.read_text("utf-8")), strict=True))
        yield Demo(f"http://127.0.0.1:{port}", links, folder)
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a headless Chromium."""
    if not CHROMIUM.exists() or assets.missing() or not AXE.exists():
        pytest.skip(f"skipped: needs {CHROMIUM} and the built assets (python -m shouwang.ui.assets)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@dataclass
class Reader:
    """One person in front of one browser; errors and requests to other hosts are counted."""

    context: BrowserContext
    page: Page
    demo: Demo
    faults: list[str] = field(default_factory=list)
    offline: bool = False
    expected: list[str] = field(default_factory=list)
    """Parts of console errors that belong to the journey, as the status of a page that asks for corrections."""

    def open(self, path: str) -> None:
        """Open an address of the demo and let it settle."""
        self.page.goto(self.demo.address + path)
        self.page.wait_for_load_state("load")

    def set_offline(self, offline: bool) -> None:
        """Take the network away, or give it back; what fails meanwhile is no fault."""
        self.offline = offline
        self.context.set_offline(offline)

    def check(self, name: str) -> None:
        """Add the accessibility violations of the page as it stands."""
        self.context.new_cdp_session(self.page).send("Runtime.evaluate", {"expression": AXE.read_text("utf-8") + ";0"})
        found = self.page.evaluate(
            "rules => axe.run({runOnly: rules}).then(found => found.violations.map(v => [v.id, ...v.nodes.map(n => n.html)]))", RULES,
        )
        FIGURES.axe_violations += len(found)
        self.faults.extend(f"{name}: {violation}" for violation in found)
        if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            self.faults.append(f"{name}: wider than the screen")


@contextmanager
def reader(
    browser: Browser, demo: Demo, enter: str = "", *, width: int = 1366, height: int = 768, theme: str = "light", display: str = "standard",
    **options: Any,
) -> Iterator[Reader]:
    """Yield a person who has entered by a link; fail at the end when anything went wrong in the browser.

    `options` are Playwright's for the context, as `java_script_enabled`.
    """
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN", **options)
    chosen = {"sw_language": "zh", "sw_theme": theme, "sw_display": display}
    context.add_cookies([{"name": name, "value": value, "url": demo.address} for name, value in chosen.items()])
    found = Reader(context, context.new_page(), demo)

    def heard(message: Any) -> None:
        if message.type == "error" and not found.offline and not any(part in message.text for part in found.expected):
            FIGURES.console_errors += 1
            found.faults.append(message.text)

    def broken(error: Any) -> None:
        FIGURES.console_errors += 1
        found.faults.append(str(error))

    def asked(request: Any) -> None:
        if not request.url.startswith((demo.address, "data:", "blob:")):
            FIGURES.foreign_requests += 1
            found.faults.append(request.url)

    found.page.on("console", heard)
    found.page.on("pageerror", broken)
    found.page.on("request", asked)
    if enter:
        found.open(enter)
    yield found
    context.close()
    assert not found.faults, "\n".join(found.faults)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what was skipped."""
    if report.skipped and "tests/browser" in report.nodeid:
        FIGURES.skipped += 1


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures of the journeys as one line of JSON, when any ran."""
    if FIGURES.journeys or FIGURES.skipped:
        terminalreporter.write_line(json.dumps(vars(FIGURES), ensure_ascii=False))
