"""The self-test of `pages`: a web process that loses the most urgent case of each list."""

from __future__ import annotations

from typing import Any

from shouwang.config.gateway import application
from shouwang.web.queries import desk

list_cases = desk.list_cases


def losing(*arguments: Any, **named: Any) -> Any:
    """Return a list without its first case."""
    return list_cases(*arguments, **named)[1:]


desk.list_cases = losing
__all__ = ["application"]
