"""`--self-test`: detectors and harnesses broken on purpose, one at a time; each must be seen by the check that is there for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.harness import Bench
from bench.living_alone import checks, scenarios, scenarios_high, small
from bench.living_alone.homes import HOUR_US, Homes
from bench.living_alone.scenarios import Ground
from bench.living_alone.small import Sample
from bench.living_alone.watching import Ints, Opened, Registers, Watch

LATE_H = 3
MAX_HARD_STOP_H = 25


def seen(bench: Bench, homes: Homes) -> dict[str, Any]:
    """Return how many mutants were caught; all must be, and the unbroken must pass the same checks, else the run counts as verified."""
    some = small.sample(homes)
    bench.note("sample proven")
    detail = {}
    for name, broken in MUTANTS.items():
        detail[name] = {"unbroken": broken(some, bench, False), "broken": broken(some, bench, True)}
        bench.note(f"{name}: {detail[name]}")
    caught = sum(each["broken"] and not each["unbroken"] for each in detail.values())
    return {"mutants": len(detail), "caught": caught, "mutants_detail": detail, "verified": caught < len(detail)}


def sees_the_next_hour(some: Sample, bench: Bench, is_broken: bool) -> bool:
    """Let the memory be told the register of the next hour; looked for by changing the future."""
    return small.looks_ahead(some, seed=bench.seed, peeks=is_broken) > 0


def counts_to_the_next_use(some: Sample, bench: Bench, is_broken: bool) -> bool:
    """Let the harness count silence to the next use instead of the last reading that showed none; looked for by counting slowly."""
    del bench
    return (some.counted_to_the_use if is_broken else some.counted) != some.slow["alarms"]


def tells_late(some: Sample, bench: Bench, is_broken: bool) -> bool:
    """Let the detector judge three hours behind the clock; looked for by ticking hour by hour."""
    return checks.told_late_h(_ground(some, bench, late if is_broken else Watch.of)) > 0


def stops_hard_after_two_days(some: Sample, bench: Bench, is_broken: bool) -> bool:
    """Let the hard stop wait 48 hours; looked for over all stops."""
    ground = _ground(some, bench, patient if is_broken else Watch.of)
    return scenarios.replayed(ground, [ground.base]).moments.figures(ground)["hard_stop"]["max_h"] > MAX_HARD_STOP_H


def takes_no_reading_for_no_use(some: Sample, bench: Bench, is_broken: bool) -> bool:
    """Let a reading that did not come count as the one before; looked for in outages."""
    ground = _ground(some, bench, filling if is_broken else Watch.of)
    outage = scenarios.replayed(ground, [ground.base]).moments.figures(ground)["outage_gateway"]
    return outage["silence_alarms"] > 0 or outage["no_data_told"] < outage["outages"]


def hears_no_tap(some: Sample, bench: Bench, is_broken: bool) -> bool:
    """Let high use begin at a hundred times what was usual; looked for by opening a tap."""
    deaf = {"drawn_factor": 100.0, "least_factor": 100.0, "day_limit_l": 1e9}
    found = scenarios_high.figures(_ground(some, bench, Watch.of), judge_params=deaf if is_broken else None)
    return found["tap_360"]["high_use"]["median_h"] > 2


MUTANTS: dict[str, Callable[[Sample, Bench, bool], bool]] = {
    each.__name__: each
    for each in (sees_the_next_hour, counts_to_the_next_use, tells_late, stops_hard_after_two_days, takes_no_reading_for_no_use, hears_no_tap)
}


def late(name: str, homes: Homes, **given: Any) -> Watch:
    """Return a watch whose detector lags behind the clock."""
    watch = Watch.of(name, homes, **given)
    judge = watch.judge
    watch.judge = lambda columns, state, *, now_us, watermark_us, params: judge(
        columns, state, now_us=now_us, watermark_us=watermark_us - LATE_H * HOUR_US, params=params,
    )
    return watch


def patient(name: str, homes: Homes, **given: Any) -> Watch:
    """Return a watch with a hard stop of 48 hours."""
    return Watch.of(name, homes, params={"hard_stop_h": 48} if name == "silence" else None, **given)


@dataclass
class Filling(Watch):
    """A watch that makes up a reading where none came."""

    latest: dict[int, float] = field(default_factory=dict)

    def feed(self, registers: Registers, streams: Ints, *, until: int, arrives: Ints | None = None) -> list[Opened]:
        """Fill every hole with the reading before it."""
        filled = registers.copy()
        for line, stream in enumerate(streams.tolist()):
            before = self.latest.get(stream, np.nan)
            for column in range(filled.shape[1]):
                before = before if np.isnan(filled[line, column]) else filled[line, column]
                filled[line, column] = before
            self.latest[stream] = before
        return super().feed(filled, streams, until=until, arrives=arrives)


def filling(name: str, homes: Homes, **given: Any) -> Watch:
    """Return a watch that fills."""
    watch = Watch.of(name, homes, **given)
    return Filling(watch.judge, watch.params, watch.begin, watch.offsets_h, watch.state, watch.at)


def _ground(some: Sample, bench: Bench, watch: Callable[..., Watch]) -> Ground:
    """Return the homebodies of the sample with one moment, four weeks into the judged ones."""
    from bench.living_alone import lived_through

    last_use, away = lived_through(some.homes, some.known)
    mine, at = some.groups["homebody"], some.months.judge + 4 * 168 + 14
    return Ground(
        some.homes.of(mine), some.months.judge - 2 * 168, range(some.months.judge, at + 2 * 168), [at], away[mine], last_use[mine], bench.seed, bench.note, watch=watch,
    )
