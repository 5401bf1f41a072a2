"""A message as code + parameters, rendered per reader and language: nothing stored is a finished sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """One sentence in both languages, with `{name}` places."""

    zh: str
    en: str

    def render(self, language: str, params: Mapping[str, object]) -> str:
        """Return the sentence in `language`, its places filled from `params`; a missing one shows as “—”."""
        template = self.en if language.startswith("en") else self.zh
        return template.format_map(_Known(params))


class _Known(dict[str, object]):
    def __init__(self, params: Mapping[str, object]) -> None:
        super().__init__({name: f"{value:g}" if isinstance(value, float) else value for name, value in params.items()})

    def __missing__(self, key: str) -> str:
        return "—"
