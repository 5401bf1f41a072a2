"""Pure words of the watch: its errors, when a tick is due, how findings are cut into transactions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

import numpy as np

from shouwang.detectors.contract import Finding, Int64s
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import MINUTE_US, to_us
from shouwang.kernel.texts import Text

MAX_FINDINGS_PER_TRANSACTION = 500
MAX_BATCHES_PER_TICK = 64
LATE_ROW_BYTES = 16
TICK_US = MINUTE_US

Subject = TypeVar("Subject")
Found = TypeVar("Found")


class DetectorUnknown(ShouwangError):
    """A watch names a detector that is not installed, or another version of it."""

    zh = "监测 {watch} 使用检测器 {detector} 第 {version} 版，已安装的是 {found}；请升级该监测或安装对应版本。"
    en = "Watch {watch} uses detector {detector} version {version}, installed is {found}; upgrade the watch or install that version."
    status = 409


class ParameterUnknown(ShouwangError):
    """A watch sets a parameter its detector does not have."""

    zh = "监测参数有误：{detail}。"
    en = "The watch's parameters are wrong: {detail}."
    status = 422


class ThresholdInvalid(ShouwangError):
    """An area sets a threshold that is no number, out of bounds, or none of the detector's."""

    zh = "“{title}”填的是“{found}”；应为 {expected}，或留空以随上级。"
    en = "{title} says “{found}”; expected {expected}, or nothing to follow the area above."
    status = 422

    def text(self, language: str) -> str:
        """Return the message in `language`."""
        said = {name: value.render(language, {}) if isinstance(value, Text) else value for name, value in self.params.items()}
        return (self.en if language.startswith("en") else self.zh).format(**said)


@dataclass(frozen=True)
class Threshold:
    """What an office may set of a detector's parameters, in `unit`, from `lowest` to `highest`."""

    title: Text
    unit: Text
    lowest: float
    highest: float
    is_whole: bool = True


HOURS = Text("小时", "hours")
LITRES = Text("升", "L")
TIMES = Text("倍", "times")
THRESHOLDS: Mapping[str, Threshold] = {
    "low_l": Threshold(Text("用水少于", "Use below"), LITRES, 0, 1_000, is_whole=False),
    "high_l": Threshold(Text("用水多于", "Use above"), LITRES, 1, 1_000_000, is_whole=False),
    "window_h": Threshold(Text("看多长时间内的用水", "Use is looked at over"), HOURS, 1, 744),
    "hard_stop_h": Threshold(Text("不用水最长不超过", "No use for at most"), HOURS, 6, 36),
    "max_gap_h": Threshold(Text("无读数超过即为失联", "No reading counts as lost after"), HOURS, 1, 744),
    "low_severity": Threshold(Text("用水过少的级别（1 蓝 至 4 红）", "Severity of too little use (1 blue to 4 red)"), Text("", ""), 1, 4),
    "day_limit_l": Threshold(Text("新装水表一天用水多于", "A new meter's use in a day above"), LITRES, 1, 1_000_000, is_whole=False),
    "learning_h": Threshold(Text("学习习惯的时间", "Habits are learnt for"), HOURS, 24, 2_400),
    "drawn_factor": Threshold(Text("用水超过本户以往最多的", "Use above the home's own most by"), TIMES, 1, 20, is_whole=False),
    "least_factor": Threshold(Text("不间断用水超过本户以往最多的", "Unbroken use above the home's own most by"), TIMES, 1, 20, is_whole=False),
}
DETECTORS: Mapping[str, Text] = {
    "low_high_24h": Text("24 小时用水过少或过多", "Too little or too much use in 24 hours"),
    "low_12h": Text("12 小时用水过少", "Too little use in 12 hours"),
    "fixed_hours": Text("固定时长不用水", "No use in a fixed number of hours"),
    "sakaki_8h": Text("8 小时不用水", "No use in 8 hours"),
    "no_data": Text("水表失联", "A meter that has stopped sending"),
    "silence": Text("按本户习惯判断的不用水", "Silence by the home's own habits"),
    "high_use": Text("按本户习惯判断的用水过多", "Too much use by the home's own measure"),
}
BY_HABIT = frozenset({"silence", "high_use"})
"""The detectors that remember what a stream has been like, and so can learn from its past."""
FIXED = frozenset({"grid_min", "utc_offset_h", "call_price_h", "visit_price_h"})


def read_thresholds(texts: Mapping[str, str], params: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers that a person wrote, by parameter; an empty one is left out, for it follows from above.

    Raises ThresholdInvalid, also where the whole would say that little use is more than much use.
    """
    own = {name: _number(name, text.strip()) for name, text in texts.items() if name in params and name in THRESHOLDS and text.strip()}
    whole = {**params, **own}
    if whole.get("low_l", 0) >= whole.get("high_l", float("inf")):
        raise ThresholdInvalid(
            title=THRESHOLDS["low_l"].title, found=f"{whole['low_l']:g}", expected=Text(f"少于 {whole['high_l']:g}", f"less than {whole['high_l']:g}"),
        )
    return own


def _number(name: str, text: str) -> float:
    threshold = THRESHOLDS[name]
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not threshold.lowest <= number <= threshold.highest or (threshold.is_whole and number != int(number)):
        span = f"{threshold.lowest:g} – {threshold.highest:g}"
        whole = Text("整数 ", "a whole number, ") if threshold.is_whole else Text("", "")
        raise ThresholdInvalid(title=threshold.title, found=text[:20], expected=Text(whole.zh + span, whole.en + span))
    return int(number) if threshold.is_whole else number


def nearest(path: str, paths: Collection[str]) -> str:
    """Return the nearest of `paths` at or above `path`, empty (which holds everywhere) where none is."""
    while path and path not in paths:
        path = path.rstrip("/").rpartition("/")[0]
        path += "/" if path else ""
    return path


def own_at(path: str, own: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return what areas have set at `path`, the nearest first to say; `own` by path."""
    line = sorted((each for each in own if each and path.startswith(each)), key=len)
    return {name: value for each in line for name, value in own[each].items()}


@dataclass(frozen=True)
class Tick:
    """A recorded instant of judging: everything of the ingest log up to `upto_seq`, at the moment `at`."""

    id: int
    upto_seq: int
    at: datetime


@dataclass(frozen=True)
class Passed:
    """What one pass did; `leads` is False while another process holds the lease."""

    leads: bool
    ticks: int = 0
    rows: int = 0
    findings: int = 0
    behind: int = 0


def tick_due(last: Tick | None, *, now: datetime, upto_seq: int) -> bool:
    """Return whether to judge again: there are new batches, or the clock has entered another minute."""
    if last is None:
        return True
    return upto_seq > last.upto_seq or to_us(now) // TICK_US > to_us(last.at) // TICK_US


@dataclass(frozen=True)
class Portion(Generic[Subject, Found]):
    """What one transaction stores: findings, and the subjects whose findings are then all told."""

    findings: tuple[Found, ...]
    done: tuple[Subject, ...]


def portions(work: Sequence[tuple[Subject, Sequence[Found]]], *, limit: int) -> Iterator[Portion[Subject, Found]]:
    """Cut the findings of many subjects into transactions of at most `limit`, in order; a subject is done with its last."""
    findings: list[Found] = []
    done: list[Subject] = []
    for subject, found in work:
        rest = list(found)
        while len(findings) + len(rest) > limit:
            room = limit - len(findings)
            findings += rest[:room]
            rest = rest[room:]
            yield Portion(tuple(findings), tuple(done))
            findings, done = [], []
        findings += rest
        done.append(subject)
    if findings or done:
        yield Portion(tuple(findings), tuple(done))


MOST_MOMENTS = 20_000


def late_blob(streams: Int64s, moments: Int64s) -> bytes:
    """Return late rows as `LateBatch` keeps them."""
    return np.concatenate([streams, moments]).astype(np.int64).tobytes()


def late_by_stream(blobs: Iterable[bytes]) -> dict[int, Int64s]:
    """Return the moments of each stream, ascending and each once, of what `late_blob` made."""
    pairs = np.concatenate([np.frombuffer(blob, np.int64).reshape(2, -1) for blob in blobs], axis=1)
    pairs = pairs[:, np.lexsort(pairs[::-1])]
    fresh = np.ones(pairs.shape[1], bool)
    fresh[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
    streams, moments = pairs[:, fresh]
    found, begins = np.unique(streams, return_index=True)
    return dict(zip(found.tolist(), np.split(moments, begins[1:]), strict=True))


def joined_moments(one: bytes, other: Sequence[int] | Int64s) -> bytes:
    """Return two sets of moments as one, ascending; of more than 20,000 the latest stay."""
    both = np.union1d(np.frombuffer(one, np.int64), other)
    return both[-MOST_MOMENTS:].astype(np.int64).tobytes()


@dataclass(frozen=True)
class Reviewed:
    """What a second judgement, with the late readings, says otherwise than the first.

    `tell` must be told now: spells that go on unseen, and the end of spells that never were. `keep` are spells that came
    and went unseen.
    """

    tell: tuple[Finding, ...]
    keep: tuple[Finding, ...]


def compare(without: Sequence[Finding], with_late: Sequence[Finding]) -> Reviewed:
    """Compare what a detector found without the late readings and with them, on the same stretch of time.

    A spell that overlaps one that was found without them was seen; it only has other ends.
    """
    tell: list[Finding] = []
    keep: list[Finding] = []
    before, after = _spells(without), _spells(with_late)
    for (stream, kind), spells in after.items():
        known = before.get((stream, kind), [])
        for spell in spells:
            if any(spell.overlaps(other) for other in known):
                continue
            (tell if spell.goes_on else keep).append(spell.opening)
    for (stream, kind), spells in before.items():
        last = spells[-1]
        now = after.get((stream, kind), [])
        if last.goes_on and not (now and now[-1].goes_on):
            tell.append(replace(last.opening, phase="END", reason_code=last.opening.reason_code.replace("_OPEN", "_END")))
    return Reviewed(tuple(tell), tuple(keep))


@dataclass(frozen=True)
class _Spell:
    opening: Finding
    end_us: int | None

    @property
    def goes_on(self) -> bool:
        return self.end_us is None

    def overlaps(self, other: _Spell) -> bool:
        starts_before = other.end_us is None or self.opening.at_us < other.end_us
        return starts_before and (self.end_us is None or other.opening.at_us < self.end_us)


def _spells(findings: Sequence[Finding]) -> dict[tuple[int, str], list[_Spell]]:
    spells: dict[tuple[int, str], list[_Spell]] = {}
    for finding in sorted(findings, key=lambda each: each.at_us):
        found = spells.setdefault((finding.stream, finding.kind), [])
        if finding.phase == "OPEN":
            found.append(_Spell(finding, None))
        elif finding.phase == "END" and found and found[-1].goes_on:
            found[-1] = replace(found[-1], end_us=finding.at_us)
    return {key: found for key, found in spells.items() if found}
