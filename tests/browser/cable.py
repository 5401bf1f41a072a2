"""A cable between a browser and the demo that can be pulled: no setting of the browser, so a service worker finds no network either."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 65_536


class Cable:
    """A port of this machine that leads to another one while it is plugged in; pulled out, it takes no connection and drops those it has."""

    def __init__(self, port: int) -> None:
        self.to, self.port = port, 0
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self.plug()

    @property
    def address(self) -> str:
        """Return the address at this end."""
        return f"http://127.0.0.1:{self.port}"

    def plug(self) -> None:
        """Take connections, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port, self._listener = listener.getsockname()[1], listener
        threading.Thread(target=self._take, args=(listener,), daemon=True).start()

    def pull(self) -> None:
        """Take no connection any more and drop those there are."""
        if self._listener is not None:
            _end(self._listener)
            self._listener = None
        while self._ends:
            _end(self._ends.pop())

    def _take(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := one.recv(PIECE):
            other.sendall(piece)
    for each in (one, other):
        _end(each)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def cable(port: int) -> Iterator[Cable]:
    """Yield a cable to a port, and pull it at the end."""
    found = Cable(port)
    try:
        yield found
    finally:
        found.pull()
