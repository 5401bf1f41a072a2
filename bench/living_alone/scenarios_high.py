"""What the real detector of high use makes of taps, leaks and exchanged meters at homes of one or two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.living_alone import lives
from bench.living_alone.figures import interval, rounded
from bench.living_alone.high import AGAIN_AFTER_H
from bench.living_alone.homes import YEAR_H
from bench.living_alone.judge import MISSED_H
from bench.living_alone.lives import streams_of
from bench.living_alone.scenarios import Ground, spread
from bench.living_alone.watching import HIGH_USE, LEAK, Opened, hours_until

ADDED_L_H = {"tap_360": 360.0, "leak_100": 100.0, "leak_20": 20.0, "leak_5": 5.0}
KINDS = {"high_use": (HIGH_USE,), "leak_ticket": (LEAK,)}
HOLE = {"exchange_falls": 0.0, "exchange_new": 900_000.0}


def figures(ground: Ground, *, judge_params: dict[str, float] | None = None) -> dict[str, Any]:
    """Return hours until what is added is told (the hour in which it begins counts as the first), and openings a home-year."""
    streams, registers = streams_of(0, ground.count), ground.base.registers()
    watch = ground.watch("high_use", ground.homes, begin=0, judged_from=ground.judged.start, params=judge_params)
    opened: list[Opened] = []
    delays: dict[str, dict[str, list[NDArray[np.float64]]]] = {name: {kind: [] for kind in KINDS} for name in ADDED_L_H}
    new_alarms, home = dict.fromkeys(HOLE, 0), []
    for cut in ground.cuts:
        opened += watch.feed(registers[:, watch.at : cut + 1], streams, until=cut + 1)
        valid = _is_read(ground, cut)
        home.append(np.flatnonzero(valid))
        for name, l_h in ADDED_L_H.items():
            told = watch.branch().feed(lives.adding(ground.base, cut, hours=MISSED_H, l_h=l_h), streams, until=cut + 1 + MISSED_H)
            for kind, kinds in KINDS.items():
                delays[name][kind].append(hours_until(told, watch.open, streams, since=cut, kinds=kinds, missed_h=MISSED_H)[valid])
        as_lived = watch.branch().feed(registers[:, cut + 1 : cut + 1 + MISSED_H], streams, until=cut + 1 + MISSED_H)
        for name, to_l in HOLE.items():
            told = watch.branch().feed(lives.exchanged(ground.base, cut, hours=MISSED_H, to_l=to_l), streams, until=cut + 1 + MISSED_H)
            new_alarms[name] += len([each for each in told if each.kind == HIGH_USE]) - len([each for each in as_lived if each.kind == HIGH_USE])
    opened += watch.feed(registers[:, watch.at : ground.judged.stop], streams, until=ground.judged.stop)
    return {**_told(delays, np.concatenate(home), ground), **_yearly(ground, opened),
            "exchanges": int(sum(len(each) for each in home)), **{f"high_alarms_more_by_{name}": count for name, count in new_alarms.items()}}


def _is_read(ground: Ground, cut: int) -> NDArray[np.bool_]:
    """Return whose last day was read for the better half: others have no detector to speak of."""
    return ground.base.read[:, cut] & (ground.base.read[:, cut - 23 : cut + 1].mean(axis=1) >= 0.5)


def _told(delays: dict[str, dict[str, list[NDArray[np.float64]]]], home: NDArray[np.int64], ground: Ground) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kinds in delays.items():
        found[name] = {"truth": f"{ADDED_L_H[name]:g} L an hour over what is lived, for seven days", "stops": len(home)}
        for kind, parts in kinds.items():
            hours = np.concatenate(parts)
            found[name][kind] = spread(hours) | {"median_interval": _median_interval(hours, home, ground)}
    return found


def _median_interval(hours: NDArray[np.float64], home: NDArray[np.int64], ground: Ground) -> list[float | None]:
    """Return the 95 % interval of the median over bootstrapped homes."""
    counts = np.zeros((ground.count, MISSED_H + 1))
    np.add.at(counts, (home, hours.astype(int)), 1)
    return interval(counts.sum(axis=1) > 0, lambda times: float(np.searchsorted(np.cumsum(times @ counts), (times @ counts).sum() / 2)), seed=ground.seed)


def _yearly(ground: Ground, opened: list[Opened]) -> dict[str, Any]:
    """Return openings a home-year; as false alarm counts one that did not open within 24 hours of another."""
    hours = ground.base.read[:, ground.judged.start : ground.judged.stop].sum(axis=1)
    found: dict[str, Any] = {"home_years": rounded(hours.sum() / YEAR_H)}
    for name, kind in (("high", HIGH_USE), ("leak_ticket", LEAK)):
        mine = sorted((each.stream, each.column) for each in opened if each.kind == kind and each.column in ground.judged)
        again = [False, *(one[0] == two[0] and two[1] - one[1] <= AGAIN_AFTER_H for one, two in zip(mine, mine[1:], strict=False))][: len(mine)]
        alarms = np.bincount(np.array([home for (home, _), is_again in zip(mine, again, strict=True) if not is_again], int), minlength=ground.count)
        found[f"{name}_openings_per_home_year"] = rounded(len(mine) / hours.sum() * YEAR_H)
        found[f"{name}_fa_per_home_year"] = rounded(alarms.sum() / hours.sum() * YEAR_H)
        found[f"{name}_fa_interval"] = interval(hours > 0, lambda times, alarms=alarms, hours=hours: alarms @ times / max(hours @ times, 1) * YEAR_H, seed=ground.seed)
    return found
