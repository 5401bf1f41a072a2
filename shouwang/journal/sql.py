"""Statements as they stand: what the hot paths run without the ORM, which costs five times as much there.

Not a second way to ask for lists: those go through the ORM. A statement writes its places as %s on both databases.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

Row = tuple[Any, ...]
ID_MOST = 512


_of_thread = threading.local()


def here() -> Any:
    """Return this thread's connection wrapper, which stays the same for the thread's life; asking Django costs as much as a small read."""
    try:
        return _of_thread.wrapper
    except AttributeError:
        _of_thread.wrapper = connections[DEFAULT_DB_ALIAS]
        return _of_thread.wrapper


def run(statement: str, params: Sequence[Any] = ()) -> Any:
    """Execute one statement on this thread's connection and return the database's own cursor.

    Prepared once per connection: by sqlite3's cache, on PostgreSQL by the server. Errors are Django's.
    """
    wrapper = here()
    raw = wrapper.connection
    if raw is None or wrapper.force_debug_cursor:
        cursor = wrapper.cursor()
        cursor.execute(statement, params)
        return cursor
    try:
        if is_postgres():
            return _server_cursor(raw).execute(statement, params, prepare=True)
        return raw.execute(_question_marks(statement), params)
    except wrapper.Database.Error:
        with wrapper.wrap_database_errors:
            raise


def rows_for(statement: str, ids: Iterable[int], *params: Any) -> list[Row]:
    """Return the rows of `statement`, which asks for several ids at `{ids}`; `params` are for the places before it.

    Asks at most ID_MOST at once, in few different lengths, so that few statements are prepared.
    """
    wanted, found = sorted(set(ids)), []
    for at in range(0, len(wanted), ID_MOST):
        some = wanted[at : at + ID_MOST]
        some += some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
        found += run(_with_places(statement, len(some)), (*params, *some)).fetchall()
    return found


def run_many(statement: str, rows: Sequence[Row]) -> None:
    """Execute one statement for each of `rows`."""
    wrapper = here()
    raw = wrapper.connection
    if raw is None or wrapper.force_debug_cursor or wrapper.vendor != "sqlite":
        with wrapper.cursor() as cursor:
            cursor.executemany(statement, rows)
        return
    with wrapper.wrap_database_errors:
        raw.executemany(_question_marks(statement), rows)


def together() -> AbstractContextManager[Any]:
    """Send the statements inside without waiting for each one's answer, where the database can: PostgreSQL, in one round trip.

    Asking for an answer inside waits for all before it. An error of any of them is raised at the end.
    """
    wrapper = here()
    if wrapper.connection is None or wrapper.force_debug_cursor or wrapper.vendor == "sqlite":
        return nullcontext()
    return _pipeline(wrapper)


@contextmanager
def _pipeline(wrapper: Any) -> Iterator[None]:
    with wrapper.wrap_database_errors, wrapper.connection.pipeline():
        yield


def is_together() -> bool:
    """Return whether this thread's connection is inside `together` and waits for no answer."""
    raw = here().connection
    return raw is not None and is_postgres() and raw.pgconn.pipeline_status != 0


@cache
def is_postgres() -> bool:
    """Return whether this installation's database is PostgreSQL."""
    return bool(here().vendor == "postgresql")


@lru_cache(maxsize=512)
def _with_places(statement: str, count: int) -> str:
    return statement.replace("{ids}", f"({', '.join(['%s'] * count)})")


@lru_cache(maxsize=512)
def _question_marks(statement: str) -> str:
    return statement.replace("%s", "?")


def _server_cursor(raw: Any) -> Any:
    """Return a cursor that binds on the server: Django's own binds in the client and prepares nothing."""
    from psycopg import Cursor  # noqa: PLC0415 - SQLite's users need not have it

    return Cursor(raw)
