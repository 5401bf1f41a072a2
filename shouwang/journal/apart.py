"""Work that is done piece by piece, where a piece that fails must not hold up the others: alarms wait for nobody's error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

from shouwang.journal.rules import LeaseLost

log = logging.getLogger("shouwang.worker")


@dataclass
class Apart:
    """The pieces of one pass, each apart from the others; `failed` is the first error of any."""

    failed: Exception | None = None

    @contextmanager
    def piece(self, name: str) -> Iterator[None]:
        """Do what is inside; an error is logged and kept, for the end.

        Not where all else would fail too: a full disk, a lost connection, a lease that another has taken over.
        """
        try:
            yield
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a piece meets, the others must go on
            log.error("%s met %s and is done again; the rest goes on", name, type(error).__name__)  # noqa: TRY400 - the text may hold data
            self.failed = self.failed or error

    def end(self) -> None:
        """Raise the first error, now that everything else is done."""
        if self.failed is not None:
            raise self.failed
