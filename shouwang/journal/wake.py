"""Processes wake each other with a datagram; whoever misses one polls besides, so nothing depends on it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

KNOWN_FOR_S = 0.25
_known: dict[str, tuple[float, tuple[Path, ...]]] = {}


def _folder() -> Path:
    name = hashlib.sha256(str(settings.SHOUWANG_DATA_DIR).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"shouwang-{os.getuid()}-{name}"


def ring(topic: str) -> None:
    """Wake every bell of `topic` on this machine; never waits and never fails."""
    bells = _bells(topic)
    if not bells:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for path in bells:
            try:
                sender.sendto(b".", str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:
                continue


def _bells(topic: str) -> tuple[Path, ...]:
    """Return the bells of a topic as they were at most KNOWN_FOR_S ago."""
    known_s, paths = _known.get(topic, (0.0, ()))
    if time.monotonic() - known_s > KNOWN_FOR_S:
        paths = tuple(_folder().glob(f"{topic}.*"))
        _known[topic] = (time.monotonic(), paths)
    return paths


def wait_any(bells: Sequence[Bell], timeout_s: float) -> bool:
    """Return True as soon as one of `bells` rings, False after `timeout_s` seconds."""
    waiting = select.poll()  # select() knows no descriptor above 1,023, and a web process with many listeners has more
    for bell in bells:
        waiting.register(bell, select.POLLIN)
    rang = bool(waiting.poll(max(0.0, timeout_s) * 1000))
    for bell in bells if rang else ():
        bell.hush()
    return rang


class Bell:
    """Waits to be woken on one topic."""

    def __init__(self, topic: str) -> None:
        folder = _folder()
        folder.mkdir(mode=0o700, exist_ok=True)
        self._path = folder / f"{topic}.{os.getpid()}.{threading.get_ident() % 100_000}"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._socket.setblocking(False)

    def wait(self, timeout_s: float) -> bool:
        """Return True as soon as it rings, False after `timeout_s` seconds."""
        return wait_any([self], timeout_s)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when it rings."""
        return self._socket.fileno()

    def hush(self) -> None:
        """Forget that it rang."""
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(16):
                pass

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self._path.unlink(missing_ok=True)
