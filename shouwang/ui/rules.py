"""What a reader prefers and how spans of time are spoken. Pure; `js/spans.js` speaks the same sentences in the browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

LANGUAGES = ("zh", "en")
THEMES = ("auto", "light", "dark")
DISPLAYS = ("standard", "large", "elder")
DEFAULTS: Mapping[str, str] = {"language": "zh", "theme": "auto", "display": "standard"}
CHOICES: Mapping[str, tuple[str, ...]] = {"language": LANGUAGES, "theme": THEMES, "display": DISPLAYS}
COOKIES: Mapping[str, str] = {"language": "sw_language", "theme": "sw_theme", "display": "sw_display"}

MINUTE_S = 60
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True)
class Reader:
    """How one reader wants pages: language, theme and size of display."""

    language: str = "zh"
    theme: str = "auto"
    display: str = "standard"

    @property
    def html_lang(self) -> str:
        """Return the BCP 47 tag for the `lang` attribute."""
        return "en" if self.language == "en" else "zh-CN"

    @property
    def other_language(self) -> str:
        """Return the language the switch leads to."""
        return "zh" if self.language == "en" else "en"


def language_of(tag: str | None) -> str:
    """Return "zh" or "en" for a language tag; what is not English is Chinese."""
    return "en" if (tag or "").lower().startswith("en") else "zh"


def reader_of(cookies: Mapping[str, str], *, language: str | None = None) -> Reader:
    """Return the preferences kept in `cookies`; a `language` chosen elsewhere (the person's own) yields only to the cookie."""
    chosen = {
        name: cookies.get(COOKIES[name], "") if cookies.get(COOKIES[name]) in CHOICES[name] else default
        for name, default in DEFAULTS.items()
    }
    if language is not None and cookies.get(COOKIES["language"]) not in LANGUAGES:
        chosen["language"] = language_of(language)
    return Reader(**chosen)


def local_path(path: str | None) -> str:
    """Return `path` when it stays on this site, else "/": no scheme, no host, no backslash, no control character."""
    if not path or not path.startswith("/") or path.startswith("//") or _CONTROL.search(path):
        return "/"
    return path


def span(seconds: int, language: str) -> str:
    """Return a span of `seconds` ≥ 0 in its two largest units: 40 秒 · 12 分 · 2 小时 5 分 · 3 天 4 小时."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    zh = language_of(language) == "zh"
    if minutes == 0:
        return f"{seconds} 秒" if zh else f"{seconds} s"
    if hours == 0:
        return f"{minutes} 分" if zh else f"{minutes} min"
    if days == 0:
        rest = minutes % 60
        head, tail = (f"{hours} 小时", f" {rest} 分") if zh else (f"{hours} h", f" {rest} min")
    else:
        rest = hours % 24
        head, tail = (f"{days} 天", f" {rest} 小时") if zh else (f"{days} d", f" {rest} h")
    return head + tail if rest else head


def time_left(left: timedelta, language: str) -> str:
    """Return how long a deadline still is away, or by how much it has passed: 剩 12 分 · 超时 5 分.

    At the deadline itself a task is late (ADR 0007); fractions of a second count down to the full one.
    """
    seconds = left // timedelta(seconds=1)
    zh = language_of(language) == "zh"
    if left > timedelta(0):
        spoken = span(seconds, language)
        return f"剩 {spoken}" if zh else f"{spoken} left"
    spoken = span(-left // timedelta(seconds=1), language)
    return f"超时 {spoken}" if zh else f"{spoken} late"


def time_ago(past: timedelta, language: str) -> str:
    """Return how long ago something was: 刚刚 · 12 分前; what lies ahead reads as just now."""
    seconds = past // timedelta(seconds=1)
    zh = language_of(language) == "zh"
    if seconds < MINUTE_S:
        return "刚刚" if zh else "just now"
    spoken = span(seconds, language)
    return f"{spoken}前" if zh else f"{spoken} ago"
