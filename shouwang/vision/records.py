"""Turns a happening into the standard record that the server's source for cameras takes, as JSON."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from shouwang.vision.entering import Happening, Kind, State
from shouwang.vision.zones import Plan

CHECK = "CHECK"
"""What an unconfirmed entry adds to its rule, so that confirmation later is news and not a repeat (请核查)."""


@dataclass(frozen=True)
class Shown:
    """A picture or clip that goes with a record."""

    name: str
    media_type: str
    content: bytes

    def encoded(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"name": self.name, "media_type": self.media_type, "base64": base64.b64encode(self.content).decode()}


@dataclass(frozen=True)
class Letter:
    """A record ready to be sent, and the key under which it may be sent again."""

    key: str
    body: bytes


@dataclass(frozen=True)
class Writer:
    """Writes the records of one camera; `run` tells this start of the program from the last, since presences are numbered anew."""

    plan: Plan
    run: str
    width: int
    height: int
    health: dict[str, Any] = field(default_factory=dict)

    def happened(self, happening: Happening, *, at: datetime, shown: tuple[Shown, ...] = (), clip: Shown | None = None) -> Letter:
        """Return the letter of something that happened in a zone at `at`."""
        zone = next(each for each in self.plan.zones if each.id == happening.zone)
        rule = f"{self.plan.rule}:{zone.id}" + ("" if happening.confirmed else f":{CHECK}")
        record: dict[str, Any] = {
            "rule": rule, "zone": zone.id, "kind": happening.kind.value, "state": happening.state.value,
            "object": "HUMAN" if happening.confirmed else "UNKNOWN",
            "object_id": f"{self.run}-{zone.id}-{happening.presence}" if happening.presence else "",
            "box": self._shares(happening), "polygon": zone.polygon,
            "snapshots": [each.encoded() for each in shown], "clip": clip.encoded() if clip else None,
            "health": {**self.health, **self._about(happening)},
        }
        return self._letter(record, at=at)

    def told(self, kind: Kind, state: State, *, at: datetime, shown: tuple[Shown, ...] = (), health: Mapping[str, Any] | None = None) -> Letter:
        """Return the letter of something about the camera itself."""
        record: dict[str, Any] = {
            "rule": self.plan.rule, "zone": "", "kind": kind.value, "state": state.value, "object": "UNKNOWN", "object_id": "", "box": None,
            "polygon": [], "snapshots": [each.encoded() for each in shown], "clip": None, "health": {**self.health, **(health or {})},
        }
        return self._letter(record, at=at)

    def _letter(self, record: dict[str, Any], *, at: datetime) -> Letter:
        parts = (self.run, record["rule"], record["kind"], record["state"], record["object_id"], at.isoformat())
        key = hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]
        return Letter(key, msgspec.json.encode({"device": self.plan.device, **record, "device_at": at, "key": key}))

    def _shares(self, happening: Happening) -> list[float] | None:
        if happening.box is None:
            return None
        x0, y0, x1, y1 = happening.box
        shares = (x0 / self.width, y0 / self.height, x1 / self.width, y1 / self.height)
        return [round(min(1.0, max(0.0, each)), 4) for each in shares]

    def _about(self, happening: Happening) -> dict[str, Any]:
        """Return what the camera makes of the person: whether it is sure, and probably a child where heights are known."""
        about: dict[str, Any] = {"confirmed": happening.confirmed}
        if happening.box is not None:
            tall_m = self.plan.height_m(happening.box[3] / self.height, (happening.box[3] - happening.box[1]) / self.height)
            if tall_m is not None:
                about |= {"height_m": round(tall_m, 2), "probably_child": tall_m < self.plan.child_below_m}
        return about
