"""The words of what leaves as one: a message, a bundle, what waited for the end of quiet hours, or several to a group. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.notify.rules.texts import PLAIN, QUIET_OVER, home_link, link_of, render

LINES = 5
SHORTEST = 20
TOGETHER = Text("{count} 条消息，请 {persons} 人登录守望查看：", "{count} messages for {persons} persons; sign in to read them:")
HEADLINE = Text("守望 · {zh}色", "Shouwang · {en}")
OPEN = Text("打开守望", "Open Shouwang")
MORE = Text("另有 {count} 种消息", "and {count} more kinds of messages")


@dataclass(frozen=True, slots=True)
class Part:
    """A message, or a bundle of `count` that it leads, for one person. `was_quiet`: it has waited for the end of quiet hours.

    `is_plain`: its template cannot be said, so its name is. `own`: the words of the person's area in place of the template's.
    """

    person_id: int
    template: str
    params: Mapping[str, Any]
    count: int = 1
    task_id: int | None = None
    is_exercise: bool = False
    was_quiet: bool = False
    is_plain: bool = False
    own: Text | None = None


def link_for(part: Part, *, is_shared: bool) -> str:
    """Return the address that a message carries.

    A person's own opens the task; a group is given one that asks to sign in, or anybody there could act as that person.
    What waited for the morning may have been taken by another, so it leads to the own tasks.
    """
    if is_shared or part.was_quiet:
        return home_link()
    return link_of(part.task_id, part.person_id, template=part.template, params=part.params)


def say(parts: Sequence[Part], *, language: str, limit: int, link: str = "") -> str:
    """Return what is said of `parts`, the gravest first, at most `limit` characters with `link` at the end.

    A link is never cut: beside a very long one stand SHORTEST characters all the same.
    """
    room = max(limit - len(link) - 1, SHORTEST) if link else limit
    text = _sentence(parts[0], language, room) if len(parts) == 1 else _together(parts, language)
    shown = text if len(text) <= room else text[: room - 1] + "…"
    return f"{shown} {link}" if link else shown


def headline(severity: int, *, language: str) -> str:
    """Return the title of a card: the colour of the gravest message in words."""
    level = Severity(severity)
    return HEADLINE.render(language, {"zh": level.zh, "en": level.name.lower()})


def fit(text: str, limit_bytes: int) -> str:
    """Return `text`, cut between characters so that it is at most `limit_bytes` of UTF-8."""
    raw = text.encode()
    if len(raw) <= limit_bytes:
        return text
    return raw[: limit_bytes - len("…".encode())].decode(errors="ignore") + "…"


def _sentence(part: Part, language: str, limit: int | None = None) -> str:
    if part.is_plain:
        return render(PLAIN, {"name": part.template}, language=language, limit=limit, is_exercise=part.is_exercise)
    if part.was_quiet:
        return render(QUIET_OVER, {"count": part.count}, language=language, limit=limit, is_exercise=part.is_exercise)
    return render(
        part.template, part.params, language=language, count=part.count, limit=limit, is_exercise=part.is_exercise, own=part.own,
    )


def _together(parts: Sequence[Part], language: str) -> str:
    counts = {"count": sum(part.count for part in parts), "persons": len({part.person_id for part in parts})}
    kinds = list(dict.fromkeys(_sentence(part, language) for part in parts))
    lines = [TOGETHER.render(language, counts), *kinds[:LINES]]
    if len(kinds) > LINES:
        lines.append(MORE.render(language, {"count": len(kinds) - LINES}))
    return "\n".join(lines)
