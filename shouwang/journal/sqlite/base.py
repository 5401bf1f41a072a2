"""SQLite for Shouwang: WAL, synchronous FULL, BEGIN IMMEDIATE, and the fair gate held from BEGIN to COMMIT."""

from __future__ import annotations

from typing import Any

from django.db.backends.sqlite3 import base

from shouwang.journal.sqlite.gate import FairGate, gate_of

CACHE_KIB = 32 * 1024
CHECKPOINT_PAGES = 4_000
BUSY_TIMEOUT_MS = 30_000
STATEMENTS_KEPT = 1_000
"""How many prepared statements a connection keeps: sqlite3's own 128 are fewer than one pass of the worker has."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite connection whose transactions wait their turn at the gate."""

    _gate: FairGate | None = None
    _inside = False

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters of a new connection, with immediate transactions."""
        params: dict[str, Any] = super().get_connection_params()
        self.transaction_mode = "IMMEDIATE"
        return {**params, "cached_statements": STATEMENTS_KEPT}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection in WAL mode that syncs at every commit."""
        connection = super().get_new_connection(conn_params)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("PRAGMA temp_store = MEMORY")
        name = str(conn_params["database"])
        in_memory = self.is_in_memory_db() or name == ":memory:"
        self._gate = None if in_memory else gate_of(name)
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        if self._gate is not None and not self._inside:
            self._gate.enter()
            self._inside = True
        try:
            if self.queries_logged:
                super()._start_transaction_under_autocommit()  # type: ignore[misc]
            else:
                with self.wrap_database_errors:
                    self.connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self._leave_if_done()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._leave_if_done()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._leave()

    def _leave_if_done(self) -> None:
        if self.connection is None or not self.connection.in_transaction:
            self._leave()

    def _leave(self) -> None:
        if self._inside and self._gate is not None:
            self._inside = False
            self._gate.leave()


