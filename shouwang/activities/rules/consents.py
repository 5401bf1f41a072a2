"""The texts a guardian agrees to, by version. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

import msgspec

from shouwang.activities.rules.errors import CatalogueInvalid
from shouwang.kernel.texts import Text

FILE = "consents.toml"


class ConsentText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of the text."""

    version: str
    zh: str
    en: str

    @property
    def text(self) -> Text:
        """Return the sentence agreed to."""
        return Text(self.zh, self.en)


class _Sheet(msgspec.Struct, forbid_unknown_fields=True):
    text: tuple[ConsentText, ...]


def consent_texts(text: str) -> Sequence[ConsentText]:
    """Return the versions in a TOML text, oldest first. Raises CatalogueInvalid."""
    try:
        found = msgspec.convert(tomllib.loads(text), _Sheet).text
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise CatalogueInvalid(file=FILE, code="?", problem=str(error)) from error
    if not found or len({each.version for each in found}) != len(found):
        raise CatalogueInvalid(file=FILE, code="*", problem="缺少文本或版本重复 / no text, or a version stands twice")
    return found
