"""Reads of activities. Whatever an officer reads takes a Scope; the public pages take the public code."""

from __future__ import annotations

from shouwang.activities.queries.catalogue import (
    consent_text,
    consent_texts,
    current_consent,
    kind_of,
    kinds,
    matter_of,
    matters,
    matters_of,
)
from shouwang.activities.queries.entries import OwnSignUp, SignUpRow, own_sign_up, sign_ups
from shouwang.activities.queries.lists import ActivityRow, Filters, in_month, list_activities, rows_of, titles_of
from shouwang.activities.queries.pages import ActivityPage, MatterRow, PhotoRow, about_case, activity_page, matters_at
from shouwang.activities.queries.public import Board, Notice, Turn, board_of, notice_of, turn_of
from shouwang.activities.queries.queue import WindowNow, tickets_of, window_now
from shouwang.activities.queries.scoped import MANAGE, READ, activity_in, may_manage, within

__all__ = [
    "MANAGE", "READ", "ActivityPage", "ActivityRow", "Board", "Filters", "MatterRow", "Notice", "OwnSignUp", "PhotoRow", "SignUpRow",
    "Turn", "WindowNow", "about_case", "activity_in", "activity_page", "board_of", "consent_text", "consent_texts", "current_consent",
    "in_month", "kind_of", "kinds", "list_activities", "matter_of", "matters", "matters_at", "matters_of", "may_manage", "notice_of",
    "own_sign_up", "rows_of", "sign_ups", "tickets_of", "titles_of", "turn_of", "window_now", "within",
]
