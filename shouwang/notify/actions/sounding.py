"""Sounds: queued with the decision, dropped together, leased to a player, recorded. Every one ends (invariant I4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from shouwang.journal import wake
from shouwang.journal.actions import append, check_fence
from shouwang.journal.rules import Json, Lease, NewEvent
from shouwang.kernel.moments import to_us
from shouwang.notify import events
from shouwang.notify.actions.checking import heard, unheard
from shouwang.notify.models import ALIVE, Sound, Speaker
from shouwang.notify.rules.delivery import Outcome
from shouwang.notify.rules.errors import SoundInvalid
from shouwang.notify.rules.prompts import PROMPTS
from shouwang.notify.rules.sounds import AfterPlay, Alive, Loudness, SoundState, after_death, after_play

BELL = "voice"
FORGOTTEN_AT_ONCE = 2_000
KEY_MOST, LADDER_MOST, SAID_MOST = 80, 64, 120
LATE = AfterPlay(SoundState.LATE, "LATE")
CUT = "PLAYER_DIED"
SPEAKER_OFF = AfterPlay(SoundState.FAILED, "SPEAKER_OFF")


@dataclass(frozen=True, slots=True)
class NewSound:
    """A sound to queue. `key` is unique: it sounds once, however often it is queued.

    `prompt` is what is recorded; `said` are other words, spoken where this machine has a voice and they are at most SAID_MOST
    characters. `loudness` is the percent of what the loudspeaker is set to at that hour. It begins at `due_at`, and never
    at or after `not_after`: one whose time is over already ends LATE.
    """

    speaker_id: int
    key: str
    ladder: str
    prompt: str
    due_at: datetime
    not_after: datetime
    severity: int
    said: str = ""
    loudness: int = 100
    exercise_id: int | None = None


@dataclass(frozen=True, slots=True)
class LeasedSound:
    """A sound that this process alone may play; `loudness` is the percent for the device at this hour.

    `was_cut`: the player before died while the loudspeaker sounded.
    """

    id: int
    speaker_id: int
    key: str
    prompt: str
    said: str
    loudness: int
    attempts: int
    fence: int
    not_after: datetime
    kind: str
    settings: Mapping[str, str]
    secret: str
    was_cut: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of playing one sound, and when it began; None of both where it was too late to begin."""

    leased: LeasedSound
    outcome: Outcome | None
    began_at: datetime | None


def queue_sounds(sounds: Sequence[NewSound], *, now: datetime) -> None:  # noqa: ARG001 - every action is given the moment
    """Queue `sounds` inside the caller's transaction; whoever plays is woken after the commit. A key that is there changes nothing.

    Raises SoundInvalid; IntegrityError for a loudspeaker that there is not.
    """
    for each in sounds:
        _check(each)
    if sounds:
        with transaction.atomic():
            Sound.objects.bulk_create([_row(each) for each in sounds], ignore_conflicts=True)
            transaction.on_commit(wake_player)


def drop_ladder(ladder: str, *, now: datetime) -> int:
    """Drop what of `ladder` has not begun, and return how many sounds that were; what sounds now is heard to its end."""
    waiting = Sound.objects.filter(ALIVE, ladder=ladder, state=SoundState.PENDING)
    return waiting.update(state=SoundState.DROPPED, done_at=now, again_at=None)


def forget_sounds(*, before: datetime) -> int:
    """Delete the oldest sounds that had ended `before`, at most FORGOTTEN_AT_ONCE, and return how many."""
    oldest = Sound.objects.filter(done_at__lt=before).order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]
    with transaction.atomic():
        return Sound.objects.filter(pk__in=list(oldest)).delete()[0]


def wake_player() -> None:
    """Wake the process that plays."""
    wake.ring(BELL)


def take_up(
    due: Sequence[Alive], *, late: Collection[Alive], orphans: Collection[Alive], now: datetime, lease: Lease, ttl: timedelta,
) -> list[LeasedSound]:
    """Lease what is due, end what is too late or has lost its player, in one transaction, and publish what has ended.

    What has lost its player waits again where there is time for it. Raises LeaseLost when another process took over.
    """
    leased: list[LeasedSound] = []
    published: list[NewEvent] = []
    with transaction.atomic():
        check_fence(lease)
        for each in late:
            published += _end(each.id, LATE, now=now, fence=None) or ()
        for each in orphans:
            following = after_death(attempts=each.attempts, now=now, not_after=each.not_after)
            published += _end(each.id, following, now=now, fence=each.fence) or ()
            unheard(each.speaker_id, now=now)
        for row in Sound.objects.filter(pk__in=[each.id for each in due]).select_related("speaker").order_by("pk"):
            if not row.speaker.enabled:
                published += _end(row.pk, SPEAKER_OFF, now=now, fence=None) or ()
            elif _mine(row.pk, None).update(state=SoundState.LEASED, again_at=now + ttl, fence=lease.fence, attempts=row.attempts + 1):
                leased.append(_leased(row, now=now, fence=lease.fence))
        if published:
            append(published, now=now)
    return leased


def record_sounds(results: Sequence[Heard], *, now: datetime, lease: Lease) -> int:
    """Record what came of playing, publish it, and return how many sounds were still this process's. Raises LeaseLost.

    A loudspeaker that was heard is well; one that failed is looked at soon.
    """
    if not results:
        return 0
    recorded, published = 0, list[NewEvent]()
    with transaction.atomic():
        check_fence(lease)
        for each in results:
            leased = each.leased
            following = after_play(each.outcome, attempts=leased.attempts, now=now, not_after=leased.not_after)
            said = _end(leased.id, following, now=now, fence=leased.fence, began_at=each.began_at)
            if said is None:
                continue
            recorded += 1
            published += said
            if following.state == SoundState.PLAYED:
                published += heard(leased.speaker_id, now=now)
            elif each.outcome is not None:
                unheard(leased.speaker_id, now=now)
        if published:
            append(published, now=now)
    return recorded


def _check(new: NewSound) -> None:
    """Raise SoundInvalid where `new` cannot be queued: the database would refuse it only where it refuses whatever is with it."""
    wrong = [
        (field, found, expected)
        for is_wrong, field, found, expected in (
            (not 0 < len(new.key) <= KEY_MOST, "key", len(new.key), f"1–{KEY_MOST}"),
            (len(new.ladder) > LADDER_MOST, "ladder", len(new.ladder), f"0–{LADDER_MOST}"),
            (new.prompt not in PROMPTS, "prompt", new.prompt[:32], ", ".join(PROMPTS)),
            (not 0 <= new.loudness <= 100, "loudness", new.loudness, "0–100"),
            (new.not_after <= new.due_at, "not_after", new.not_after.isoformat(), f"> {new.due_at.isoformat()}"),
        )
        if is_wrong
    ]
    if wrong:
        field, found, expected = wrong[0]
        raise SoundInvalid(key=new.key[:KEY_MOST], field=field, found=found, expected=expected)


def _row(new: NewSound) -> Sound:
    return Sound(
        speaker_id=new.speaker_id, key=new.key, ladder=new.ladder, prompt=new.prompt, said=new.said if len(new.said) <= SAID_MOST else "", loudness=new.loudness,
        severity=int(new.severity), due_at=new.due_at, not_after=new.not_after, again_at=new.due_at, exercise_id=new.exercise_id,
    )


def _leased(row: Sound, *, now: datetime, fence: int) -> LeasedSound:
    speaker: Speaker = row.speaker
    settings = msgspec.json.decode(speaker.settings)
    loudness = round(row.loudness * Loudness.of(settings).at(now) / 100)
    return LeasedSound(
        row.pk, speaker.pk, row.key, row.prompt, row.said, loudness, row.attempts + 1, fence, row.not_after, speaker.kind, settings,
        speaker.secret, CUT in (row.reason, _last_reason(speaker.pk)),
    )


def _last_reason(speaker_id: int) -> str:
    """Return why the latest sound of a loudspeaker that has ended did so; empty for one that was played, or for none."""
    ended = Sound.objects.filter(speaker_id=speaker_id, done_at__isnull=False).exclude(state=SoundState.DROPPED)
    return ended.order_by("-due_at", "-id").values_list("reason", flat=True).first() or ""


def _mine(pk: int, fence: int | None) -> QuerySet[Sound]:
    """Return the sound while it still waits, or is still played under `fence`."""
    return Sound.objects.filter(ALIVE, pk=pk, fence=fence)


def _end(pk: int, following: AfterPlay, *, now: datetime, fence: int | None, began_at: datetime | None = None) -> list[NewEvent] | None:
    """Give a sound the state that follows and return what to publish; None where it is no longer ours."""
    ended = following.again_at is None
    changed = _mine(pk, fence).update(
        state=following.state, reason=following.reason, again_at=following.again_at, fence=None, done_at=now if ended else None,
        played_at=began_at if following.state in (SoundState.PLAYED, SoundState.UNKNOWN) else None,
    )
    if not changed:
        return None
    return [_told(Sound.objects.get(pk=pk))] if ended else []


def _told(row: Sound) -> NewEvent:
    is_played = row.state == SoundState.PLAYED
    payload: dict[str, Json] = {
        "sound": row.pk, "key": row.key, "ladder": row.ladder, "prompt": row.prompt, "attempts": row.attempts,
        "due_at_us": to_us(row.due_at), "state": SoundState(row.state).name, "reason": row.reason,
    }
    if is_played and row.played_at is not None:
        payload["played_at_us"] = to_us(row.played_at)
    return NewEvent(events.SOUND_PLAYED if is_played else events.SOUND_FAILED, row.speaker_id, payload, row.exercise_id)
