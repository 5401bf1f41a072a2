"""What the tests of listeners share: a scenario in a loop of its own, and questions to the database from within it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario, a minute at most."""
    asyncio.run(asyncio.wait_for(scenario, 60))


async def asked(question: Callable[[], T]) -> T:
    """Return what a question to the database answers; Django would open a connection of its own for a loop."""

    def ask() -> T:
        try:
            return question()
        finally:
            connections.close_all()

    return await asyncio.to_thread(ask)
