"""What every source has in common that connects to somebody else's server: how it runs, how it waits, and what wakes it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from threading import Event

GROWTH = 2.0
BUFFER_BYTES = 4_096


@dataclass(frozen=True)
class Following:
    """How to run: the clock, the chance that spreads attempts, what tells to stop, and whom to tell that a connection stands."""

    now: Callable[[], datetime]
    chance: Random = field(default_factory=Random)
    over: Event = field(default_factory=Event)
    on_ready: Callable[[str], object] = lambda _: None


def pause_s(failures: int, *, chance: Random, least_s: float, most_s: float) -> float:
    """Return how long to wait after so many failures in a row: twice as long each time, half of it by chance.

    Without the chance all who lost a server at the same moment would come back at the same moment.
    """
    whole_s = min(most_s, least_s * GROWTH ** min(failures - 1, 30))
    return whole_s * (0.5 + chance.random() / 2)


class Bell:
    """Wakes a loop that waits for sockets; rung from any thread."""

    def __init__(self) -> None:
        self._heard, self._rung = socket.socketpair()
        for each in (self._heard, self._rung):
            each.setblocking(False)

    def ring(self) -> None:
        """Wake the loop; it stays awake until it is quiet again."""
        with contextlib.suppress(OSError):  # full: it is awake already; closed: nobody is left to be woken
            self._rung.send(b"\0")

    def quiet(self) -> None:
        """Forget the rings so far."""
        with contextlib.suppress(BlockingIOError):
            while len(self._heard.recv(BUFFER_BYTES)) == BUFFER_BYTES:
                pass

    def fileno(self) -> int:
        """Return what to wait for."""
        return self._heard.fileno()

    def close(self) -> None:
        """End."""
        self._heard.close()
        self._rung.close()
