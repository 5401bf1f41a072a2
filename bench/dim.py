"""The product broken on purpose, for `desk_live --self-test`: a stream that is slow and drops an item now and then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shouwang.config import gateway
from shouwang.config.gateway import application  # Django starts here
from shouwang.web import hub

EACH, GAP_S = 40, 2.5
_read = hub.read_after


def _forgetful(position: Any) -> Any:
    reading = _read(position)
    return replace(reading, items=[item for item in reading.items if getattr(item, "seq", 1) % EACH])


hub.GAP_S = GAP_S
hub.read_after = _forgetful
gateway.read_after = _forgetful
__all__ = ["application"]
