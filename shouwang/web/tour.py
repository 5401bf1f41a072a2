"""What the tour shows: the practices of the city, where each is seen at work, and the figures published of it, counted from rows.

Counts only, of the whole city: no name, no address, no single case. The page is there in a demo only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from shouwang.indicators.queries import practices, published_value
from shouwang.indicators.rules.practices import BUILT, Practice, PublishedFigure
from shouwang.kernel.texts import Text
from shouwang.people.rules import SYSTEM
from shouwang.web.demo import Role

SEES_ALL = "city"
TONES = {"RUNNING": "done", "PART": "doing"}


@dataclass(frozen=True)
class Shown:
    """One published figure: what it comes to, and the address of its rows."""

    figure: PublishedFigure
    value: str
    rows: str


@dataclass(frozen=True)
class Card:
    """One practice: how far it is built, the address of its running loop (empty for none), and its figures."""

    practice: Practice
    state: Text
    tone: str
    opens: str
    figures: Sequence[Shown]


def cards(roles: Sequence[Role]) -> list[Card]:
    """Return a card for each practice of the city, in their order; one query a figure."""
    known, links = practices(), {role.code: role.href for role in roles}
    return [
        Card(
            practice, BUILT[practice.built], TONES.get(practice.built, ""),
            _entering(links, practice.role, practice.opens) if practice.opens else "",
            [_shown(figure, links) for figure in known.figures_of(practice.code)],
        )
        for practice in known.all
    ]


def _shown(figure: PublishedFigure, links: Mapping[str, str]) -> Shown:
    value = published_value(SYSTEM, figure)
    return Shown(figure, f"{value:,}", _entering(links, SEES_ALL, f"/figures/published/{figure.code}/"))


def _entering(links: Mapping[str, str], role: str, address: str) -> str:
    """Return the address that enters as `role` and leads on; the address itself where the demo has no such role."""
    return f"{links[role]}?{urlencode({'next': address})}" if role in links else address
