"""A message as code + parameters, rendered per reader and language: nothing stored is a finished sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shouwang.kernel.moments import from_us, local

DAYS: Mapping[str, str] = {"zh": "一二三四五六日", "en": "Mon Tue Wed Thu Fri Sat Sun"}


@dataclass(frozen=True)
class Text:
    """One sentence in both languages, with `{name}` places."""

    zh: str
    en: str

    def render(self, language: str, params: Mapping[str, object]) -> str:
        """Return the sentence in `language`, its places filled from `params`; a missing one shows as “—”.

        A parameter's last word is its unit: one that ends in `_us` is read as a day of the week and an hour, a share that ends
        in `_of_100` as a whole number up to 99, since a chance is never all.
        """
        is_english = language.startswith("en")
        template = self.en if is_english else self.zh
        return template.format_map(_Known(params, "en" if is_english else "zh"))


class _Known(dict[str, object]):
    def __init__(self, params: Mapping[str, object], language: str) -> None:
        super().__init__({name: _spoken(name, value, language) for name, value in params.items()})

    def __missing__(self, key: str) -> str:
        return "—"


def _spoken(name: str, value: object, language: str) -> object:
    if name.endswith("_us") and isinstance(value, int):
        return weekday_and_time(value, language)
    if name.endswith("_of_100") and isinstance(value, int | float):
        return min(int(value), 99)
    return f"{value:g}" if isinstance(value, float) else value


def weekday_and_time(us: int, language: str) -> str:
    """Return a moment as it is read aloud, in local time: “周二 07:10”, "Tue 07:10"."""
    at = local(from_us(us))
    day = DAYS["en"].split()[at.weekday()] if language == "en" else f"周{DAYS['zh'][at.weekday()]}"
    return f"{day} {at:%H:%M}"
