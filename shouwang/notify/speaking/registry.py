"""Finds the kinds of loudspeakers and the voices: every folder in `speakers` and `speakers/voices` with a `manifest.toml`."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Field
from shouwang.notify.speaking.contract import Speaker, SpeakerManifest, Voice

FOLDER = Path(__file__).parents[1] / "speakers"
_PACKAGE = "shouwang.notify.speakers"


@cache
def manifests() -> Mapping[str, SpeakerManifest]:
    """Return the manifest of each kind of loudspeaker by code, in alphabetical order."""
    return {path.parent.name: _manifest(path) for path in sorted(FOLDER.glob("*/manifest.toml"))}


def make(code: str, settings: Mapping[str, Any], *, secret: str, allowed: Collection[str]) -> Speaker:
    """Return a loudspeaker of the kind `code`; `allowed` are the private or plain-http hosts it may reach."""
    module = importlib.import_module(f"{_PACKAGE}.{code}")
    return cast("Speaker", module.make(settings, secret=secret, allowed=allowed))


@cache
def voice() -> Voice | None:
    """Return the first voice this machine has, None where it has none."""
    for path in sorted(FOLDER.glob("voices/*/manifest.toml")):
        found = importlib.import_module(f"{_PACKAGE}.voices.{path.parent.name}").make()
        if found is not None:
            return cast("Voice", found)
    return None


def _manifest(path: Path) -> SpeakerManifest:
    said = tomllib.loads(path.read_text("utf-8"))
    return SpeakerManifest(
        code=path.parent.name,
        name=_text(said),
        short=_text(said["short"]),
        plays=tuple(said["plays"]),
        checking=said["checking"],
        fields=tuple(Field(each["name"], _text(each), is_secret=False, is_required=each.get("required", False)) for each in said["settings"]),
        secret=_text(said["secret"]) if "secret" in said else None,
    )


def _text(said: Mapping[str, Any]) -> Text:
    return Text(said["zh"], said["en"])
