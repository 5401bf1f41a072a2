"""The product broken on purpose, for `page --self-test`: a tour whose figures stand still, and one of which is off by one."""

from __future__ import annotations

from shouwang.config.gateway import application  # Django starts here
from shouwang.web import tour

_counted = tour.published_value
_first: dict[str, int] = {}


def _stuck(scope: object, figure: object) -> int:
    """Return what a figure came to when it was first asked for, the first of all one too many."""
    code = figure.code  # type: ignore[attr-defined]
    return _first.setdefault(code, _counted(scope, figure) + (not _first))  # type: ignore[arg-type]


tour.published_value = _stuck
__all__ = ["application"]
