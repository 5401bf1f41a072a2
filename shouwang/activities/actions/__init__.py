"""Writes of activities: plan and run them, sign-ups and consent, the queue, matters as cases, attendance as a count."""

from __future__ import annotations

from shouwang.activities.actions.counting import correct_attendance, count_attendance, note_cost, rate
from shouwang.activities.actions.entries import (
    Revealed,
    enter_sign_up,
    note_arrival,
    reveal_sign_up,
    sign_up,
    withdraw_own,
    withdraw_sign_up,
)
from shouwang.activities.actions.erasing import drop_old_consents, erase_names
from shouwang.activities.actions.matters import NewMatter, record_matter, record_matters
from shouwang.activities.actions.photos import add_photo, remove_photo
from shouwang.activities.actions.planning import change, copy_to, move, plan
from shouwang.activities.actions.publishing import publish_shipped
from shouwang.activities.actions.queue import call_again, call_next, finish, give_number, take_number

__all__ = [
    "NewMatter", "Revealed", "add_photo", "call_again", "call_next", "change", "copy_to", "correct_attendance", "count_attendance",
    "drop_old_consents", "enter_sign_up", "erase_names", "finish", "give_number", "move", "note_arrival", "note_cost", "plan",
    "publish_shipped", "rate", "record_matter", "record_matters", "remove_photo", "reveal_sign_up", "sign_up", "take_number", "withdraw_own",
    "withdraw_sign_up",
]
