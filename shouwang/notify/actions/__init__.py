"""Writes of the outbox: queue, deliver, lease, record; and what comes back from outside."""

from __future__ import annotations

from shouwang.notify.actions.answering import mark_read, report_delivery, save_setting, take_reply
from shouwang.notify.actions.claiming import Leased, Room, TurnTaken, fail_unserved, lease_bundles, put_off, take_turn
from shouwang.notify.actions.queueing import NewMessage, queue
from shouwang.notify.actions.sending import Result, deliver_inbox, record_outcomes
from shouwang.notify.actions.wishing import remove_robot, save_robot, set_wishes

__all__ = [
    "Leased", "NewMessage", "Result", "Room", "TurnTaken", "deliver_inbox", "fail_unserved", "lease_bundles", "mark_read",
    "put_off", "queue", "record_outcomes", "remove_robot", "report_delivery", "save_robot", "save_setting", "set_wishes",
    "take_reply", "take_turn",
]
