"""Leading: messages that go as one are led by the gravest of them, which alone is sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shouwang.journal.sql import run, run_many
from shouwang.kernel.moments import to_us
from shouwang.notify.rules import Bundle
from shouwang.notify.rules.bundling import URGENT

CHUNK = 500


_TOGETHER = """
done_at IS NULL AND leader_id IS NULL AND lease_until IS NULL AND person_id = %s AND channel = %s AND severity < %s
AND (not_before IS NULL OR not_before <= %s)
"""


def lead(bundle: Bundle, *, now: datetime, **columns: Any) -> tuple[int, int]:
    """Make the gravest, then oldest, message of `bundle` lead the others; return it and how many others there are.

    The others are given `columns`: names and values as the table holds them.
    """
    whose, values = _together(bundle, now)
    found = run(f"SELECT id FROM notify_message WHERE {whose} ORDER BY severity DESC, id LIMIT 1", values).fetchone()  # noqa: S608 - our own words
    leader = found[0] if found else bundle.first_id
    changes = "".join(f", {column} = %s" for column in columns)
    led = f"UPDATE notify_message SET leader_id = %s{changes} WHERE {whose} AND id <> %s"  # noqa: S608 - names come from the code
    return leader, run(led, (leader, *columns.values(), *values, leader)).rowcount


def postpone(bundle: Bundle, until: datetime, *, now: datetime) -> None:
    """Put the messages of `bundle` off to the end of its person's quiet hours."""
    whose, values = _together(bundle, now)
    statement = f"UPDATE notify_message SET not_before = %s, was_quiet = %s WHERE {whose}"  # noqa: S608 - our own words
    run(statement, (to_us(until), True, *values))


def _together(bundle: Bundle, now: datetime) -> tuple[str, tuple[Any, ...]]:
    """Return the condition that a message belongs to `bundle` and nobody has taken it up, and its values."""
    values = (bundle.person_id, bundle.channel, URGENT, to_us(now))
    if bundle.exercise_id is None:
        return f"{_TOGETHER} AND exercise_id IS NULL", values
    return f"{_TOGETHER} AND exercise_id = %s", (*values, bundle.exercise_id)


_REMEMBER = """
INSERT INTO notify_last_sent (person_id, channel, exercise_id, at) VALUES (%s, %s, %s, %s)
ON CONFLICT (person_id, channel, exercise_id) DO UPDATE SET at = excluded.at
"""


def remember(bundles: Iterable[Bundle], *, now: datetime) -> None:
    """Keep for the throttle that these persons are being sent something; urgent messages do not count."""
    run_many(_REMEMBER, [
        (bundle.person_id, bundle.channel, bundle.exercise_id or 0, to_us(now)) for bundle in bundles if not bundle.urgent
    ])
