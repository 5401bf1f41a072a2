"""A wire that can be cut: passes bytes between a browser and the web process, and for a while nothing at all."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

CHUNK = 65_536
CLOSE_S = 5.0


class Relay:
    """Listens on a port of its own and passes what comes to `port` and back."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._door.getsockname()[1])
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._pairs: list[threading.Thread] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._pairs.append(threading.Thread(target=self._accept, daemon=True))
        self._pairs[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for pair in self._pairs:
            pair.join(CLOSE_S)

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        with self._lock:
            self._is_cut = True
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            if not self._keep(near):
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._to), timeout=10)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            if not self._keep(far):
                near.close()
                far.close()
                continue
            pair = threading.Thread(target=self._join, args=(near, far), daemon=True)
            self._pairs.append(pair)
            pair.start()

    def _keep(self, end: socket.socket) -> bool:
        with self._lock:
            if not self._is_cut:
                self._open.add(end)
            return not self._is_cut

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        """Pass both ways until either end closes."""
        with near, far:
            back = threading.Thread(target=self._pass, args=(far, near), daemon=True)
            back.start()
            self._pass(near, far)
            back.join()
            with self._lock:
                self._open -= {near, far}

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(CHUNK):
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
