"""The main navigation: other rooms register what it leads to, so the ui room knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from shouwang.kernel.texts import Text


@dataclass(frozen=True)
class Entry:
    """One way through the site: shown to whoever has one of `rights`; `count` gives the number that stands beside it.

    `count_from` is the address of a page with the number alone, asked again at each item of the live stream's `count_topic`.
    `is_there` says whether this installation has such a page; without it, every one has.
    """

    title: Text
    href: str
    rights: frozenset[str]
    under: tuple[str, ...] = ()
    count: Callable[[HttpRequest], int] | None = None
    count_topic: str = ""
    count_from: str = ""
    is_there: Callable[[], bool] | None = None


@dataclass(frozen=True)
class Link:
    """An entry as one reader sees it."""

    title: Text
    href: str
    here: bool
    count: int
    count_topic: str
    count_from: str


_entries: list[Entry] = []
_search: list[Entry] = []


def register(*entries: Entry) -> None:
    """Add ways to the main navigation, in this order; an address that is known already is replaced."""
    for entry in entries:
        _entries[:] = [known for known in _entries if known.href != entry.href]
        _entries.append(entry)


def offer_search(entry: Entry) -> None:
    """Make the page that searches known: the masthead leads to it, Ctrl+K asks it."""
    _search[:] = [entry]


def search_href(request: HttpRequest | None) -> str:
    """Return the address of the search, nothing where there is none or the reader may not search."""
    rights: frozenset[str] = getattr(getattr(request, "scope", None), "rights", frozenset())
    return next((entry.href for entry in _search if entry.rights & rights), "")


def links(request: HttpRequest | None) -> list[Link]:
    """Return the ways open to whoever asks; none for nobody."""
    rights: frozenset[str] = getattr(getattr(request, "scope", None), "rights", frozenset())
    if request is None or not rights:
        return []
    return [
        Link(
            entry.title, entry.href, request.path.startswith((entry.href, *entry.under)),
            entry.count(request) if entry.count else 0, entry.count_topic, entry.count_from,
        )
        for entry in _entries
        if entry.rights & rights and (entry.is_there is None or entry.is_there())
    ]
