"""Sources of readings, found by scanning: a source is a folder with a manifest.toml. Sources do not know each other."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """What a source's manifest says of it."""

    name: str
    zh: str
    en: str
    direction: str
    limits: Mapping[str, int]


@cache
def sources_found() -> Mapping[str, Source]:
    """Return the sources by name. Raises KeyError for a manifest that lacks an entry."""
    found = {}
    for manifest in sorted(Path(__file__).parent.glob("*/manifest.toml")):
        said = tomllib.loads(manifest.read_text("utf-8"))
        found[manifest.parent.name] = Source(manifest.parent.name, said["zh"], said["en"], said["direction"], said["limits"])
    return found
