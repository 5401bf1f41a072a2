"""mosquitto beside: what it has acknowledged at QoS 1 for a durable subscriber that is away, and has no more after a kill.

Twice: with its own settings beside `persistence true`, and with `autosave_on_changes true, autosave_interval 1`. Its queue is unlimited in both,
so that it drops nothing by design.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from bench.harness import Bench
from bench.mqtt.client import connect, field, packet
from bench.serving import free_port

SETTINGS = {
    "defaults": ["persistence true"],
    "autosave": ["persistence true", "autosave_on_changes true", "autosave_interval 1"],
}
PER_KILL, IN_FLIGHT = 500, 20
QUIET_S = 1.0


def measure(bench: Bench, *, kills: int) -> dict[str, Any]:
    """Return version, settings and loss of mosquitto; names it in `skipped` when it is not installed."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        bench.skipped.append("mosquitto")
        return {"mosquitto": None}
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout.splitlines()
    found: dict[str, Any] = {"version": said[0] if said else ""}
    for name, settings in SETTINGS.items():
        found[name] = {"settings": [*settings, "max_queued_messages 0"], "kills": kills, **_lost(program, settings, kills=kills, seed=bench.seed)}
        bench.note(f"mosquitto, {name}: {found[name]['lost']} of {found[name]['acked']} lost")
    return {"mosquitto": found}


def _lost(program: str, settings: list[str], *, kills: int, seed: int) -> dict[str, int]:
    chance = Random(seed)
    acked = lost = 0
    for _ in range(kills):
        with tempfile.TemporaryDirectory(prefix="shouwang-mosquitto-") as folder:
            broker = Broker(program, Path(folder), settings)
            try:
                said = _one(broker, pause_s=chance.uniform(0.0, 0.5))
            finally:
                broker.kill()
        acked, lost = acked + said[0], lost + said[1]
    return {"acked": acked, "lost": lost}


def _one(broker: Broker, *, pause_s: float) -> tuple[int, int]:
    """Subscribe and go away, publish, kill, come back: return how many were acknowledged and how many of them never came."""
    away = Line(broker.port)
    away.say(connect("away", clean_session=False))
    away.expect(0x20)
    away.say(packet(0x82, b"\0\1" + field(b"v1/#") + b"\1"))
    away.expect(0x90)
    away.say(b"\xe0\0")
    away.close()
    time.sleep(pause_s)
    acked = _publish(broker)
    broker.kill()
    broker.start()
    came = _collect(broker)
    return len(acked), len(acked - came)


def _publish(broker: Broker) -> set[int]:
    line = Line(broker.port)
    line.say(connect("publisher"))
    line.expect(0x20)
    acked: set[int] = set()
    for begin in range(1, PER_KILL + 1, IN_FLIGHT):
        ids = range(begin, min(begin + IN_FLIGHT, PER_KILL + 1))
        line.say(b"".join(packet(0x32, field(b"v1/M1/readings") + n.to_bytes(2, "big") + str(n).encode().ljust(85)) for n in ids))
        acked |= {int.from_bytes(line.expect(0x40), "big") for _ in ids}
    line.close()
    return acked


def _collect(broker: Broker) -> set[int]:
    line = Line(broker.port)
    line.say(connect("away", clean_session=False))
    line.expect(0x20)
    came: set[int] = set()
    while (body := line.publish(most_s=QUIET_S)) is not None:
        size = int.from_bytes(body[:2], "big")
        line.say(packet(0x40, body[2 + size : 4 + size]))
        came.add(int(body[4 + size :]))
    line.close()
    return came


class Broker:
    """One mosquitto on a folder of its own."""

    def __init__(self, program: str, folder: Path, settings: list[str]) -> None:
        self.port = free_port()
        folder.chmod(0o777)  # started as root it goes on as another user
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", f"persistence_location {folder}/", "max_queued_messages 0", "log_dest none", *settings]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self._process, most_s=15)

    def kill(self) -> None:
        """End it by signal 9."""
        self._process.kill()
        self._process.wait()


class Line:
    """A blocking connection that reads whole packets."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def say(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def expect(self, first: int) -> bytes:
        """Return the body of the next packet, which must begin with `first`."""
        kind, body = self._packet()
        if kind != first:
            raise RuntimeError(f"expected a packet {first:#x}, got {kind:#x}")
        return body

    def publish(self, *, most_s: float) -> bytes | None:
        """Return the body of the next PUBLISH, None when none comes for `most_s`."""
        self._socket.settimeout(most_s)
        try:
            kind, body = self._packet()
        except TimeoutError:
            return None
        if kind >> 4 != 3:
            raise RuntimeError(f"expected a PUBLISH, got {kind:#x}")
        return body

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _packet(self) -> tuple[int, bytes]:
        while True:
            for size_bytes in (1, 2):
                head = self._rest[1 : 1 + size_bytes]
                if len(head) == size_bytes and head[-1] < 128:
                    size = head[0] if size_bytes == 1 else head[0] & 0x7F | head[1] << 7
                    end = 1 + size_bytes + size
                    if len(self._rest) >= end:
                        found, self._rest = self._rest[:end], self._rest[end:]
                        return found[0], found[1 + size_bytes :]
            data = self._socket.recv(65_536)
            if not data:
                raise ConnectionError("the broker has closed the connection")
            self._rest += data


def wait_for_port(port: int, process: subprocess.Popen[Any], *, most_s: float) -> None:
    """Return once something listens on `port`. Raises RuntimeError when the process ends before, or after `most_s`."""
    until = time.monotonic() + most_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{process.args} does not listen on port {port}") from None
            time.sleep(0.02)
        else:
            return
