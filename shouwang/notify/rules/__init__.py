"""Pure rules of sending: when messages go together, what follows an outcome, and the words of a message."""

from __future__ import annotations

from shouwang.notify.rules.bundling import Bundle, Waiting, due_bundles, next_due_at
from shouwang.notify.rules.delivery import (
    INBOX,
    Delivered,
    Missing,
    Next,
    Outcome,
    Rejected,
    Retry,
    Sent,
    State,
    Step,
    Traits,
    Unknown,
    after_query,
    after_send,
    retake,
)
from shouwang.notify.rules.texts import (
    TEMPLATES,
    WORDS,
    link_of,
    phrase,
    register,
    register_home,
    register_link,
    register_page,
    register_words,
    render,
)

__all__ = [
    "INBOX", "TEMPLATES", "WORDS", "Bundle", "Delivered", "Missing", "Next", "Outcome", "Rejected", "Retry", "Sent", "State", "Step",
    "Traits", "Unknown", "Waiting", "after_query", "after_send", "due_bundles", "link_of", "next_due_at", "phrase", "register", "register_home", "register_link", "register_page", "register_words",
    "render", "retake",
]
