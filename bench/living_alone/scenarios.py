"""What the real detectors make of what happens in homes and to meters: each scenario states its truth and is judged through the contract.

The population that ships judges; it was fitted on months before the judged ones. Homes learn from October on, are judged from February on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.living_alone import lives
from bench.living_alone.figures import interval, rounded
from bench.living_alone.homes import YEAR_H, Homes
from bench.living_alone.judge import MISSED_H
from bench.living_alone.lives import Lives, streams_of
from bench.living_alone.watching import CALL, HARD_STOP, NO_DATA, SILENCE, VISIT, Opened, Watch, hours_until

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
TIERS = {"call": (CALL, VISIT, HARD_STOP), "visit": (VISIT, HARD_STOP), "hard_stop": (HARD_STOP,)}
DECLARED_LATE_H = (6, 12, 24)
OUTAGE_H, AFTERWARDS_H, GAP_H = 24, 72, 6


@dataclass
class Ground:
    """The homes, the columns judged, the moments at which something happens, and when a home is away as announced."""

    homes: Homes
    begin: int
    judged: range
    cuts: list[int]
    away: Mask
    last_use: Ints
    seed: int
    note: Callable[[str], None]
    watch: Callable[..., Watch] = Watch.of
    base: Lives = field(init=False)

    def __post_init__(self) -> None:
        self.base = lives.lived(self.homes.registers)

    @property
    def count(self) -> int:
        """Return the number of homes."""
        return len(self.homes.ids)

    def is_home(self, at: int) -> Mask:
        """Return who was read in a column, has used water before it and is not away as announced."""
        return self.base.read[:, at] & ~self.away[:, at] & (self.last_use[:, at] >= 0)

    def home_years(self, columns: Mask | None = None) -> float:
        """Return the hours read in the judged columns, in years."""
        read = self.base.read[:, self.judged.start : self.judged.stop]
        return float((read if columns is None else read & columns[:, self.judged.start : self.judged.stop]).sum() / YEAR_H)


class Delays:
    """Hours from a stop to each tier, of many stops."""

    def __init__(self) -> None:
        self.hours: dict[str, list[Floats]] = {tier: [] for tier in TIERS}
        self.home: list[Ints] = []

    def add(self, opened: list[Opened], before: dict[tuple[str, int], int], streams: Ints, *, since: int, valid: Mask) -> None:
        """Take the stops of one moment at `valid` homes."""
        for tier, kinds in TIERS.items():
            self.hours[tier].append(hours_until(opened, before, streams, since=since, kinds=kinds, missed_h=MISSED_H)[valid])
        self.home.append(np.flatnonzero(valid))

    def figures(self, *, count: int, seed: int) -> dict[str, Any]:
        """Return mean with its interval over homes, median, p90 and the share missed in 7 days, of each tier."""
        home = np.concatenate(self.home) if self.home else np.zeros(0, int)
        if not len(home):
            return {"stops": 0, **dict.fromkeys(TIERS)}
        stops = np.bincount(home, minlength=count).astype(float)
        found: dict[str, Any] = {"stops": len(home)}
        for tier, parts in self.hours.items():
            hours = np.concatenate(parts)
            total = np.bincount(home, hours, minlength=count)
            found[tier] = spread(hours) | {
                "mean_interval": interval(stops > 0, lambda times, total=total: total @ times / max(stops @ times, 1), seed=seed),
            }
        return found


def spread(hours: Floats) -> dict[str, Any]:
    """Return how delays are spread."""
    return {
        "mean_h": rounded(hours.mean()), "median_h": float(np.median(hours)), "p90_h": float(np.quantile(hours, 0.9)),
        "max_h": float(hours.max()), "missed": rounded((hours >= MISSED_H).mean(), 4), "already": rounded((hours == 0).mean(), 4),
    }


def figures(ground: Ground) -> dict[str, Any]:
    """Return every scenario of silence."""
    chance = np.random.default_rng(ground.seed)
    shown = lives.variants(ground.base, begin=ground.begin, judged=ground.judged, chance=chance)
    passed = replayed(ground, shown)
    found = {each.name: {"truth": TRUTH[each.name], **row} for each, row in zip(shown, passed.rows(ground, shown), strict=True)}
    ground.note("scenarios: stops and lives replayed")
    found |= {name: {"truth": TRUTH[name], **row} for name, row in passed.moments.figures(ground).items()}
    found["holiday"] |= {"alarmed_before_it_is_declared": passed.late_declared(ground)}
    found["daily_upload"] = {"truth": TRUTH["daily_upload"], **uploaded_daily(ground)}
    ground.note("scenarios: daily upload replayed")
    return found


@dataclass
class Passed:
    """What one walk through the judged columns showed: openings of each variant, delays of stops, and what single moments did."""

    opened: list[Opened]
    delays: list[Delays]
    moments: Moments

    def rows(self, ground: Ground, shown: list[Lives]) -> list[dict[str, Any]]:
        """Return delays and false alarms of each variant, beside the lived homes in the same weeks where only some are looked at."""
        found = []
        for place, each in enumerate(shown):
            row = self.delays[place].figures(count=ground.count, seed=ground.seed)
            row |= false_alarms(ground, self.opened, place=place, looked_at=each.looked_at)
            if not each.looked_at.all():
                row |= {"home_years": rounded(ground.home_years(each.looked_at)), "as_lived": false_alarms(ground, self.opened, place=0, looked_at=each.looked_at)}
            found.append(row)
        return found

    def late_declared(self, ground: Ground) -> dict[str, Any]:
        """Return the share of departures that each tier tells before the family declares them, 6, 12 or 24 hours late."""
        del ground
        return {
            f"{late_h}_h": {tier: rounded((np.concatenate(parts) < late_h).mean(), 3) for tier, parts in self.delays[0].hours.items()}
            for late_h in DECLARED_LATE_H
        }


def replayed(ground: Ground, shown: list[Lives]) -> Passed:
    """Walk through the judged columns once with all variants; at each cut let water stop, and let other things happen, on a branch."""
    streams = np.concatenate([streams_of(place, ground.count) for place in range(len(shown))])
    registers = np.concatenate([each.registers() for each in shown])
    watch = ground.watch("silence", ground.homes, begin=ground.begin, judged_from=ground.judged.start)
    passed = Passed([], [Delays() for _ in shown], Moments())
    for number, cut in enumerate(ground.cuts):
        passed.opened += watch.feed(registers[:, watch.at : cut + 1], streams, until=cut + 1)
        stops = watch.branch()
        after = np.concatenate([each.stopped(cut, hours=MISSED_H) for each in shown])
        opened = stops.feed(after, streams, until=cut + 1 + MISSED_H)
        for place, each in enumerate(shown):
            valid = ground.is_home(cut) & each.looked_at[:, cut]
            passed.delays[place].add(opened, watch.open, streams_of(place, ground.count), since=cut, valid=valid)
        passed.moments.take(ground, watch, cut, rarely=number % 4 == 0, stopped=opened)
    passed.opened += watch.feed(registers[:, watch.at : ground.judged.stop], streams, until=ground.judged.stop)
    return passed


def false_alarms(ground: Ground, opened: list[Opened], *, place: int, looked_at: Mask) -> dict[str, Any]:
    """Return the openings of each tier a home-year, announced absences left out and counted."""
    years = ground.home_years(looked_at)
    found: dict[str, Any] = {"declared": {}, "undeclared": {}}
    for tier, kinds in TIERS.items():
        mine = [(each.stream % lives.STREAMS_APART, each.column) for each in opened if each.kind == kinds[0] and each.stream // lives.STREAMS_APART == place]
        mine = [(home, column) for home, column in mine if looked_at[home, column] and column in ground.judged]
        at_home = sum(not ground.away[home, column] for home, column in mine)
        found["declared"][tier], found["undeclared"][tier] = rounded(at_home / years if years else None), rounded(len(mine) / years if years else None)
    return {"false_per_home_year": found}


@dataclass
class Moments:
    """What happens at single moments to homes as they are: dribble, outages, exchanges, and the hard stop of every stop."""

    dribble: Delays = field(default_factory=Delays)
    outage: dict[str, list[dict[str, int]]] = field(default_factory=lambda: {"outage_meter": [], "outage_gateway": []})
    outage_stop: Delays = field(default_factory=Delays)
    exchange: dict[str, list[dict[str, int]]] = field(default_factory=lambda: {"exchange_falls": [], "exchange_new": []})
    hard_stop_h: list[Floats] = field(default_factory=list)
    told_offline: int = 0

    def take(self, ground: Ground, watch: Watch, cut: int, *, rarely: bool, stopped: list[Opened]) -> None:
        """Let everything happen at column `cut`; what must go on living is done at every fourth moment."""
        mine = streams_of(0, ground.count)
        valid = ground.is_home(cut)
        branch = watch.branch(only=mine)
        opened = branch.feed(lives.dribbling(ground.base, cut, hours=MISSED_H), mine, until=cut + 1 + MISSED_H)
        self.dribble.add(opened, watch.open, mine, since=cut, valid=valid)
        self._hard_stops(ground, watch, cut, valid=valid, stopped=stopped)
        if rarely:
            self._outages(ground, watch, cut, valid=valid)
            self._exchanges(ground, watch, cut)

    def _hard_stops(self, ground: Ground, watch: Watch, cut: int, *, valid: Mask, stopped: list[Opened]) -> None:
        """Take the hours from each home's last use to the hard stop, or to the ticket of a meter that sends nothing."""
        mine = streams_of(0, ground.count)
        hard = hours_until(stopped, {}, mine, since=0, kinds=(HARD_STOP,), missed_h=10**6)
        told = {stream: at for (kind, stream), at in watch.open.items() if kind == HARD_STOP}
        hard = np.array([told.get(int(stream), at) for stream, at in zip(mine, hard, strict=True)])
        silent = _no_data(ground, cut, ground.base.stopped(cut, hours=MISSED_H), back_h=96)
        last_use = ground.last_use[:, cut]
        since_then = [each for each in silent if each.column >= last_use[each.stream]]
        offline = hours_until(since_then, {}, mine, since=0, kinds=(NO_DATA,), missed_h=10**6)
        hours = np.minimum(hard, offline) - last_use
        self.hard_stop_h.append(hours[valid])
        self.told_offline += int((offline < hard)[valid].sum())

    def _outages(self, ground: Ground, watch: Watch, cut: int, *, valid: Mask) -> None:
        """Cut one home in three off for a day, then all at once, then all while water stops."""
        mine, some, all_of = streams_of(0, ground.count), np.arange(ground.count) % 3 == cut % 3, np.ones(ground.count, bool)
        as_lived = watch.branch(only=mine).feed(lives.dark(ground.base, cut, lasts_h=0, hours=AFTERWARDS_H, homes=all_of), mine, until=cut + 1 + AFTERWARDS_H)
        for name, dark in (("outage_meter", some), ("outage_gateway", all_of)):
            shown = lives.dark(ground.base, cut, lasts_h=OUTAGE_H, hours=AFTERWARDS_H, homes=dark)
            opened = watch.branch(only=mine).feed(shown, mine, until=cut + 1 + AFTERWARDS_H)
            told = _no_data(ground, cut, shown, back_h=30)
            self.outage[name].append(_outage_counts(ground, opened, as_lived, told, cut=cut, dark=dark & ground.base.read[:, cut]))
        shown = ground.base.stopped(cut, hours=MISSED_H)
        shown[:, :OUTAGE_H] = np.nan
        self.outage_stop.add(watch.branch(only=mine).feed(shown, mine, until=cut + 1 + MISSED_H), watch.open, mine, since=cut, valid=valid)

    def _exchanges(self, ground: Ground, watch: Watch, cut: int) -> None:
        mine = streams_of(0, ground.count)
        as_lived = lives.dark(ground.base, cut, lasts_h=0, hours=MISSED_H, homes=np.zeros(ground.count, bool))
        before = watch.branch(only=mine).feed(as_lived, mine, until=cut + 1 + MISSED_H)
        for name, to_l in (("exchange_falls", 0.0), ("exchange_new", 900_000.0)):
            shown = lives.exchanged(ground.base, cut, hours=MISSED_H, to_l=to_l)
            opened = watch.branch(only=mine).feed(shown, mine, until=cut + 1 + MISSED_H)
            self.exchange[name].append({"exchanges": int(ground.base.read[:, cut].sum()), "alarms": len(opened), "alarms_as_lived": len(before)})

    def figures(self, ground: Ground) -> dict[str, Any]:
        """Return the sums."""
        hard = np.concatenate(self.hard_stop_h) if self.hard_stop_h else np.zeros(0)
        return {
            "stop_dribble": self.dribble.figures(count=ground.count, seed=ground.seed),
            **{name: _summed(rows) for name, rows in (*self.outage.items(), *self.exchange.items())},
            "stop_in_outage": self.outage_stop.figures(count=ground.count, seed=ground.seed),
            "hard_stop": {"max_h": float(hard.max()) if len(hard) else None, "stops": len(hard), "told_by_the_meters_ticket": self.told_offline},
        }


def _no_data(ground: Ground, cut: int, shown: Floats, *, back_h: int) -> list[Opened]:
    """Return the tickets of meters that send nothing, opened after column `cut - back_h`."""
    since = max(cut + 1 - back_h, 0)
    registers = np.concatenate([ground.base.registers()[:, since : cut + 1], shown], axis=1)
    return ground.watch("no_data", ground.homes, begin=since, judged_from=since).feed(registers, streams_of(0, ground.count), until=since + registers.shape[1])


def _outage_counts(ground: Ground, opened: list[Opened], as_lived: list[Opened], told: list[Opened], *, cut: int, dark: Mask) -> dict[str, int]:
    """Return what opened while the dark meters were silent, what the others did otherwise than lived, and who was told."""
    mine = set(np.flatnonzero(dark).tolist())
    during = [each for each in opened if each.stream in mine and each.column <= cut + OUTAGE_H and each.kind in SILENCE]
    late = [each for each in during if each.column > cut + GAP_H]
    others = {each for each in opened if each.stream not in mine} ^ {each for each in as_lived if each.stream not in mine and ground.base.read[each.stream, cut]}
    others = {each for each in others if ground.base.read[each.stream, cut]}
    tickets = {each.stream for each in told if each.stream in mine and each.column <= cut + OUTAGE_H}
    return {
        "outages": len(mine), "silence_alarms": len(late), "hard_stops_in_the_first_6_h": len(during) - len(late),
        "no_data_told": len(tickets), "others_changed": len(others),
        "alarms_after": sum(each.stream in mine and each.column > cut + OUTAGE_H for each in opened),
        "alarms_after_as_lived": sum(each.stream in mine and each.column > cut + OUTAGE_H for each in as_lived),
    }


def _summed(rows: list[dict[str, int]]) -> dict[str, int]:
    return {name: sum(row[name] for row in rows) for name in rows[0]} if rows else {}


def uploaded_daily(ground: Ground) -> dict[str, Any]:
    """Return delays and false alarms where the 24 values of a day arrive together at its end, and what the day costs against hourly."""
    count, streams = ground.count, streams_of(0, ground.count)
    arrives = arrivals(ground.homes)
    watch = ground.watch("silence", ground.homes, begin=ground.begin, judged_from=ground.judged.start)
    registers, opened, delays = ground.base.registers(), [], Delays()
    for cut in ground.cuts:
        # The branch begins with the last upload before the stop; what was read between it and the stop arrives with the next.
        until = int(np.flatnonzero(arrives[: cut + 1] < cut + 1)[-1]) + 1
        opened += watch.feed(registers[:, watch.at : until], streams, until=until, arrives=arrives)
        after = np.concatenate([registers[:, until : cut + 1], ground.base.stopped(cut, hours=MISSED_H)], axis=1)
        told = watch.branch().feed(after, streams, until=cut + 1 + MISSED_H, arrives=arrives)
        delays.add(told, watch.open, streams, since=cut, valid=ground.is_home(cut))
    opened += watch.feed(registers[:, watch.at : ground.judged.stop], streams, until=ground.judged.stop, arrives=arrives)
    return delays.figures(count=count, seed=ground.seed) | false_alarms(ground, opened, place=0, looked_at=ground.base.looked_at)


def arrivals(homes: Homes) -> Ints:
    """Return for each column the one in whose hour its reading arrives if a meter sends once a day, after local midnight."""
    midnight = homes.hours_of_week(more=2 * MISSED_H) % 24 == 0
    columns = np.where(midnight, np.arange(len(midnight)), 10**8)
    return np.minimum.accumulate(columns[::-1])[::-1]


TRUTH = {
    "stop": "water stops at a moment drawn at random; holes of the real meter stay",
    "loss_5": "each reading lost with a chance of 5 % from October on; water stops", "loss_20": "the same with 20 %", "loss_50": "the same with 50 %",
    "leak_3": "a leak of 3 L an hour has stood for a week or more; all other water stops, the leak goes on",
    "drip_half": "a drip of half a litre an hour (a register of whole litres moves every second hour) has stood for a week or more; all other water stops",
    "visitor": "another home's water is added for two weeks; judged in the four weeks after, when the guest has gone and water stops",
    "holiday": "a week away, announced too late or not at all; judged in the two weeks after the return, when water stops",
    "stop_dribble": "water stops but for 3 L of a cistern within the first hour", "outage_meter": "a third of the meters send nothing for a day; life goes on",
    "outage_gateway": "no meter sends anything for a day, only the clock moves; life goes on", "stop_in_outage": "water stops as a day without readings begins",
    "exchange_falls": "a new meter that begins at 0; life goes on", "exchange_new": "a new meter that begins 900,000 L; life goes on",
    "daily_upload": "the 24 hourly values of a day arrive together in the hour after local midnight; water stops",
    "hard_stop": "hours from the last use to the hard stop, or to the ticket of a meter that sends nothing, over all stops",
}
