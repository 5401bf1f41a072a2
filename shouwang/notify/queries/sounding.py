"""Reads of loudspeakers and their sounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.db.models import Min, Q

from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.notify.models import ALIVE, Sound, Speaker
from shouwang.notify.rules.sounds import Alive, SoundState, SpeakerState
from shouwang.people.rules import Scope
from shouwang.places.queries import setting, within
from shouwang.places.rules.errors import SettingInvalid
from shouwang.places.rules.settings import SettingSpec

RIGHT = "settings.edit"
ALIVE_MOST = 5_000
CHECKS_MOST = 64


def _hour(value: int) -> None:
    if not 7 <= value <= 20:
        raise SettingInvalid(key="notify.speaker_check_hour", found=str(value), expected=Text("7 到 20 的整点", "an hour from 7 to 20"))


CHECK_HOUR = SettingSpec(
    "notify.speaker_check_hour", Text("每天几点检查喇叭", "Hour of the daily check of loudspeakers"), "INTEGER", 9,
    Text("7 到 20 点。有的喇叭检查时会放一声轻音。", "From 7 to 20. Some loudspeakers play a soft tone for it."), _hour,
)


@dataclass(frozen=True, slots=True)
class SpeakerRow:
    """A loudspeaker; its secret stays in the table."""

    id: int
    code: str
    kind: str
    name: str
    area_id: int
    path: str
    thing_id: int | None
    enabled: bool
    state: SpeakerState
    reason: str
    checked_at: datetime | None
    settings: Mapping[str, str] = field(default_factory=dict)
    has_secret: bool = False


@dataclass(frozen=True, slots=True)
class SoundRow:
    """How one sound stands."""

    id: int
    speaker_id: int
    key: str
    ladder: str
    prompt: str
    said: str
    severity: int
    due_at: datetime
    not_after: datetime
    state: SoundState
    reason: str
    attempts: int
    played_at: datetime | None
    done_at: datetime | None
    exercise_id: int | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A loudspeaker as a check needs it."""

    id: int
    kind: str
    settings: Mapping[str, str]
    secret: str
    area_id: int
    state: SpeakerState
    failures: int


def speakers_of_things(thing_ids: Iterable[int]) -> dict[int, list[SpeakerRow]]:
    """Return the loudspeakers that are switched on, by the thing they belong to; a thing without one is left out."""
    found: dict[int, list[SpeakerRow]] = {}
    for row in Speaker.objects.filter(thing_id__in=set(thing_ids), enabled=True).order_by("id"):
        if row.thing_id is not None:
            found.setdefault(row.thing_id, []).append(_speaker(row))
    return found


def speakers(
    scope: Scope, *, text: str = "", kind: str = "", state: SpeakerState | None = None, is_on: bool | None = None, offset: int = 0,
    limit: int = 50,
) -> tuple[list[SpeakerRow], int]:
    """Return a slice of the loudspeakers that `scope` may set up, by code, and how many there are."""
    found = Speaker.objects.filter(within(scope.paths_for(RIGHT)))
    if kind:
        found = found.filter(kind=kind)
    if state is not None:
        found = found.filter(state=state)
    if is_on is not None:
        found = found.filter(enabled=is_on)
    if text:
        found = found.filter(Q(code__icontains=text) | Q(name__icontains=text))
    return [_speaker(row) for row in found.order_by("code")[offset : offset + limit]], found.count()


def speaker(scope: Scope, speaker_id: int) -> SpeakerRow:
    """Return one loudspeaker that `scope` may set up. Raises NotFound."""
    row = Speaker.objects.filter(within(scope.paths_for(RIGHT)), pk=speaker_id).first()
    if row is None:
        raise NotFound(what=f"喇叭 {speaker_id}")
    return _speaker(row)


def thing_of(speaker_id: int) -> str:
    """Return the number of the thing a loudspeaker belongs to, empty where it belongs to none."""
    return Speaker.objects.filter(pk=speaker_id).values_list("thing__external_id", flat=True).first() or ""


def speaker_secret(speaker_id: int) -> str:
    """Return the secret of a loudspeaker, for whoever is about to call it; empty where there is none."""
    return Speaker.objects.filter(pk=speaker_id).values_list("secret", flat=True).first() or ""


def sounds_of_ladders(ladders: Iterable[str]) -> dict[str, list[SoundRow]]:
    """Return the sounds of these ladders in the order in which they are due; a ladder without any is left out."""
    found: dict[str, list[SoundRow]] = {}
    for row in Sound.objects.filter(ladder__in=set(ladders)).order_by("due_at", "id"):
        found.setdefault(row.ladder, []).append(_sound(row))
    return found


def newest_sounds(speaker_ids: Collection[int], *, limit: int = 20) -> list[SoundRow]:
    """Return the newest sounds of these loudspeakers, newest first."""
    return [_sound(row) for row in Sound.objects.filter(speaker_id__in=speaker_ids).order_by("-due_at", "-id")[:limit]]


def alive_sounds() -> list[Alive]:
    """Return the sounds that have not ended, the first to be taken up first; at most ALIVE_MOST."""
    rows = Sound.objects.filter(ALIVE).order_by("again_at", "id")[:ALIVE_MOST].values_list(
        "pk", "speaker_id", "severity", "state", "due_at", "not_after", "again_at", "attempts", "fence",
    )
    return [
        Alive(pk, speaker_id, severity, SoundState(state), due_at, not_after, again_at or due_at, attempts, fence)
        for pk, speaker_id, severity, state, due_at, not_after, again_at, attempts, fence in rows
    ]


def soon_said(until: datetime) -> list[str]:
    """Return the words that are not recorded and are due before `until`, so that a voice can speak them beforehand."""
    return list(Sound.objects.filter(ALIVE, due_at__lt=until).exclude(said="").values_list("said", flat=True)[:CHECKS_MOST])


def checks_due(now: datetime, *, busy: Collection[int]) -> list[Checked]:
    """Return the loudspeakers to look at now, the longest due first; those that sound are looked at later."""
    rows = Speaker.objects.filter(enabled=True, check_at__lte=now).exclude(pk__in=busy).order_by("check_at", "id")[:CHECKS_MOST]
    return [
        Checked(row.pk, row.kind, msgspec.json.decode(row.settings), row.secret, row.area_id, SpeakerState(row.state), row.failures)
        for row in rows
    ]


def next_check_at(*, busy: Collection[int]) -> datetime | None:
    """Return when the next loudspeaker is looked at, None where there is none."""
    found: datetime | None = Speaker.objects.filter(enabled=True).exclude(pk__in=busy).aggregate(at=Min("check_at"))["at"]
    return found


def check_hour(area_id: int) -> int:
    """Return at which hour of the local day the loudspeakers of an area are looked at."""
    return int(setting(area_id, CHECK_HOUR.key).value)


def _speaker(row: Speaker) -> SpeakerRow:
    return SpeakerRow(
        row.pk, row.code, row.kind, row.name, row.area_id, row.path, row.thing_id, row.enabled, SpeakerState(row.state), row.reason,
        row.checked_at, msgspec.json.decode(row.settings), bool(row.secret),
    )


def _sound(row: Sound) -> SoundRow:
    return SoundRow(
        row.pk, row.speaker_id, row.key, row.ladder, row.prompt, row.said, row.severity, row.due_at, row.not_after, SoundState(row.state),
        row.reason, row.attempts, row.played_at, row.done_at, row.exercise_id,
    )
