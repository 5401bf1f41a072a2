"""Trials: asked for by an officer, worked off price by price by the worker, and accepted or left."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from random import Random

from django.db import transaction

from shouwang.detectors.registry import detectors_found
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import from_us, to_us
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.systems.living_alone.actions.switching import SETTLE
from shouwang.systems.living_alone.models import Trial
from shouwang.systems.living_alone.queries.trials import TrialRow, row_of, streams_below
from shouwang.systems.living_alone.rules import trials as rules
from shouwang.systems.living_alone.rules.errors import TargetWrong, TrialTooSmall
from shouwang.telemetry.queries import columns_of
from shouwang.watch.actions import set_thresholds
from shouwang.watch.queries import WatchRow, watch_at

RULE = "silence"
SPAN = rules.LEARNT + rules.JUDGED
LOWEST, HIGHEST = 0.2, 50.0
POINTS = 20_000
_runs: dict[tuple[int, int], rules.Run] = {}


def ask_trial(scope: Scope, path: str, *, call_target: str, visit_target: str, now: datetime) -> int:
    """Ask what other prices would have given below `path`, and return the trial's id; one that is going on is that one.

    Raises Refused, NotFound, TargetWrong, TrialTooSmall.
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
        past = _past(trial.pk, path, to_us(now))
        if len(past.homes) < rules.LEAST_HOMES:
            raise TrialTooSmall(found=len(past.homes), least=rules.LEAST_HOMES, days=SPAN.days)
        Trial.objects.filter(pk=trial.pk).update(homes=len(past.homes), stops=len(past.stops))
        append([NewEvent("living_alone.trial_asked", area_id, {"trial": trial.pk, "by": scope.person_id})], now=now)
    return trial.pk


def go_on_with_trials(now: datetime, *, most_s: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> int:
    """Go on with the oldest trial for about `most_s` seconds, for the worker has alarms to carry; return how many trials there were.

    How far a price has come is kept in this process; another one begins that price anew.
    """
    trial = Trial.objects.filter(done_at=None).order_by("pk").first()
    watch = None if trial is None else watch_at(RULE, trial.path)
    if trial is None or watch is None:
        return 0
    prices = {name: watch.params[name] for name in rules.PRICE_OF.values()}
    if trial.points:
        prices = dict.fromkeys(prices, trial.prices[len(trial.points) - 1])
    key = (trial.pk, len(trial.points))
    run = _runs.get(key)
    if run is None:
        _runs.clear()
        run = _runs[key] = rules.Run(_past(trial.pk, trial.path, to_us(trial.asked_at)), {**watch.params, **prices})
    until_s, judge = monotonic() + most_s, detectors_found()[watch.detector].judge
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
    if row is None or not scope.may(SETTLE, row.path):
        raise NotFound(what=f"试算 {trial_id}")
    own = {**_own_of(_watch(row.path), row.path), **prices_of(row_of(row))}
    with transaction.atomic():
        set_thresholds(RULE, area_id=row.area_id, path=row.path, own=own, by=scope.person_id, now=now)
        Trial.objects.filter(pk=trial_id).update(accepted_at=now, accepted_by=scope.person_id)


def prices_of(row: TrialRow) -> dict[str, float]:
    """Return the proposed prices as parameters of the watch."""
    return {rules.PRICE_OF[tier]: round(effect.price_h, 1) for tier, effect in row.proposed.items()}


@lru_cache(maxsize=1)
def _past(trial_id: int, path: str, end_us: int) -> rules.Past:
    end = from_us(end_us)
    chance = Random(trial_id)  # noqa: S311 - a lot among homes, the same at each price
    streams = streams_below(path, enrolled_before=end, chance=chance)
    return rules.past_of(columns_of(streams, end - SPAN, end, max_points=POINTS), end_us=end_us, chance=chance)


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
