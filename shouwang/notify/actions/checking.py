"""Loudspeakers: set up, switched, and what checks found of them. In the field they die unnoticed, so nothing here is silent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import IntegrityError, transaction

from shouwang.journal import wake
from shouwang.journal.actions import append, check_fence
from shouwang.journal.paths import move_paths
from shouwang.journal.rules import Lease, NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.notify import events
from shouwang.notify.models import Speaker
from shouwang.notify.rules.delivery import Delivered, Outcome, Sent, code_of
from shouwang.notify.rules.errors import SpeakerInvalid
from shouwang.notify.rules.sounds import SpeakerState, after_check, is_quiet, minute_of, next_check_at
from shouwang.notify.speaking import registry
from shouwang.places.queries import area

BELL = "voice"
VALUE_MOST = 300
NAME_MOST = 80
NEEDED = Text("必填的内容", "something: it is needed")
UNUSED = Text("一个未用过的编号", "a number that is not in use")
LABELS: Mapping[str, Text] = {
    "code": Text("编号", "number"), "name": Text("名称", "name"), "kind": Text("种类", "kind"), "loudness": Text("白天音量", "loudness by day"),
    "night_loudness": Text("夜间音量", "loudness by night"), "night_from": Text("夜间开始时间", "beginning of night"),
    "night_to": Text("夜间结束时间", "end of night"),
}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,47}", re.ASCII)
_PERCENT = re.compile(r"100|[0-9]{1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a check of one loudspeaker found; `hour` is when its area looks at them each day."""

    speaker_id: int
    outcome: Outcome
    state: SpeakerState
    failures: int
    hour: int


def save_speaker(
    speaker_id: int | None, *, code: str, kind: str, name: str, area_id: int, settings: Mapping[str, str], now: datetime,
    secret: str | None = None, thing_id: int | None = None, enabled: bool = True, by: int | None = None,
) -> int:
    """Keep a loudspeaker, a new one without an id, and return its id; a `secret` of None stays as it was. It is looked at soon.

    Raises SpeakerInvalid, NotFound.
    """
    _check(code, kind, name, settings)
    columns = {
        "code": code, "kind": kind, "name": name, "settings": msgspec.json.encode(dict(settings)).decode(), "area_id": area_id,
        "path": area(area_id).path, "thing_id": thing_id, "enabled": enabled, "failures": 0, "check_at": _soon(kind, now),
    }
    if secret is not None:
        columns["secret"] = secret
    try:
        with transaction.atomic():
            if speaker_id is None:
                speaker_id = Speaker.objects.create(**columns).pk
            elif not Speaker.objects.filter(pk=speaker_id).update(**columns):
                raise NotFound(what=f"喇叭 {speaker_id}")
            append([NewEvent(events.SPEAKER_CHANGED, speaker_id, {"kind": kind, "enabled": enabled, "by": by})], now=now)
            transaction.on_commit(_wake)
    except IntegrityError:
        raise SpeakerInvalid(code=code, field=LABELS["code"], name="code", found=code, expected=UNUSED) from None
    return speaker_id


def switch_speaker(speaker_id: int, *, enabled: bool, by: int | None, now: datetime) -> None:
    """Switch a loudspeaker on, when it is looked at soon, or off, when what waits for it fails at its time. Raises NotFound."""
    with transaction.atomic():
        row = Speaker.objects.filter(pk=speaker_id).first()
        if row is None:
            raise NotFound(what=f"喇叭 {speaker_id}")
        if row.enabled != enabled:
            row.enabled, row.failures, row.check_at = enabled, 0, _soon(row.kind, now)
            row.save(update_fields=["enabled", "failures", "check_at"])
            append([NewEvent(events.SPEAKER_CHANGED, row.pk, {"kind": row.kind, "enabled": enabled, "by": by})], now=now)
            transaction.on_commit(_wake)


def record_checks(found: Sequence[Checkup], *, now: datetime, lease: Lease) -> None:
    """Record what checks found, and publish which loudspeakers are dead or back. Raises LeaseLost."""
    if not found:
        return
    published: list[NewEvent] = []
    with transaction.atomic():
        check_fence(lease)
        for each in found:
            published += _record(each, now)
        if published:
            append(published, now=now)


def put_off_checks(speaker_ids: Mapping[int, int], *, now: datetime) -> None:
    """Put the checks of loudspeakers that would be heard at night off to the hour of each."""
    for speaker_id, hour in speaker_ids.items():
        Speaker.objects.filter(pk=speaker_id).update(check_at=next_check_at(now, hour=hour))


def move_speakers(*, old: str, new: str) -> None:
    """Give the loudspeakers below the path `old` their path below `new`."""
    move_paths(Speaker.objects.all(), old=old, new=new)


def heard(speaker_id: int, *, now: datetime) -> list[NewEvent]:
    """Record inside the caller's transaction that a loudspeaker was heard, and return what to publish."""
    row = Speaker.objects.filter(pk=speaker_id).exclude(state=SpeakerState.OK, failures=0).first()
    if row is None:
        return []
    Speaker.objects.filter(pk=speaker_id).update(state=SpeakerState.OK, failures=0, reason="", checked_at=now)
    return [NewEvent(events.SPEAKER_BACK, speaker_id, {"kind": row.kind})] if row.state == SpeakerState.DEAD else []


def unheard(speaker_id: int, *, now: datetime) -> None:
    """Have a loudspeaker that did not sound as it should looked at soon."""
    Speaker.objects.filter(pk=speaker_id, failures=0, check_at__gt=now).update(check_at=now)


def _record(found: Checkup, now: datetime) -> list[NewEvent]:
    is_well = isinstance(found.outcome, Sent | Delivered)
    reason = "" if is_well else code_of(getattr(found.outcome, "reason", "OTHER"))
    following = after_check(is_well=is_well, was=found.state, failures=found.failures, now=now, hour=found.hour)
    changed = Speaker.objects.filter(pk=found.speaker_id, enabled=True).update(
        state=following.state, failures=following.failures, check_at=following.check_at, checked_at=now, reason=reason,
    )
    if not changed or following.state == found.state:
        return []
    if following.state == SpeakerState.DEAD:
        return [NewEvent(events.SPEAKER_DEAD, found.speaker_id, {"reason": reason})]
    return [NewEvent(events.SPEAKER_BACK, found.speaker_id, {})] if found.state == SpeakerState.DEAD else []


def _check(code: str, kind: str, name: str, settings: Mapping[str, str]) -> None:
    """Raise SpeakerInvalid for the first thing that cannot be kept."""
    manifest = registry.manifests().get(kind)
    wrong: list[tuple[str, str, str | Text]] = []
    if not _CODE.fullmatch(code):
        wrong.append(("code", code, Text("字母、数字、点、横线，1–48 个", "letters, digits, dots and dashes, 1 to 48")))
    if not 0 < len(name) <= NAME_MOST:
        wrong.append(("name", name, f"1–{NAME_MOST}"))
    if manifest is None:
        wrong.append(("kind", kind, ", ".join(registry.manifests())))
    else:
        wrong += [(each.name, "", NEEDED) for each in manifest.fields if each.is_required and not settings.get(each.name)]
    wrong += [(field, value, limit) for field, value in settings.items() if (limit := _expected(field, value))]
    if wrong:
        field, found, expected = wrong[0]
        labels = {**LABELS, **({each.name: each.label for each in manifest.fields} if manifest else {})}
        raise SpeakerInvalid(code=code[:48], field=labels.get(field, field), name=field, found=found[:60], expected=expected)


def _expected(field: str, value: str) -> str:
    """Return what is expected of a setting where `value` is not it, nothing where it is."""
    if len(value) > VALUE_MOST:
        return f"≤ {VALUE_MOST}"
    if value and field in ("loudness", "night_loudness") and not _PERCENT.fullmatch(value):
        return "0–100"
    return "00:00–23:59" if value and field in ("night_from", "night_to") and minute_of(value) < 0 else ""


def _soon(kind: str, now: datetime) -> datetime:
    """Return when a loudspeaker that was changed is looked at: now, or in the morning where it would be heard at night."""
    is_audible = registry.manifests()[kind].checking == "TONE" if kind in registry.manifests() else False
    return next_check_at(now, hour=0) if is_audible and is_quiet(now) else now


def _wake() -> None:
    wake.ring(BELL)
