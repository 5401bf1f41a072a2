"""Sources of readings and device events, found by scanning: a source is a folder with a manifest.toml. Sources do not know each other.

`direction` says what the folder's package exports:
`push` — `decode(body) -> list[Reading]`, which raises BodyInvalid, its type `BODY` and an `EXAMPLE`: a shape that HTTP and MQTT carry;
`listen` — `serve(Listening)`: a listener of its own, which the command of the same name runs;
`follow` — `serve(Following)`: a client of somebody else's server, which the command of the same name runs;
`events` — what cameras tell: `CAMERAS`, a `shouwang.telemetry.cameras.Family`;
`import` — read by a page or a command.
A source that an office sets up exports `SETTINGS`, the msgspec type of its table `[sources.NAME]` in shouwang.toml.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from django.conf import settings

from shouwang.kernel.errors import NotFound, ShouwangError

if TYPE_CHECKING:
    from shouwang.telemetry.placing import Reading

PUSH, LISTEN, FOLLOW, EVENTS = "push", "listen", "follow", "events"
Decode = Callable[[bytes], "list[Reading]"]
T = TypeVar("T")


class SourceSettingsInvalid(ShouwangError):
    """What is set for a source cannot be used; nothing it sends is acknowledged until that is mended."""

    zh = "shouwang.toml 的 [sources.{name}] 有误：{found}；请对照文档 telemetry 一页修改后重启。"
    en = "[sources.{name}] of shouwang.toml is wrong: {found}; see the page telemetry of the documentation, then restart."
    status = 503


@dataclass(frozen=True)
class Source:
    """What a source's manifest says of it; `port` is where a listener listens unless told otherwise."""

    name: str
    zh: str
    en: str
    direction: str
    limits: Mapping[str, int]
    port: int = 0


@cache
def sources_found() -> Mapping[str, Source]:
    """Return the sources by name. Raises KeyError for a manifest that lacks an entry."""
    found = {}
    for manifest in sorted(Path(__file__).parent.glob("*/manifest.toml")):
        said = tomllib.loads(manifest.read_text("utf-8"))
        name = manifest.parent.name
        found[name] = Source(name, said["zh"], said["en"], said["direction"], said["limits"], said.get("port", 0))
    return found


@cache
def decoder_of(name: str) -> Decode:
    """Return what decodes a body of the source `name`. Raises NotFound for one that is not pushed."""
    source = sources_found().get(name)
    if source is None or source.direction != PUSH:
        raise NotFound(what=f"source {name}")
    found: Decode = importlib.import_module(f"{__name__}.{name}").decode
    return found


def settings_of(name: str, shape: type[T]) -> T:
    """Return what is set for the source `name`, as its `SETTINGS` say. Raises SourceSettingsInvalid."""
    try:
        return msgspec.convert(settings.SHOUWANG_SOURCES.get(name, {}), shape)
    except msgspec.ValidationError as error:
        raise SourceSettingsInvalid(name=name, found=str(error)) from error


def problems_of_settings() -> dict[str, list[SourceSettingsInvalid]]:
    """Return the sources that are set up by name, and what is wrong with each."""
    return {name: _problems(name) for name in settings.SHOUWANG_SOURCES}


def _problems(name: str) -> list[SourceSettingsInvalid]:
    shape: Any = getattr(importlib.import_module(f"{__name__}.{name}"), "SETTINGS", None) if name in sources_found() else None
    if shape is None:
        return [SourceSettingsInvalid(name=name, found="no source with settings has this name")]
    try:
        settings_of(name, shape)
    except SourceSettingsInvalid as error:
        return [error]
    return []
