"""`mqtt`: from PUBLISH to PUBACK, which comes after the commit; then the same while the listener is killed again and again.

The listener is the very command `shouwang mqtt`. `messages_per_s_core` divides the messages by the CPU seconds of its process, in which
the ingress and the writer are two threads; what PostgreSQL's own processes take is printed beside.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Self

from bench.harness import POSTGRES, Bench, Place
from bench.mqtt import peer
from bench.serving import free_port

CONNECTIONS = 200
WINDOW = 100
FLOOR, ACKED = 15_000, 200_000
LIMIT = 20_000
METERS = "meters.json"
AGO = timedelta(hours=6)
"""The first reading is this old and each device's are a second apart, so that none is in the future."""
READY_S, AT_WORK_S = 60.0, 30.0
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
BREAKS_A_FIGURE = True
BROKEN = ("lost == 0",)
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    f"messages_per_s_core >= {FLOOR}": lambda found: (found.get("messages_per_s_core") or 0) >= FLOOR,
    f"acked >= {ACKED}": lambda found: (found.get("acked") or 0) >= ACKED,
    "lost == 0": lambda found: found.get("lost") == 0,
}


def run(bench: Bench) -> dict[str, Any]:
    """Measure speed and loss on each database, then the loss of mosquitto."""
    each = bench.options.number("messages", 1_100, quick=60)
    kills = bench.options.number("kills", 20, quick=3)
    connections = bench.options.number("connections", CONNECTIONS, quick=40)
    bench.n = {"connections": connections, "in_flight": WINDOW, "messages": each * connections, "kills": kills, "reading_bytes": 85}
    by_database: dict[str, Any] = {}
    for kind in bench.databases():
        speed = timed(bench, kind, connections=connections, each=each)
        killed = under_kills(bench, kind, connections=connections, kills=kills)
        by_database[kind] = {"speed": speed, "kills": killed}
        bench.note(f"{kind}: {speed['messages_per_s_core']} messages/s of a core, {killed['lost']} of {killed['acked']} lost")
    bench.peer = peer.measure(bench, kills=kills)
    speeds = [found["speed"] for found in by_database.values()]
    return {
        "messages_per_s_core": min((found["messages_per_s_core"] for found in speeds), default=None),
        "acked": min((found["acked"] for found in speeds), default=None),
        "lost": sum(part["lost"] for found in by_database.values() for part in found.values()) if by_database else None,
        "by_database": by_database,
        "verified": bool(by_database) and all(_is_right(part) for found in by_database.values() for part in found.values()),
    }


def _is_right(part: dict[str, Any]) -> bool:
    # After a kill there are rows whose PUBACK never came, and batches in which some were sent again: logged twice, stored once.
    exact = part["not_logged"] <= 0 if part["killed"] else part["rows"] == part["acked"] and part["not_logged"] == 0
    return exact and part["wrong"] == part["quarantined"] == part["acked_twice"] == part["lost"] == 0


def timed(bench: Bench, kind: str, *, connections: int, each: int) -> dict[str, Any]:
    """Publish `each` messages on every connection and return messages per CPU second, and what the table holds."""
    place = bench.place(kind)
    bench.part(place, "bench.mqtt.world", "seed", count=connections, out=str(place.folder / METERS))
    port, base = free_port(), datetime.now(UTC).replace(microsecond=0) - AGO
    with Listener(bench, place, port) as listener:
        began_s, database_s = listener.cpu_s(), database_cpu_s(place)
        published = bench.part(place, "bench.mqtt.client", "publish", **_load(place, port, base, limit=each))
        cpu_s, database_s = listener.cpu_s() - began_s, database_cpu_s(place) - database_s
    found = bench.part(place, "bench.mqtt.world", "compare", acked=str(place.folder / "acked.json"), base=base.isoformat())
    return {
        **found, "killed": 0, "messages_per_s_core": round(published["acked"] / cpu_s), "cpu_s": round(cpu_s, 2),
        "database_cpu_s": round(database_s, 2) if kind == POSTGRES else None,
        "messages_per_s": round(published["acked"] / published["seconds"]), "client_cpu_s": round(published["client_cpu_s"], 2),
        "settings": bench.part(place, "bench.world", "database_settings"),
    }


def under_kills(bench: Bench, kind: str, *, connections: int, kills: int) -> dict[str, Any]:
    """Kill the listener `kills` times while all publish, and return what was acknowledged and is not in the table."""
    place, chance = bench.place(kind), Random(bench.seed)
    bench.part(place, "bench.mqtt.world", "seed", count=connections, out=str(place.folder / METERS))
    port, base = free_port(), datetime.now(UTC).replace(microsecond=0) - AGO
    with Listener(bench, place, port) as listener:
        load = bench.start(place, "bench.mqtt.client", "publish", **_load(place, port, base, limit=LIMIT))
        for _ in range(kills):
            _wait_for_progress(place, load)
            time.sleep(chance.uniform(0.02, 0.6))
            listener.kill()
            listener.start()
        _wait_for_progress(place, load)
        (place.folder / "stop").touch()
        published = bench.answer(load)
    found = bench.part(place, "bench.mqtt.world", "compare", acked=str(place.folder / "acked.json"), base=base.isoformat())
    return {**found, "killed": kills, "seconds": round(published["seconds"], 1)}


def _load(place: Place, port: int, base: datetime, *, limit: int) -> dict[str, Any]:
    files = {name: str(place.folder / file) for name, file in (("meters", METERS), ("stop", "stop"), ("progress", "progress"), ("out", "acked.json"))}
    return {"port": port, "limit": limit, "window": WINDOW, "base": base.isoformat(), **files}


def _wait_for_progress(place: Place, load: subprocess.Popen[str]) -> None:
    """Wait until more is acknowledged than now: a kill before that would kill a listener that does nothing yet."""
    until, before = time.monotonic() + AT_WORK_S, _progress(place)
    while _progress(place) <= before:
        if load.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the publishers stand still at {before} of {LIMIT * CONNECTIONS} messages")
        time.sleep(0.02)


def _progress(place: Place) -> int:
    path = place.folder / "progress"
    return int(path.read_text() or 0) if path.exists() else 0


class Listener:
    """The process of `shouwang mqtt`, or the broken one of the self-test."""

    def __init__(self, bench: Bench, place: Place, port: int) -> None:
        ours = ["-m", "shouwang.cli.main", "mqtt", "--port", str(port)]
        self._command = [sys.executable, *(["-m", "bench.mqtt.early", str(port)] if bench.options.self_test else ours)]
        self._place, self._port = place, port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def start(self) -> None:
        """Start it and wait until it listens."""
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(self._command, cwd=root, env=self._place.environment, stdout=subprocess.DEVNULL)
        peer.wait_for_port(self._port, self._process, most_s=READY_S)

    def kill(self) -> None:
        """End it by signal 9."""
        self._process.kill()
        self._process.wait()

    def cpu_s(self) -> float:
        """Return the CPU seconds of the process with all its threads."""
        return _cpu_s(self._process.pid)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def database_cpu_s(place: Place) -> float:
    """Return the CPU seconds of PostgreSQL's processes that serve this database now; 0 on SQLite."""
    name = place.environment["SHOUWANG_DATABASE"].partition("?")[0].rpartition("/")[2]
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/cmdline") if name else ():
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode().split()
            if words[:1] == ["postgres:"] and name in words:
                total += _cpu_s(int(path.parent.name))
        except (OSError, UnicodeDecodeError):
            continue
    return total
