"""Reads of messages, and of how persons are reached."""

from __future__ import annotations

from shouwang.notify.queries.outbox import (
    Entry,
    Sending,
    alive_count,
    counts_by_state,
    has_lapsed,
    inbox,
    last_push_seq,
    last_sent,
    member_counts,
    members,
    messages_of_tasks,
    newest,
    next_alarm_at,
    pushes_after,
    states_of_key,
    unreached_since,
    unread_count,
    visible,
    waiting,
)
from shouwang.notify.queries.reaching import (
    Contact,
    RobotRow,
    Setting,
    channels_of,
    contacts,
    enabled_channels,
    fingerprint,
    forget,
    plans_of,
    quiet_ends,
    ring_wait_at,
    robots,
    settings,
    targets,
    uses_of,
    wishes_of,
)

__all__ = [
    "Contact", "Entry", "RobotRow", "Sending", "Setting", "alive_count", "channels_of", "contacts", "counts_by_state",
    "enabled_channels", "fingerprint", "forget", "has_lapsed", "inbox", "last_push_seq", "last_sent", "member_counts",
    "members", "messages_of_tasks", "newest", "next_alarm_at", "plans_of", "pushes_after", "quiet_ends", "ring_wait_at",
    "robots", "settings", "states_of_key", "targets", "unreached_since", "unread_count", "uses_of", "visible", "waiting",
    "wishes_of",
]
