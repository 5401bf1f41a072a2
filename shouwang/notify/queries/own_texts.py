"""Reads of the words that areas say in their own way: which hold for whom."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from shouwang.kernel.texts import Text
from shouwang.notify import registry
from shouwang.notify.rules.own_texts import LANGUAGES, TITLES, checker, key_of
from shouwang.notify.rules.texts import TEMPLATES
from shouwang.people.queries import paths_of
from shouwang.places.queries import set_values
from shouwang.places.rules.settings import SettingSpec
from shouwang.places.rules.tree import ancestors

TEXTS_AGE_S = 5.0
Texts = Mapping[str, Text]
_kept: dict[str, tuple[float, dict[str, dict[int, str]]]] = {}


def specs() -> list[SettingSpec]:
    """Return the settings that hold areas' own words; empty words are the shipped ones."""
    limit = shortest_limit()
    return [
        SettingSpec(key_of(template, language), title, "TEXT", "", check=checker(template, limit=limit), is_apart=True)
        for template, title in TITLES.items() for language in LANGUAGES
    ]


def shortest_limit() -> int:
    """Return how many characters the channel with the least room takes."""
    return min(manifest.text_limit for manifest in registry.manifests().values())


def texts_for(person_ids: Collection[int]) -> dict[int, Texts]:
    """Return for persons in areas with words of their own those words by template; the nearest area upwards decides. At most 5 s old."""
    kept_s, own = _kept.get("", (float("-inf"), {}))
    if time.monotonic() - kept_s > TEXTS_AGE_S:
        own = set_values([key_of(template, language) for template in TITLES for language in LANGUAGES])
        _kept[""] = (time.monotonic(), own)
    if not own or not person_ids:
        return {}
    return {person_id: found for person_id, path in paths_of(person_ids).items() if (found := _said_at(ancestors(path), own))}


def forget_texts() -> None:
    """Forget what this process has kept."""
    _kept.clear()


def _said_at(nearest_first: Collection[int], own: Mapping[str, Mapping[int, str]]) -> dict[str, Text]:
    found = {}
    for template in TITLES:
        zh, en = (
            next((said for area in nearest_first if (said := own.get(key_of(template, language), {}).get(area))), "") for language in LANGUAGES
        )
        if zh or en:
            found[template] = Text(zh or TEMPLATES[template].zh, en or TEMPLATES[template].en)
    return found
