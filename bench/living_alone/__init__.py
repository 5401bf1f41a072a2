"""Silence behind real water meters: delays and false alarms of the product's habits, on homes and months they were not fitted on.

Fit March to September 2016, choose October to January, judge February to May 2017 (`docs/explanation/silence.md`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.harness import ROOT, Bench, sha256
from bench.living_alone import checks, figures, high, mutants, reference, rules, scenarios, scenarios_high, small
from bench.living_alone.figures import ASKED, PRICES_H, Curve, clocks, fixed, gain, interval, policy, rounded
from bench.living_alone.homes import YEAR_H, Homes
from bench.living_alone.judge import ANNOUNCED_H, Window, judge
from bench.living_alone.model import Months, Told, held_out, known_for, with_frozen
from bench.living_alone.reading import BadHomes, read_homes
from bench.living_alone.scenarios import Ground
from shouwang.detectors.habits.clock import alarm_hours
from shouwang.detectors.habits.frozen import frozen

Prices = dict[str, dict[float, float]] | None
FIGURES = {
    "gain_geo": lambda found: (found.get("gain_geo") or 0) >= 1.18,
    "homebody_fa2_mean_h": lambda found: (found.get("homebody_fa2_mean_h") or 99) <= 12.5,
    "homebody_fa2_p90_h": lambda found: (found.get("homebody_fa2_p90_h") or 99) <= 20,
    "calibration_ratio": lambda found: 0.8 <= (found.get("calibration_ratio") or 0) <= 1.25,
    "hard_stop_max_h": lambda found: (found.get("hard_stop_max_h") or 99) <= 25,
    "day_one_loss_h": lambda found: found.get("day_one_loss_h") is not None and found["day_one_loss_h"] <= 2,
    "reason_error_pp": lambda found: found.get("reason_error_pp") is not None and found["reason_error_pp"] <= 3,
    "tap_h": lambda found: (found.get("tap_h") or 99) <= 1,
    "leak20_h": lambda found: (found.get("leak20_h") or 99) <= 10,
    "high_fa_per_home_year": lambda found: found.get("high_fa_per_home_year") is not None and found["high_fa_per_home_year"] <= 2,
    "lookahead_violations": lambda found: found.get("lookahead_violations") == 0,
}
LIMITS = {
    "homebody_fa2_mean_h": "at most 12.5, aim 12", "homebody_fa2_p90_h": "at most 20, aim 18", "homebody_fa1_mean_h": "aim 16", "homebody_fa33_mean_h": "aim 5.0",
    "homebody_fa2_got": "aim 2", "gain_geo": "at least 1.18, aim 1.30", "calibration_ratio": "0.8 to 1.25", "tap_h": "at most 1", "leak20_h": "at most 10, aim 8",
    "high_fa_per_home_year": "at most 2", "hard_stop_max_h": "at most 25", "day_one_loss_h": "at most 2", "reason_error_pp": "at most 3", "lookahead_violations": "0",
}
STOPS = 48


def data_path() -> Path:
    """Return the folder of the water data."""
    return Path(os.environ.get("SHOUWANG_DATA", ROOT.parent / "shared" / "data")) / "water"


def groups_of(homes: Homes, told: Told, *, months: Months) -> dict[str, NDArray[np.bool_]]:
    """Return the homes of each group, chosen in the months to fit: at most 4 gaps of 24 hours a year and 60 % of hours read."""
    count, span = len(homes.ids), months.choose - months.fit
    inside = (told.contexts.slot >= months.fit) & (told.contexts.slot < months.choose) & (told.gaps.next_h >= 24)
    yearly = np.bincount(told.contexts.home[inside], minlength=count) / (span / YEAR_H)
    read = np.isfinite(homes.registers[:, months.fit : months.choose]).sum(axis=1) / span
    return {"homebody": (yearly <= 4) & (read >= 0.6), "single": homes.members == 1, "all": np.ones(count, bool)}


def run(bench: Bench) -> dict[str, Any]:
    """Return every figure of the issue's row; with `--self-test` which broken detectors and harnesses were seen."""
    path = Path(bench.options.values.get("homes", data_path() / "daiad_hourly.parquet"))
    survey = Path(bench.options.values.get("survey", data_path() / "daiad_homes.csv"))
    if not path.exists():
        if "homes" in bench.options.values:
            raise BadHomes(f"--homes={path} is not there; give the path of a Parquet file")
        bench.skipped.append(f"no data at {path}")
        return {"verified": "SHOUWANG_DATA" not in os.environ and not bench.options.self_test, **dict.fromkeys(FIGURES)}
    bench.data = {each.name: sha256(each) for each in (path, survey) if each.exists()}
    homes = read_homes(path, survey, timezone=bench.options.values.get("timezone", "Europe/Madrid"))
    bench.note(f"read {len(homes.ids)} homes")
    if bench.options.self_test:
        return mutants.seen(bench, homes)
    return small.run(bench, homes) if bench.options.quick else whole(bench, homes)


def whole(bench: Bench, homes: Homes) -> dict[str, Any]:
    """Return the figures of all homes over all months."""
    is_other, hours, months = "homes" in bench.options.values, homes.hours_of_week(), Months.of(homes, elsewhen="homes" in bench.options.values)
    known, new, weights, fold = (
        with_frozen(homes, hours, months=months) if is_other else held_out(homes, hours, months=months, seed=bench.seed, note=bench.note)
    )
    groups = groups_of(homes, known, months=months)
    found = judged(bench, homes, known, groups, months=months, prices=frozen_prices() if is_other else None)
    if groups["homebody"].any():
        usual, first_day = (
            clocks(each.window(homes, begin=months.judge, end=months.end), each.chance, groups["homebody"]).mean_at(4)
            for each in (known_for(homes, hours, weights, fold, months=months), new)
        )
        found["day_one_loss_h"] = rounded(first_day - usual) if first_day and usual else None
    found["lookahead_violations"] = checks.lookahead_violations(
        homes, hours, weights[0].population, weights[0].warm, begin=months.judge, end=months.end, seed=bench.seed,
    )
    found |= played(bench, homes, known, groups, months=months, count=bench.options.number("stops", STOPS))
    return {
        **found, **proven(homes, known, groups["homebody"], found, months=months, is_other=is_other), "limits": LIMITS,
        "begins": {part: homes.day(getattr(months, part)) for part in ("fit", "choose", "judge", "end")},
    }


def proven(homes: Homes, known: Told, bodies: NDArray[np.bool_], found: dict[str, Any], *, months: Months, is_other: bool) -> dict[str, Any]:
    """Return whether the harness counts as a slow reference does, sees nothing ahead, and on the 62 homes gives 14 ± 2 for 17 hours."""
    fit, span = range(months.fit, months.choose), range(months.judge, months.end)
    slow = reference.fixed_alarms(homes.registers, fit=fit, judged=span)
    agrees = slow == {"homebodies": int(bodies.sum()), "alarms": found["fixed_17h_alarms"]}
    agrees &= len(known.contexts) > 0 and found["lookahead_violations"] == 0 and found["told_late_h"] == 0
    return {"reference": slow, "verified": bool(agrees and (is_other or abs(slow["alarms"] - 14) <= 2))}


def played(bench: Bench, homes: Homes, known: Told, groups: dict[str, NDArray[np.bool_]], *, months: Months, count: int) -> dict[str, Any]:
    """Return the scenarios at homebodies (taps, leaks and exchanges at homes of one or two), judged by the real detectors."""
    last_use, away = lived_through(homes, known)
    cuts = moments(months, seed=bench.seed, count=count)
    found: dict[str, Any] = {"scenarios": None, "hard_stop_max_h": None, "told_late_h": 0, "high": None, **dict.fromkeys(("tap_h", "leak20_h", "high_fa_per_home_year"))}
    bodies, few = groups["homebody"], (homes.members > 0) & (homes.members <= 2)

    def ground(chosen: NDArray[np.bool_], *, begin: int) -> Ground:
        return Ground(homes.of(chosen), begin, range(months.judge, months.end), cuts, away[chosen], last_use[chosen], bench.seed, bench.note)

    if bodies.any():
        at = ground(bodies, begin=months.choose)
        found["scenarios"] = scenarios.figures(at)
        found |= {"told_late_h": checks.told_late_h(at), "hard_stop_max_h": found["scenarios"]["hard_stop"]["max_h"]}
    else:
        bench.skipped.append("scenarios of silence: no homebody among the homes")
    if few.any():
        much = scenarios_high.figures(ground(few, begin=0))
        found |= {
            "high": much | {"by_formula": high.figures(homes, begin=months.judge, end=months.end, seed=bench.seed)},
            "tap_h": much["tap_360"]["high_use"]["median_h"], "leak20_h": much["leak_20"]["high_use"]["median_h"], "high_fa_per_home_year": much["high_fa_per_home_year"],
        }
    else:
        bench.skipped.append("taps and leaks: the survey names no home of one or two")
    return found


def moments(months: Months, *, seed: int, count: int) -> list[int]:
    """Return the columns, drawn once for all homes, at which something happens; two weeks before the end is the last."""
    columns = np.arange(months.judge, months.end - 2 * 168)
    return sorted(np.random.default_rng(seed).choice(columns, min(count, len(columns)), replace=False).tolist())


def lived_through(homes: Homes, known: Told) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for each home and column the last use, −1 before the first, and whether it is away for 36 hours and more."""
    last_use, away = np.full(homes.registers.shape, -1, np.int64), np.zeros(homes.registers.shape, bool)
    for home, slot, next_h, silence_h in zip(known.contexts.home, known.contexts.slot, known.gaps.next_h, known.gaps.silence_h, strict=True):
        last_use[home, slot : slot + next_h] = slot
        away[home, slot : slot + next_h] = silence_h >= ANNOUNCED_H
    return last_use, away


def frozen_prices() -> dict[str, dict[float, float]]:
    """Return the prices that ship."""
    return {name: {float(asked): price for asked, price in row.items()} for name, row in frozen().prices_h.items()}


def judged(bench: Bench, homes: Homes, known: Told, groups: dict[str, NDArray[np.bool_]], *, months: Months, prices: Prices) -> dict[str, Any]:
    """Return the figures of homes whose alarm hours are known."""
    bench.n = {name: int(chosen.sum()) for name, chosen in groups.items()} | {"homes": len(homes.ids)}
    choose, window = (known.window(homes, begin=a, end=b) for a, b in ((months.choose, months.judge), (months.judge, months.end)))
    proof = judge(window, np.full(len(window.home), 17), groups["homebody"])
    found: dict[str, Any] = {**dict.fromkeys(LIMITS), "fixed_17h_alarms": int(proof.false.sum()), "homebody_home_years": rounded(proof.hours.sum() / YEAR_H)}
    table: dict[str, Any] = {}
    for name, chosen in groups.items():
        bench.note(name)
        if not chosen[window.read_home].any():
            bench.skipped.append(f"group {name}: no home of it was read in the months to judge")
            table[name] = None
            continue
        ours, theirs = clocks(window, known.chance, chosen), fixed(window, chosen)
        picked = picked_prices(None if prices is not None else clocks(choose, known.chance, chosen), None if prices is None else prices[name])
        table[name] = group_figures(ours, theirs, picked, chosen, seed=bench.seed)
        table[name] |= baselines(window, known, homes, chosen, months=months)
        late = judge(window, alarm_hours(known.chance, prices_h=[PRICES_H[picked[2]]])[0], chosen, late=uploads(homes))
        table[name]["daily_upload_at_2"] = policy(late)
        found |= keys(name, ours, theirs, picked, chosen, seed=bench.seed)
        if name == "homebody":
            found |= reasons(window, known, picked)
    return {**found, "groups": table}


def reasons(window: Window, known: Told, picked: dict[float, int]) -> dict[str, Any]:
    """Return how far the sentence of an alarm is from what happened, at 2, 8 and 33 false alarms a home-year."""
    alarms = alarm_hours(known.chance, prices_h=[PRICES_H[picked[asked]] for asked in (2, 8, 33)])
    each = [figures.reason_error_pp(window, known.chance, alarm) for alarm in alarms]
    return {"reason_error_pp": max(one["error_pp"] for one in each), "reason": dict(zip(("2", "8", "33"), each, strict=True))}


def baselines(window: Window, known: Told, homes: Homes, chosen: NDArray[np.bool_], *, months: Months) -> dict[str, Any]:
    """Return the rules in service, a personal quantile, and both curves once more where nobody announces an absence."""
    hour = known.contexts.figures["hour"].astype(int) % 24
    found: dict[str, Any] = {}
    for name, declared in (("declared", True), ("undeclared", False)):
        quantile = figures.personal(window, hour, chosen, until=months.judge, declared=declared)
        found[name] = {
            "in_service": rules.in_service(window, homes.registers, chosen, declared=declared),
            "personal_quantile": {str(asked): quantile.row(asked) for asked in ASKED},
        }
    ours, theirs = clocks(window, known.chance, chosen, declared=False), fixed(window, chosen, declared=False)
    found["undeclared"] |= {"ours": {str(asked): ours.row(asked) for asked in ASKED}, "fixed_hours": {str(asked): theirs.row(asked) for asked in ASKED}}
    return found


def uploads(homes: Homes) -> NDArray[np.int32]:
    """Return for each column the next local midnight: when its reading arrives if a meter sends once a day."""
    midnight = homes.hours_of_week(more=0) % 24 == 0
    columns = np.where(midnight, np.arange(len(midnight)), 10**8)
    return np.minimum.accumulate(columns[::-1])[::-1].clip(max=len(midnight) + 168).astype(np.int32)


def picked_prices(choose: Curve | None, frozen_h: dict[float, float] | None) -> dict[float, int]:
    """Return for each asked number of false alarms the place of its price: the frozen one, or what the months to choose say."""
    if choose is not None:
        return {asked: choose.nearest(asked) for asked in ASKED}
    return {asked: int(np.argmin(np.abs(np.log(PRICES_H / frozen_h[asked])))) for asked in ASKED}


def group_figures(ours: Curve, theirs: Curve, picked: dict[float, int], homes: NDArray[np.bool_], *, seed: int) -> dict[str, Any]:
    """Return the curves of one group, and what the prices chosen before the judged months really gave."""
    return {
        "ours": {str(asked): ours.row(asked) for asked in ASKED}, "fixed_hours": {str(asked): theirs.row(asked) for asked in ASKED},
        "chosen": {str(asked): policy(ours.judged[picked[asked]]) for asked in ASKED},
        "gain": rounded(gain(ours, theirs), 3), "gain_interval": interval(homes, lambda times: gain(ours, theirs, times=times), seed=seed),
    }


def keys(name: str, ours: Curve, theirs: Curve, picked: dict[float, int], homes: NDArray[np.bool_], *, seed: int) -> dict[str, Any]:
    """Return the issue's keys of one group."""
    if name == "single":
        spread = interval(homes, lambda times: ours.mean_at(4, times=times), seed=seed)
        return {"single_fa4_mean_h": rounded(ours.mean_at(4)), "single_fa4_interval": spread}
    if name == "all":
        ratios = [ours.judged[picked[asked]].per_year / asked for asked in (4, 8, 15)]
        return {"calibration_ratio": rounded(np.exp(np.mean(np.log(np.maximum(ratios, 1e-3))))), "calibration": [rounded(each) for each in ratios]}
    spread = interval(homes, lambda times: gain(ours, theirs, times=times), seed=seed)
    found: dict[str, Any] = {"homebody_fa2_p90_h": ours.row(2)["p90_h"], "homebody_fa2_p90_interval": interval(homes, lambda times: ours.p90_at(2, times=times), seed=seed)}
    for asked in (1, 2, 33):
        one = ours.judged[picked[asked]]
        found[f"homebody_fa{asked}_mean_h"] = rounded(ours.mean_at(asked))
        found[f"homebody_fa{asked}_mean_interval"] = interval(homes, lambda times, asked=asked: ours.mean_at(asked, times=times), seed=seed)
        found[f"homebody_fa{asked}_got"] = rounded(one.per_year)
        found[f"homebody_fa{asked}_got_interval"] = interval(homes, lambda times, one=one: one.false @ times / max(one.hours @ times, 1) * YEAR_H, seed=seed)
    return found | {"gain_geo": rounded(gain(ours, theirs), 3), "gain_geo_lo": spread[0], "gain_geo_interval": spread}
