"""The shipped kinds, matters and consent texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from shouwang.activities.rules.consents import ConsentText
from shouwang.activities.rules.consents import consent_texts as texts_in
from shouwang.activities.rules.kinds import Catalogue, Kind, Matter
from shouwang.activities.rules.kinds import catalogue as catalogue_in
from shouwang.kernel.errors import NotFound


@cache
def _catalogue() -> Catalogue:
    return catalogue_in(_data("kinds.toml"))


@cache
def consent_texts() -> Sequence[ConsentText]:
    """Return every version of the text guardians agree to, oldest first."""
    return texts_in(_data("consents.toml"))


def current_consent() -> ConsentText:
    """Return the version that is shown now."""
    return consent_texts()[-1]


def consent_text(version: str) -> ConsentText:
    """Return one version. Raises NotFound."""
    for each in consent_texts():
        if each.version == version:
            return each
    raise NotFound(what=f"同意书 {version[:20]}")


def kinds() -> tuple[Kind, ...]:
    """Return the kinds of activities, in their order."""
    return tuple(_catalogue().kinds.values())


def kind_of(code: str) -> Kind:
    """Return one kind. Raises NotFound."""
    found = _catalogue().kinds.get(code)
    if found is None:
        raise NotFound(what=f"活动类型 {code[:20]}")
    return found


def matters() -> tuple[Matter, ...]:
    """Return every kind of matter, in their order."""
    return tuple(_catalogue().matters.values())


def matter_of(code: str) -> Matter:
    """Return one kind of matter. Raises NotFound."""
    found = _catalogue().matters.get(code)
    if found is None:
        raise NotFound(what=f"事项 {code[:20]}")
    return found


def matters_of(kind: Kind) -> tuple[Matter, ...]:
    """Return the matters that are handled at activities of a kind."""
    return tuple(matter_of(code) for code in kind.matters)


def _data(name: str) -> str:
    return files("shouwang.activities").joinpath("data", name).read_text("utf-8")
