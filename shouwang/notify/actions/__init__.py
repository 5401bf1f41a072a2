"""Writes of the outbox: queue, deliver, lease, record; and what comes back from outside."""

from __future__ import annotations

from shouwang.notify.actions.answering import mark_read, report_delivery, save_setting, take_reply
from shouwang.notify.actions.checking import Checkup, move_speakers, put_off_checks, record_checks, save_speaker, switch_speaker
from shouwang.notify.actions.claiming import Leased, Room, TurnTaken, fail_unserved, lease_bundles, put_off, take_turn
from shouwang.notify.actions.queueing import NewMessage, queue
from shouwang.notify.actions.sending import Result, deliver_inbox, record_outcomes
from shouwang.notify.actions.sounding import (
    BELL,
    Heard,
    LeasedSound,
    NewSound,
    drop_ladder,
    forget_sounds,
    queue_sounds,
    record_sounds,
    take_up,
    wake_player,
)
from shouwang.notify.actions.wishing import remove_robot, save_robot, set_wishes

__all__ = [
    "BELL", "Checkup", "Heard", "Leased", "LeasedSound", "NewMessage", "NewSound", "Result", "Room", "TurnTaken", "deliver_inbox",
    "drop_ladder", "fail_unserved", "forget_sounds", "lease_bundles", "mark_read", "move_speakers", "put_off", "put_off_checks", "queue", "queue_sounds",
    "record_checks", "record_outcomes", "record_sounds", "remove_robot", "report_delivery", "save_robot", "save_setting",
    "save_speaker", "set_wishes", "switch_speaker", "take_reply", "take_turn", "take_up", "wake_player",
]
