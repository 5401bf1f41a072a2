"""The voice at a water: which words are queued for which loudspeaker, and when it falls silent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from shouwang.kernel.moments import local
from shouwang.notify.actions import NewSound, drop_ladder, queue_sounds
from shouwang.notify.queries import speakers_of_things
from shouwang.systems.drowning import queries
from shouwang.systems.drowning.models import Camera, Sighting
from shouwang.systems.drowning.queries import CameraRow
from shouwang.systems.drowning.rules.kinds import SEVERITY, UNSURE
from shouwang.systems.drowning.rules.settings import manners_of
from shouwang.systems.drowning.rules.voice import PLAYED_WITHIN, ladder, may_speak


def ladder_key(water_id: int) -> str:
    """Return under which key all words for one water are queued, so that they can be dropped together."""
    return f"edge:{water_id}"


def speak(sighting: Sighting, camera: CameraRow, *, values: Mapping[str, Any], now: datetime) -> bool:
    """Queue what the voice says to whoever was seen, at the camera's own loudspeaker or else all of the water's; return whether it may.

    Nothing to what is not sure, nothing in an exercise, nothing while it has just spoken. Inside the caller's transaction.
    """
    water = camera.water
    minute = local(now).hour * 60 + local(now).minute
    begun = queries.begun_ladders(water.id, now)
    if sighting.kind == UNSURE or sighting.exercise_id is not None or not may_speak(now, begun=begun, minute=minute, manners=manners_of(values)):
        return False
    speakers = _speakers(camera)
    if not speakers:
        return False
    queue_sounds(
        [
            NewSound(
                speaker_id=speaker, severity=SEVERITY[sighting.kind], key=f"edge:{sighting.pk}:{words.step}:{speaker}", ladder=ladder_key(water.id), prompt=words.prompt, said=words.said,
                due_at=now + timedelta(seconds=words.after_s), not_after=now + timedelta(seconds=words.after_s) + PLAYED_WITHIN,
            )
            for words in ladder(sighting.kind, place=water.name)
            for speaker in speakers
        ],
        now=now,
    )
    Sighting.objects.filter(pk=sighting.pk).update(spoken_at=now)
    return True


def be_quiet(water_ids: Collection[int], *, now: datetime) -> None:
    """Drop the words that have not been said yet: nobody is there any more, or somebody has seen to it."""
    for water_id in water_ids:
        drop_ladder(ladder_key(water_id), now=now)


def _speakers(camera: CameraRow) -> list[int]:
    others = list(Camera.objects.filter(water_id=camera.water.id, active=True).values_list("thing_id", flat=True))
    found = speakers_of_things([camera.thing_id, *others])
    rows = found.get(camera.thing_id) or [row for thing_id in others for row in found.get(thing_id, ())]
    return sorted({row.id for row in rows})
