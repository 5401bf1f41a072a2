"""Under which name a process takes a lease: one that it shares with its dead predecessor, so that nobody waits for the dead.

A lease outlives its holder by up to its whole term: after a crash nobody would be told anything for that long. The
kernel knows better: it frees a file lock the moment the process that held it dies. Whoever has the lock of a kind of
work bears the name of this machine and data folder; a process beside it bears its own, and waits until the lease ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from pathlib import Path

from django.conf import settings

_locks: dict[Path, int] = {}


def holder(work: str) -> str:
    """Return the name for the lease `work`. Ask again when the lease was refused: whoever held it may have died since."""
    folder = Path(settings.SHOUWANG_DATA_DIR)
    name = f"{socket.gethostname()[:32]}:{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    return name if _is_locked(folder / f"{work}.lock") else f"{name}:{os.getpid()}"


def _is_locked(path: Path) -> bool:
    """Return whether this process holds the lock at `path`, taking it when it is free; the process keeps it to its end."""
    if path in _locks:
        return True
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _locks[path] = descriptor
    return True
