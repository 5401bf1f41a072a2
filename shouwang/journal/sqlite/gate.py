"""The fair gate: two file locks that make writers of one SQLite file wait in turn instead of polling.

SQLite's busy handler sleeps and retries, so a process that writes flat out starves the others for seconds. Here a
writer first passes the turnstile, then the gate; whoever waits at the gate holds the turnstile, so no one is overtaken
more than once. The kernel frees both locks when a process is killed.
"""

from __future__ import annotations

import fcntl
import os
import threading

_by_path: dict[str, FairGate] = {}
_registry_lock = threading.Lock()


class FairGate:
    """The gate of one database file, shared by all threads of this process."""

    def __init__(self, path: str) -> None:
        self._turnstile_path = path + "-turnstile"
        self._gate_path = path + "-gate"
        self._threads_turnstile = threading.Lock()
        self._threads_gate = threading.Lock()
        self._pid = 0
        self._turnstile = -1
        self._gate = -1

    def enter(self) -> None:
        """Wait until it is this thread's turn to write."""
        with self._threads_turnstile:
            self._open()
            self._threads_gate.acquire()
            try:
                fcntl.flock(self._turnstile, fcntl.LOCK_EX)
                try:
                    fcntl.flock(self._gate, fcntl.LOCK_EX)
                finally:
                    fcntl.flock(self._turnstile, fcntl.LOCK_UN)
            except BaseException:
                self._threads_gate.release()
                raise

    def leave(self) -> None:
        """Let the next writer in."""
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        self._threads_gate.release()

    def _open(self) -> None:
        if self._pid == os.getpid():
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._turnstile = os.open(self._turnstile_path, flags, 0o600)
        self._gate = os.open(self._gate_path, flags, 0o600)
        self._pid = os.getpid()


def gate_of(path: str) -> FairGate:
    """Return this process's gate of the database file at `path`."""
    with _registry_lock:
        return _by_path.setdefault(path, FairGate(path))
