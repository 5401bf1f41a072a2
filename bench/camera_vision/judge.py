"""Compares what a pipeline told with the truth: entries seen within a second, delays, false alarms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.camera_vision.pipelines import Step
from bench.camera_vision.truth import Entry, Truth, foot

WITHIN_S = 1.0
AT_FEET = 0.6
"""An alarm is of the person at whose feet it stands, within so many body heights."""
BEGINS = {"ENTER", "CROSS"}
PATIENCE_S = 4.0


@dataclass
class Score:
    """What came of one or several scenes."""

    entries: int = 0
    seen: int = 0
    episodes: int = 0
    episodes_seen: int = 0
    delays_s: list[float] = field(default_factory=list)
    line_delays_s: list[float] = field(default_factory=list)
    alarms: int = 0
    false: int = 0
    checks: int = 0
    false_checks: int = 0
    cpu_s: float = 0.0
    busy_s: list[float] = field(default_factory=list)
    frames: int = 0
    hours: float = 0.0
    missed: list[str] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Take in another score."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def recall_1s(self) -> float | None:
        """Return the share of entries seen within a second."""
        return round(self.seen / self.entries, 4) if self.entries else None

    def episode_recall(self) -> float | None:
        """Return the share of occupied spells of a zone in which an alarm stood."""
        return round(self.episodes_seen / self.episodes, 4) if self.episodes else None

    def told(self) -> dict[str, float | int | None]:
        """Return the figures."""
        busy = [1000 * each for each in self.busy_s]
        return {
            "entries": self.entries, "recall_1s": self.recall_1s(), "episode_recall": self.episode_recall(),
            "false_alarms": self.false, "false_checks": self.false_checks, "alarms": self.alarms, "checks": self.checks,
            "false_per_hour": round(self.false / self.hours, 1) if self.hours else None, "delay_p50_s": share(self.delays_s, 50),
            "delay_p95_s": share(self.delays_s, 95), "line_delay_p95_s": share(self.line_delays_s, 95),
            "ms_per_frame": round(1000 * self.cpu_s / self.frames, 2) if self.frames else None, "busy_ms_per_frame": mean(busy), "busy_frames": len(busy),
        }


def share(values: Sequence[float], percent: float) -> float | None:
    """Return a percentile, None of nothing."""
    return round(float(np.percentile(values, percent)), 3) if values else None


def mean(values: Sequence[float]) -> float | None:
    """Return the mean, None of nothing."""
    return round(float(np.mean(values)), 2) if values else None


@dataclass
class Told:
    """What a pipeline told, frame by frame."""

    steps: list[Step] = field(default_factory=list)

    def first(self, entry: Entry, truth: Truth) -> float | None:
        """Return when an alarm first stood at somebody's feet, from when they were at the line; None if it never did in time."""
        begin, end = round(entry.line_s * truth.fps), round((entry.at_s + PATIENCE_S) * truth.fps) + 1
        for frame in range(begin, min(end, len(self.steps))):
            box = truth.feet.get(frame, {}).get(entry.person)
            if box and any(zone == entry.zone and math.dist(at, foot(box)) <= AT_FEET * tall_of(box) for zone, at, _ in self.steps[frame].told):
                return frame / truth.fps
        return None


def judged(told: Told, truth: Truth, *, busy_people: int = 3) -> Score:
    """Return the score of one scene."""
    frames = len(told.steps)
    score = Score(frames=frames, hours=frames / truth.fps / 3600, cpu_s=sum(each.cpu_s for each in told.steps))
    score.busy_s = [step.cpu_s for n, step in enumerate(told.steps) if len(truth.feet.get(n, {})) >= busy_people]
    entries = truth.entries(frames)
    for entry in entries:
        at_s = told.first(entry, truth)
        score.entries += 1
        score.seen += at_s is not None and at_s <= entry.at_s + WITHIN_S + 1e-6
        late = PATIENCE_S if at_s is None else at_s - entry.at_s
        score.delays_s.append(max(0.0, late))
        score.line_delays_s.append(PATIENCE_S if at_s is None else at_s - entry.line_s)
        if late > WITHIN_S:
            score.missed.append(f"{entry.person} {entry.zone} {entry.at_s}")
    count_episodes(score, entries, told, truth)
    count_alarms(score, told.steps, truth)
    return score


def count_episodes(score: Score, entries: Iterable[Entry], told: Told, truth: Truth) -> None:
    """Count spells in which a zone was never empty for 2 s, and in how many an alarm stood."""
    for zone in truth.zones:
        spells: list[list[Entry]] = []
        for entry in (each for each in entries if each.zone == zone):
            if spells and entry.at_s - spells[-1][-1].at_s < 2 * PATIENCE_S:
                spells[-1].append(entry)
            else:
                spells.append([entry])
        score.episodes += len(spells)
        score.episodes_seen += sum(any(told.first(entry, truth) is not None for entry in spell) for spell in spells)


def count_alarms(score: Score, steps: Sequence[Step], truth: Truth) -> None:
    """Count what was told, and what of it had nobody in the zone or its band."""
    for number, step in enumerate(steps):
        for each in step.happenings:
            if each.kind not in BEGINS or each.state != "START" or each.box is None:
                continue
            wrong = not truth.somebody_at(number, each.zone, foot(each.box))
            if each.confirmed:
                score.alarms, score.false = score.alarms + 1, score.false + wrong
            else:
                score.checks, score.false_checks = score.checks + 1, score.false_checks + wrong


def tall_of(box: tuple[float, float, float, float]) -> float:
    """Return the height of a box, at least 20 px, so that small boxes forgive a rounding."""
    return max(20.0, box[3] - box[1])
