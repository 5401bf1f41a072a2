"""Which failures mean that nothing can be kept at the moment: a full disk, or a database that is away. No tables."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError

from shouwang.kernel.errors import ShouwangError, StorageAway, StorageFull

_DISK_FULL_SQLSTATE = "53100"
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def outage_of(error: BaseException | None) -> ShouwangError | None:
    """Return what to say of a failure that is the storage's own, None for any other."""
    chain = list(_causes(error))
    if any(_is_full(each) for each in chain):
        return StorageFull()
    return StorageAway() if any(isinstance(each, OperationalError | InterfaceError) for each in chain) else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it, at most ten."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__


def _is_full(error: BaseException) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_FULL
    if isinstance(error, OSError):
        return error.errno in _NO_SPACE
    return getattr(error, "sqlstate", None) == _DISK_FULL_SQLSTATE
