"""Trials: asked for by an officer, worked off price by price by the worker, and accepted or left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from django.db import transaction

from shouwang.detectors.contract import Columns
from shouwang.detectors.registry import detectors_found
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import to_us
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.systems.living_alone.actions.switching import SETTLE
from shouwang.systems.living_alone.models import Trial
from shouwang.systems.living_alone.queries.trials import TrialRow, row_of, streams_below
from shouwang.systems.living_alone.rules import trials as rules
from shouwang.systems.living_alone.rules.errors import TargetWrong
from shouwang.telemetry.queries import columns_of
from shouwang.watch.actions import set_thresholds
from shouwang.watch.queries import WatchRow, watch_at

RULE = "silence"
SPAN = rules.LEARNT + rules.JUDGED
LOWEST, HIGHEST = 0.2, 50.0
POINTS = 20_000
_runs: dict[tuple[int, int], rules.Run] = {}


@dataclass
class _Reading:
    """How far the readings of a trial's homes have been read."""

    streams: list[int]
    chance: Random
    parts: list[Columns] = field(default_factory=list)
    past: rules.Past | None = None

    @classmethod
    def of(cls, trial: Trial) -> _Reading:
        """Return a reading that begins, of homes drawn by a lot that is the same in each process."""
        chance = Random(trial.pk)  # noqa: S311 - a lot among homes, the same at each price
        return cls(streams_below(trial.path, enrolled_before=trial.asked_at, chance=chance), chance)


_readings: dict[int, _Reading] = {}


def ask_trial(scope: Scope, path: str, *, call_target: str, visit_target: str, now: datetime) -> int:
    """Ask what other prices would have given below `path`, and return the trial's id; one that is going on is that one.

    Nothing is read here: that is the worker's. Raises Refused, NotFound, TargetWrong.
    """
    scope.require(SETTLE, path)
    area_id = places.area(int(path.rstrip("/").rpartition("/")[2])).id
    targets = [_target(text) for text in (call_target, visit_target)]
    with transaction.atomic():
        going_on = Trial.objects.filter(path=path, done_at=None).values_list("pk", flat=True).first()
        if going_on is not None:
            return going_on
        trial = Trial.objects.create(
            area_id=area_id, path=path, call_target=targets[0], visit_target=targets[1], prices=list(rules.PRICES_H), asked_at=now,
            asked_by=scope.person_id,
        )
        append([NewEvent("living_alone.trial_asked", area_id, {"trial": trial.pk, "by": scope.person_id})], now=now)
    return trial.pk


def go_on_with_trials(now: datetime, *, most_s: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> int:
    """Go on with the oldest trial for about `most_s` seconds, for the worker has alarms to carry; return how many trials there were.

    First the past is read, then judged once for each price. How far that has come is kept in this process; another one begins
    the reading, and the price, anew. A trial of too few homes ends without effects.
    """
    trial = Trial.objects.filter(done_at=None).order_by("pk").first()
    watch = None if trial is None else watch_at(RULE, trial.path)
    if trial is None or watch is None:
        return 0
    until_s = monotonic() + most_s
    past = _past(trial, until_s=until_s, monotonic=monotonic)
    if past is None or _is_too_small(trial, past, now=now):
        return 1
    prices = {name: watch.params[name] for name in rules.PRICE_OF.values()}
    if trial.points:
        prices = dict.fromkeys(prices, trial.prices[len(trial.points) - 1])
    key = (trial.pk, len(trial.points))
    run = _runs.get(key)
    if run is None:
        _runs.clear()
        run = _runs[key] = rules.Run(past, {**watch.params, **prices})
    judge = detectors_found()[watch.detector].judge
    while not run.is_over and monotonic() < until_s:
        run.go_on(judge)
    if not run.is_over:
        return 1
    points = [*trial.points, rules.to_json(run.effects())]
    is_done = len(points) > len(trial.prices)
    Trial.objects.filter(pk=trial.pk, done_at=None).update(points=points, done_at=now if is_done else None)
    return 1


def accept_trial(scope: Scope, trial_id: int, *, now: datetime) -> None:
    """Let the proposed prices hold for the trial's area from the next reading on. Raises Refused, NotFound."""
    row = Trial.objects.filter(pk=trial_id, done_at__isnull=False).first()
    scope.require(SETTLE)
    if row is None or not row.points or not scope.may(SETTLE, row.path):
        raise NotFound(what=f"试算 {trial_id}")
    own = {**_own_of(_watch(row.path), row.path), **prices_of(row_of(row))}
    with transaction.atomic():
        set_thresholds(RULE, area_id=row.area_id, path=row.path, own=own, by=scope.person_id, now=now)
        Trial.objects.filter(pk=trial_id).update(accepted_at=now, accepted_by=scope.person_id)


def prices_of(row: TrialRow) -> dict[str, float]:
    """Return the proposed prices as parameters of the watch."""
    return {rules.PRICE_OF[tier]: round(effect.price_h, 1) for tier, effect in row.proposed.items()}


def _past(trial: Trial, *, until_s: float, monotonic: Callable[[], float]) -> rules.Past | None:
    """Return the past of a trial's homes, read home by home; None as long as there are homes to read."""
    reading = _readings.get(trial.pk)
    if reading is None:
        _readings.clear()
        reading = _readings[trial.pk] = _Reading.of(trial)
    end = trial.asked_at
    while reading.streams and reading.past is None:
        reading.parts.append(columns_of([reading.streams.pop()], end - SPAN, end, max_points=POINTS))
        if monotonic() >= until_s:
            return None
    if reading.past is None:
        reading.past = rules.past_of(Columns.of(reading.parts), end_us=to_us(end), chance=reading.chance)
        reading.parts.clear()
    return reading.past


def _is_too_small(trial: Trial, past: rules.Past, *, now: datetime) -> bool:
    """Note how many homes a trial has, once; return whether they are too few, which ends it."""
    is_small = len(past.homes) < rules.LEAST_HOMES
    if is_small or not trial.homes:
        ended = {"done_at": now} if is_small else {}
        Trial.objects.filter(pk=trial.pk, done_at=None).update(homes=len(past.homes), stops=len(past.stops), **ended)
    return is_small


def _own_of(watch: WatchRow, path: str) -> dict[str, float]:
    return dict(watch.own) if watch.path == path else {}


def _watch(path: str) -> WatchRow:
    found = watch_at(RULE, path)
    if found is None:
        raise NotFound(what=f"监测 {RULE}")
    return found


def _target(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not LOWEST <= number <= HIGHEST:
        raise TargetWrong(found=text[:20])
    return number
