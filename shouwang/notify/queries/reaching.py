"""Reads of how persons are reached: channels that are switched on, addresses, robots of groups, wishes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shouwang.journal.prepared import Prepared
from shouwang.journal.sql import rows_for
from shouwang.kernel.moments import from_us, local
from shouwang.kernel.texts import Text
from shouwang.notify import registry
from shouwang.notify.contract import Manifest
from shouwang.notify.contract import Robot as RobotAddress
from shouwang.notify.models import ChannelSetting, Robot, TargetUse
from shouwang.notify.rules import INBOX
from shouwang.notify.rules.rates import Target, Use
from shouwang.notify.rules.wishes import NO_WISHES, Plan, Quiet, Wishes, quiet_until, ring_wait, steps_of
from shouwang.people.queries import contacts_of, paths_of, person_cards
from shouwang.places.queries import full_names, settings_of
from shouwang.places.rules.settings import SettingSpec
from shouwang.places.rules.tree import ancestors

ENABLED_FOR_S = 5.0
AREA_AGE_S = 5.0
AREAS_KEPT = 10_000
NO_PLAN = Plan()
RING_MINUTES = SettingSpec(
    "notify.ring_minutes", Text("未签收多少分钟后改用本人的下一渠道", "Minutes unaccepted until a person's next channel"), "INTEGER", 5,
    Text("如电话。红色事项另计；0 为立即，-1 为从不。责任层级的升级不受影响。",
         "Such as the telephone. Red has its own; 0 at once, -1 never. The ladder goes on at its own times."),
)
RING_RED_MINUTES = SettingSpec(
    "notify.ring_red_minutes", Text("红色事项未签收多少分钟后改用本人的下一渠道", "Minutes unaccepted until the next channel, for red"), "INTEGER", 1,
    Text("0 为立即，-1 为从不。", "0 at once, -1 never."),
)
_enabled: dict[str, tuple[float, frozenset[str]]] = {}
_waits: dict[int, tuple[float, tuple[int, int]]] = {}


@dataclass(frozen=True, slots=True)
class Contact:
    """Where and in which language a person is reached on one channel; `robot` speaks to the group where it is shared."""

    address: str
    language: str
    phone: str = ""
    robot: RobotAddress | None = None


@dataclass(frozen=True, slots=True)
class RobotRow:
    """A robot as the settings page shows it."""

    id: int
    channel: str
    area_id: int
    area: str
    address: RobotAddress


@dataclass(frozen=True, slots=True)
class Setting:
    """A channel's stored settings."""

    settings: Mapping[str, Any]
    enabled: bool


def channels_of(person_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the channels each person is told on at once: the inbox, and the first step of the own ones that are on here."""
    return {person_id: (INBOX, *plan.first) for person_id, plan in plans_of(person_ids).items()}


def plans_of(person_ids: Collection[int]) -> dict[int, Plan]:
    """Return in which order each of these persons is told on the own channels that are switched on here."""
    on = enabled_channels()
    own = contacts_of(person_ids) if on else {}
    if not own:
        return dict.fromkeys(person_ids, NO_PLAN)
    wishes = wishes_of(own)
    rings = frozenset(code for code in on if registry.manifests()[code].rings)
    return {
        person_id: Plan(
            steps_of(
                [row.channel for row in own.get(person_id, ()) if row.channel in on], wishes.get(person_id, NO_WISHES), rings=rings,
            ),
            rings,
        )
        for person_id in person_ids
    }


def ring_wait_at(area_id: int, severity: int) -> timedelta | None:
    """Return how long a person at an area has before the next channel is tried, None for ever. At most AREA_AGE_S old."""
    kept_s, kept = _waits.get(area_id, (float("-inf"), (0, 0)))
    if time.monotonic() - kept_s > AREA_AGE_S:
        found = settings_of(area_id, [RING_MINUTES.key, RING_RED_MINUTES.key])
        kept = (found[RING_MINUTES.key].value, found[RING_RED_MINUTES.key].value)
        if len(_waits) >= AREAS_KEPT:
            _waits.clear()
        _waits[area_id] = (time.monotonic(), kept)
    return ring_wait(*kept, severity)


_WISHES = "SELECT person_id, steps, quiet_from, quiet_until FROM notify_preference WHERE person_id IN {ids}"


def wishes_of(person_ids: Collection[int]) -> dict[int, Wishes]:
    """Return how these persons wish to be told; whoever has said nothing is left out."""
    return {
        person_id: Wishes(msgspec.json.decode(steps), None if start is None or end is None else Quiet(start, end))
        for person_id, steps, start, end in rows_for(_WISHES, person_ids)
    }


def quiet_ends(person_ids: Collection[int], *, now: datetime) -> dict[int, datetime]:
    """Return when the quiet hours of those end for whom they hold at `now`."""
    ends = {
        person_id: quiet_until(wishes.quiet, local(now))
        for person_id, wishes in (wishes_of(person_ids) if person_ids else {}).items()
        if wishes.quiet is not None
    }
    return {person_id: end for person_id, end in ends.items() if end is not None}


def contacts(person_ids: Collection[int], channel: str) -> dict[int, Contact]:
    """Return how to reach these persons on `channel`: the address kept for it, else the telephone for a telephone channel.

    On a shared channel with the robot of the nearest area at or above the person's own that has one.
    """
    own = {
        person_id: row.address for person_id, rows in contacts_of(person_ids).items() for row in rows if row.channel == channel
    }
    manifest = registry.manifests()[channel]
    robots = _robots_of(person_ids, channel) if manifest.is_shared else {}
    return {
        person_id: Contact(
            own.get(person_id) or (card.phone if manifest.by_phone else ""), card.language,
            card.phone if manifest.is_shared else "", robots.get(person_id),
        )
        for person_id, card in person_cards(person_ids, language="zh").items()
    }


def targets(person_ids: Collection[int], manifest: Manifest) -> dict[int, Target]:
    """Return what the rate of a channel is counted for, by person; nobody where it has none or the person cannot be reached."""
    rate = manifest.rate
    if rate is None or not person_ids:
        return {}
    if rate.per == "channel":
        return dict.fromkeys(person_ids, Target(manifest.code, "", rate, manifest.is_shared))
    found = {}
    for person_id, contact in contacts(person_ids, manifest.code).items():
        counted = contact.robot.url if rate.per == "robot" and contact.robot else contact.address if rate.per == "address" else ""
        if counted:
            found[person_id] = Target(manifest.code, fingerprint(counted), rate, manifest.is_shared)
    return found


def fingerprint(text: str) -> str:
    """Return a short name for an address that holds a token or a number, to be stored in its place."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def uses_of(wanted: Collection[Target]) -> dict[Target, Use]:
    """Return how these targets have been used; one never used is left out."""
    if not wanted:
        return {}
    rows = TargetUse.objects.filter(channel__in={each.channel for each in wanted}, target__in={each.key for each in wanted})
    found = {(row.channel, row.target): Use(tuple(map(from_us, msgspec.json.decode(row.sent))), row.blocked_until) for row in rows}
    return {each: found[each.channel, each.key] for each in wanted if (each.channel, each.key) in found}


def robots(channel: str) -> list[RobotRow]:
    """Return the robots of a shared channel, in the order of their areas' paths of names."""
    rows = list(Robot.objects.filter(channel=channel))
    names = full_names([row.area_id for row in rows])
    found = [
        RobotRow(row.pk, row.channel, row.area_id, names.get(row.area_id, ""), RobotAddress(row.url, row.secret)) for row in rows
    ]
    return sorted(found, key=lambda row: (row.area, row.id))


_ENABLED = Prepared(
    lambda codes: ChannelSetting.objects.filter(enabled=True, channel__in=codes).exclude(channel=INBOX).values_list("channel"),
)


def enabled_channels() -> frozenset[str]:
    """Return the channels beside the inbox that are switched on, as they were at most ENABLED_FOR_S ago."""
    known_s, known = _enabled.get("", (float("-inf"), frozenset[str]()))
    if time.monotonic() - known_s > ENABLED_FOR_S:
        known = frozenset(channel for (channel,) in _ENABLED.rows(sorted(registry.manifests())))
        _enabled[""] = (time.monotonic(), known)
    return known


def forget() -> None:
    """Forget which channels are switched on, and the areas' waits."""
    _enabled.clear()
    _waits.clear()


def settings() -> dict[str, Setting]:
    """Return the stored settings by channel."""
    return {row.channel: Setting(msgspec.json.decode(row.settings), row.enabled) for row in ChannelSetting.objects.all()}


def _robots_of(person_ids: Collection[int], channel: str) -> dict[int, RobotAddress]:
    by_area = {
        area_id: RobotAddress(url, secret)
        for area_id, url, secret in Robot.objects.filter(channel=channel).values_list("area_id", "url", "secret")
    }
    found = {}
    for person_id, path in (paths_of(person_ids) if by_area else {}).items():
        nearest = next((area_id for area_id in ancestors(path) if area_id in by_area), None)
        if nearest is not None:
            found[person_id] = by_area[nearest]
    return found
