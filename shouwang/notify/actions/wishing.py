"""What is set up for reaching persons: robots of groups, and how a person wishes to be told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.notify import events
from shouwang.notify.models import Preference, Robot
from shouwang.notify.rules.errors import QuietHoursInvalid, RobotInvalid
from shouwang.notify.rules.hosts import refusal
from shouwang.notify.rules.wishes import LAST_STEP, Quiet


def save_robot(
    channel: str, *, area_id: int, url: str, secret: str, allowed: Collection[str], by: int | None, now: datetime,
) -> int:
    """Give an area its robot on a channel, or another one, and return its id; a secret left empty is none. Raises RobotInvalid.

    The log says who did it, never what the address holds.
    """
    reason = refusal(url, allowed=allowed)
    if reason is not None:
        raise RobotInvalid(reason=reason)
    with transaction.atomic():
        row, _ = Robot.objects.update_or_create(channel=channel, area_id=area_id, defaults={"url": url, "secret": secret})
        append([NewEvent(events.ROBOT_CHANGED, area_id, {"channel": channel, "kept": True, "by": by})], now=now)
    return row.pk


def remove_robot(robot_id: int, *, by: int | None, now: datetime) -> None:
    """Take a robot away; its area's persons are told through the next one above. Taking it away twice changes nothing."""
    with transaction.atomic():
        row = Robot.objects.filter(pk=robot_id).first()
        if row is not None:
            channel, area_id = row.channel, row.area_id
            row.delete()
            append([NewEvent(events.ROBOT_CHANGED, area_id, {"channel": channel, "kept": False, "by": by})], now=now)


def set_wishes(person_id: int, *, steps: Mapping[str, int], quiet: Quiet | None) -> None:
    """Keep in which order a person is told, and when only of what is red. Raises QuietHoursInvalid."""
    if quiet is not None and quiet.start == quiet.end:
        raise QuietHoursInvalid(start=_clock(quiet.start), end=_clock(quiet.end))
    kept = {channel: min(max(step, 0), LAST_STEP) for channel, step in steps.items()}
    with transaction.atomic():
        Preference.objects.update_or_create(
            person_id=person_id,
            defaults={
                "steps": msgspec.json.encode(kept).decode(), "quiet_from": quiet.start if quiet else None,
                "quiet_until": quiet.end if quiet else None,
            },
        )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
