"""Finds the channels: every folder in `channels` that has a `manifest.toml`."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Channel, Field, Manifest, Traits
from shouwang.notify.rules.rates import Rate

FOLDER = Path(__file__).parent / "channels"


@cache
def manifests() -> Mapping[str, Manifest]:
    """Return the manifest of each channel by code, in alphabetical order."""
    return {path.parent.name: _manifest(path) for path in sorted(FOLDER.glob("*/manifest.toml"))}


def make(code: str, settings: Mapping[str, Any], *, allowed: Collection[str]) -> Channel:
    """Return the channel `code` with its settings; `allowed` are the private or plain-http hosts it may reach."""
    module = importlib.import_module(f"{__package__}.channels.{code}")
    return cast("Channel", module.make(settings, allowed=allowed))


def _manifest(path: Path) -> Manifest:
    said = tomllib.loads(path.read_text("utf-8"))
    return Manifest(
        code=path.parent.name,
        name=_text(said),
        short=_text(said["short"]),
        traits=Traits(said["honours_key"], said["gives_receipt"], said["can_query"]),
        needs_address=said["needs_address"],
        text_limit=said["text_limit"],
        fields=tuple(
            Field(field["name"], _text(field), field.get("secret", False), field.get("required", False))
            for field in said.get("settings", ())
        ),
        rings=said["rings"],
        is_shared=said["is_shared"],
        link=said["link"],
        rate=Rate(**said["rate"]) if "rate" in said else None,
        by_phone=said.get("by_phone", False),
        address=_text(said["address"]) if "address" in said else None,
        pattern=said.get("address", {}).get("pattern", ""),
        reasons={code: _text(words) for code, words in said.get("reasons", {}).items()},
    )


def _text(said: Mapping[str, Any]) -> Text:
    return Text(said["zh"], said["en"])
