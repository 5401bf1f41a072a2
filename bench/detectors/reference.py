"""What silence, high use and no data must find of one meter, in plain Python, reading by reading: slow and independent of NumPy.

Only the population that ships (profile, weights, prices) and the parameters' defaults are taken from the product.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence

HOUR_US = 3_600_000_000
GRID_US = 600_000_000
WEEK_H, AHEAD_H, SET_H = 168, 36, 3
LONG_H, USUAL = (8, 12, 18, 24), (60.0, 15.0, 4.0, 1.0)
DECAY = 0.5 ** (1 / 16)
Row = tuple[int, float]
Told = tuple[str, str, int, int]
"""Kind, phase, moment and episode."""
NAT = 254 / math.log(1001)


def code(litres: float) -> int:
    return int(math.log(1 + min(litres, 1000.0)) * NAT + 0.5)


def litres_of(number: int | None) -> float:
    return 0.0 if number is None else math.expm1(number / NAT)


def narrow(value: float, kind: str) -> float:
    """Return `value` as a float of two bytes (`e`) or four (`f`) holds it."""
    return struct.unpack(kind, struct.pack(kind, value))[0]


def leaked(least: float, three: float, gone_h: int) -> float:
    """Return the litres that a leak may show in `gone_h` hours, from the least hour and the least three together."""
    steady = 0.5 + 1.2 * least * gone_h
    drips = 0 < three < 3 * (least + 1) - 0.5
    return max(steady, (three + 1) / 3 * gone_h + 0.9) if drips else steady


class Counts:
    """Counts of hours that halve in sixteen weeks, in whole steps of one byte."""

    def __init__(self, size: int, step: int) -> None:
        self.kept, self.step = [0] * size, step

    def add(self, place: int) -> None:
        self.kept[place] += self.step

    def fade(self, week: int) -> None:
        for figure, count in enumerate(self.kept):
            part = (0.6180339887498949 * (week + 89 * figure)) % 1.0
            self.kept[figure] = min(math.floor(count * DECAY + part), 240)

    def __getitem__(self, place: int) -> float:
        return self.kept[place] / self.step

    def total(self) -> float:
        return sum(self.kept) / self.step


class SilentHome:
    """The silence rule over the readings of one meter."""

    def __init__(self, population, *, call_price_h: float, visit_price_h: float, hard_stop_h: int = 24, max_gap_h: int = 6) -> None:
        self.population, self.prices = population, (call_price_h, visit_price_h)
        self.usual_use = [[float(each) for each in row] for row in population.population.use]
        self.usual_after = [float(each) for each in population.population.after_silence]
        self.usual_day = [(self.usual_use[0][h] + self.usual_use[1][h]) / 2 for h in range(24)]
        self.usual_rate = sum(map(sum, self.usual_use)) / 48
        self.weights = {True: [float(each) for each in population.warm], False: [float(each) for each in population.cold]}
        self.hard_h, self.gap_h = hard_stop_h, max_gap_h
        self.register = self.read = self.use = self.since = None
        self.used: set[int] = set()
        self.rate: dict[int, int] = {}
        self.hours, self.uses, self.quiet_hours, self.quiet_uses = Counts(48, 2), Counts(48, 2), Counts(24, 1), Counts(24, 1)
        self.gaps, self.reads, self.litres = [0.0] * 4, 0.0, 0.0
        self.before, self.last_litres, self.slot = 1, 0, None
        self.known_h = self.unseen_h = 0
        self.due: dict[str, int] = {}
        self.open: dict[str, int] = {}

    def hour(self, slot: int, register: float | None) -> Iterator[Told]:
        """Yield what becomes true by the end of hour `slot`, of which `register` is the last reading."""
        if self.slot is not None:
            for week in range(self.slot // WEEK_H, slot // WEEK_H):
                self._fade(week)
        self.slot = slot
        used = register is not None and self._read(slot, register)
        at_us = (slot + 1) * HOUR_US
        if used:
            for kind in sorted(self.open, key=("WATER_SILENCE_CALL", "WATER_SILENCE", "WATER_HARD_STOP").index):
                yield kind, "END", at_us, self.open[kind]
            self.open, self.due, self.use = {}, {}, slot
        if self.use is None:
            return
        if slot - self.use == SET_H:
            self._set_clocks()
        silent_h, shown = slot - self.use, register is not None and not used
        late = {kind: shown and silent_h >= after for kind, after in self.due.items()}
        late["WATER_HARD_STOP"] = slot - self.read <= self.gap_h and silent_h + min(self.unseen_h, self.gap_h, self.hard_h - SET_H) >= self.hard_h
        for kind, is_late in late.items():
            if is_late and kind not in self.open:
                self.open[kind] = at_us
                yield kind, "OPEN", at_us, at_us

    def _fade(self, week: int) -> None:
        for counts in (self.hours, self.uses, self.quiet_hours, self.quiet_uses):
            counts.fade(week)
        self.gaps = [narrow(each * narrow(DECAY, "e"), "e") for each in self.gaps]
        self.reads, self.litres = (narrow(each * narrow(DECAY, "f"), "f") for each in (self.reads, self.litres))

    def leaked_l(self, slot: int, gone_h: int) -> float:
        """Return what a leak alone may have shown in `gone_h` hours."""
        hourly = [litres_of(self.rate[each]) if each in self.rate else None for each in range(slot - 47, slot + 1)]
        if self.known_h < 24:
            return 0.5
        three = [sum(part) for part in zip(hourly, hourly[1:], hourly[2:], strict=False) if None not in part]
        return leaked(min(each for each in hourly if each is not None), min(three, default=math.inf), gone_h)

    def note_rate(self, slot: int, number: int, gone_h: int) -> None:
        for back in range(min(gone_h, 48)):
            self.rate.setdefault(slot - back, number)
        self.rate[slot] = number
        self.known_h = min(self.known_h + gone_h, 48) if gone_h <= 6 else max(self.known_h - gone_h, 0)
        for old in [each for each in self.rate if each < slot - 80]:
            del self.rate[old]

    def _read(self, slot: int, register: float) -> bool:
        first = self.read is None
        gone_h = 1 if first else slot - self.read
        litres = 0.0 if first else register - self.register
        exchanged, litres = litres < -10, max(litres, 0.0)
        self.note_rate(slot, code(litres / gone_h), gone_h)
        used = first or exchanged or (litres > 0.5 and litres > self.leaked_l(slot, gone_h))
        silent_h = 1 if self.use is None else slot - self.use
        if first:
            self.since = slot
        else:
            self._learn((slot + 72 + 8) % WEEK_H, used, litres, gone_h, silent_h)
        if used:
            self.used.add(slot)
            self.used = {each for each in self.used if each > slot - 192}
            self.before, self.last_litres, self.unseen_h = min(silent_h, AHEAD_H), code(litres), min(gone_h - 1, 255)
        self.register, self.read = register, slot
        return used

    def _learn(self, hour: int, used: bool, litres: float, gone_h: int, silent_h: int) -> None:
        kind, of_day = hour // 24 >= 5, hour % 24
        if gone_h == 1 and (used or silent_h <= AHEAD_H):
            self.hours.add(24 * kind + of_day)
            if used:
                self.uses.add(24 * kind + of_day)
            if silent_h >= 3:
                self.quiet_hours.add(of_day)
                if used:
                    self.quiet_uses.add(of_day)
        silence_h = -1 if self.use is None else self.read - self.use
        if used and silence_h < AHEAD_H:
            for place, long_h in enumerate(LONG_H):
                self.gaps[place] = narrow(self.gaps[place] + (silence_h >= long_h), "e")
        self.reads, self.litres = narrow(self.reads + 1, "f"), narrow(self.litres + min(litres, 500), "f")

    def figures(self) -> dict[str, float]:
        """Return what is known at the last use."""
        slot, age_h = self.use, min(self.use - self.since, 191) + 1
        day_l = 24 * (self.litres + 3_125) / (self.reads + 500)
        found = {"rate": (self.uses.total() + 30 * self.usual_rate) / (self.hours.total() + 30)}
        for place, (long_h, usual) in enumerate(zip(LONG_H, USUAL, strict=True)):
            found[f"gaps_{long_h}"] = math.log((self.gaps[place] + usual * 1000 / 8766) / (self.reads + 1000) * 8766 / usual)
        for hours in (3, 6, 12, 24):
            found[f"uses_{hours}"] = sum(slot - each in self.used for each in range(hours)) / min(hours, age_h)
        drawn = [litres_of(self.rate.get(slot - each)) for each in range(24)]
        found["drawn_3"], found["drawn_24"] = sum(drawn[:3]) / day_l, sum(drawn) / day_l * 24 / min(24, age_h)
        found["last_use"], found["silence_before"] = math.log1p(litres_of(self.last_litres)), self.before
        for hours in (48, WEEK_H):
            marks = [each for each in range(hours) if slot - each in self.used]
            found[f"longest_{hours}"] = min(max((b - a for a, b in zip(marks, marks[1:], strict=False)), default=0), AHEAD_H)
        for name, lag_h in (("yesterday", 24), ("last_week", WEEK_H)):
            after = next((each for each in range(1, min(lag_h, 40) + 1) if slot - lag_h + each in self.used), 40)
            found[name] = min(after, lag_h) if age_h > lag_h else -1
        return {**found, "hour": (slot + 80) % WEEK_H, "is_known": slot - self.since >= 336}

    def profile(self) -> tuple[list[float], list[float]]:
        """Return the home's chance of use in each of the 36 hours after the last use, by hour alone and after three silent hours."""
        use, after = [], []
        for ahead in range(1, AHEAD_H + 1):
            hour = (self.use + 80 + ahead) % WEEK_H
            kind, of_day = hour // 24 >= 5, hour % 24
            place = 24 * kind + of_day
            over = (self.uses[of_day] + self.uses[24 + of_day] + 20 * self.usual_day[of_day]) / (self.hours[of_day] + self.hours[24 + of_day] + 20)
            use.append((self.uses[place] + 10 * over) / (self.hours[place] + 10))
            after.append((self.quiet_uses[of_day] + 15 * self.usual_after[of_day]) / (self.quiet_hours[of_day] + 15))
        return use, after

    def chances(self) -> Sequence[float]:
        figures, (use, after) = self.figures(), self.profile()
        weights = self.weights[bool(figures["is_known"])]
        found, seen, seen_quiet = [], 0.0, 0.0
        for ahead in range(1, AHEAD_H + 1):
            line = design(figures, use[ahead - 1], after[ahead - 1], seen, seen_quiet, ahead)
            found.append(1 / (1 + math.exp(-sum(a * b for a, b in zip(line, weights, strict=True)))))
            seen -= math.log(1 - min(use[ahead - 1], 0.97))
            seen_quiet -= math.log(1 - min(after[ahead - 1], 0.97))
        return found

    def _set_clocks(self) -> None:
        still, cost, delay, total = [1.0], [[], []], 0.0, 0.0
        chances = self.chances()
        for after, chance in enumerate(chances, start=1):
            total += still[-1]
            delay += total
            still.append(still[-1] * (1 - chance))
            for tier, price in enumerate(self.prices):
                cost[tier].append((price * still[-1] + delay, after))
        for tier, kind in enumerate(("WATER_SILENCE_CALL", "WATER_SILENCE")):
            self.due[kind] = min(max(min(cost[tier])[1], SET_H), self.hard_h)


def design(figures: dict[str, float], use: float, after: float, seen: float, seen_quiet: float, ahead: int) -> list[float]:
    """Return the line of the logistic for one hour ahead, in the order of its weights."""
    def logit(chance: float) -> float:
        kept = min(max(chance, 0.01), 0.99)
        return math.log(kept / (1 - kept))

    def late(step: int) -> float:
        return float(ahead >= step)

    u, q = logit(use), logit(after)
    line = [1.0, *(late(step) for step in (2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 24)), u, q, u * u, u * q]
    for step in (2, 3, 5, 8, 12, 18):
        line += [u * late(step), q * late(step)]
    line += [seen, seen_quiet, *(max(seen - knot, 0) for knot in (0.5, 1, 2, 3, 4, 6, 8)), *(max(seen_quiet - knot, 0) for knot in (1, 2, 4))]
    line += [figures["rate"], *(figures[f"gaps_{each}"] for each in LONG_H)]
    line += [figures[f"gaps_{each}"] * late(step) for each, step in ((8, 4), (8, 8), (12, 6), (12, 12), (18, 12))]
    coming, last_hour = (int(figures["hour"]) + ahead) % WEEK_H, int(figures["hour"]) % 24
    day, hour = coming // 24, coming % 24
    line += [float(hour == each) for each in range(24)]
    for begin in range(0, 24, 3):
        now, then = float(begin <= hour < begin + 3), float(begin <= last_hour < begin + 3)
        line += [now * late(5), now * late(11), then, then * late(5)]
    weekend = float(day >= 5)
    line += [weekend, weekend * late(5), float(day == 6), weekend * (6 <= hour < 11)]
    shown = [figures[f"uses_{each}"] for each in (3, 6, 12, 24)]
    shown += [math.log(figures["drawn_24"] + 0.1), math.log(figures["drawn_3"] + 0.05), figures["last_use"], math.log(figures["silence_before"])]
    shown += [math.log1p(figures["longest_48"]), math.log1p(figures["longest_168"])]
    line += [part for each in shown for part in (each, each * late(3), each * late(8))]
    for name in ("yesterday", "last_week"):
        hours = figures[name]
        known, longer, size = float(hours >= 0), float(hours > ahead), math.log1p(hours) if hours >= 0 else 0.0
        line += [known, known * (hours == ahead), longer, longer * late(5), longer * late(10), size, size * late(5), known * (abs(hours - ahead) <= 1)]
    return line


def silent(home: SilentHome, rows: Sequence[Row], *, until: int) -> list[Told]:
    """Return what `home` finds in `rows` (µs, litres) up to hour `until`; hours that nobody read pass by the clock."""
    last: dict[int, float] = {at_us // HOUR_US: value for at_us, value in sorted(rows)}
    return [each for slot in range(min(last), until) for each in home.hour(slot, last.get(slot))]


def drawn(rows: Sequence[Row], *, until: int) -> list[Told]:
    """Return the findings of high use and leaks."""
    last = {at_us // HOUR_US: value for at_us, value in sorted(rows)}
    slots = [slot for slot in sorted(last) if slot < until]
    hourly = {b: last[b] - last[a] for a, b in zip(slots, slots[1:], strict=False) if b == a + 1 and 0 <= last[b] - last[a] <= 20_000}
    most, this_week, week, opened, found = {}, {}, None, {}, []
    for slot in slots:
        if week is not None and slot // WEEK_H > week:
            most = {span: max(most.get(span, 0), this_week.get(span, 0)) for span in {*most, *this_week}}
            this_week = {}
        week = slot // WEEK_H
        shown = {}
        for hours in (1, 2, 3, 4, 6, 8, 10, 12, 24):
            part = [hourly[each] for each in range(slot - hours + 1, slot + 1) if each in hourly]
            if len(part) == hours:
                shown["drawn", hours], shown["least", hours] = sum(part), min(part)
        much = slot - slots[0] >= 336 and any(shown.get(("drawn", h), 0) > max(1.5 * most.get(("drawn", h), 0), 150) for h in (1, 2, 3, 6, 12, 24))
        much |= slot - slots[0] >= 336 and any(shown.get(("least", h), 0) > max(1.3 * most.get(("least", h), 0), 10) for h in (4, 6, 8, 10, 12, 24))
        if slot - slots[0] < 336:
            much = shown.get(("drawn", 24), 0) > 1_000
        for span, value in shown.items():
            this_week[span] = max(this_week.get(span, 0), value)
        for kind, is_so in (("WATER_HIGH_USE", much), ("WATER_LEAK", shown.get(("least", 24), 0) > 0)):
            at_us = (slot + 1) * HOUR_US
            if is_so and kind not in opened:
                opened[kind] = at_us
                found.append((kind, "OPEN", at_us, at_us))
            elif not is_so and kind in opened:
                found.append((kind, "END", at_us, opened.pop(kind)))
    return found


def unread(rows: Sequence[Row], *, until: int, gap_h: int = 6) -> list[Told]:
    """Return when the meter fell silent for more than `gap_h` hours, and came back, on the grid of ten minutes."""
    moments = sorted(at_us for at_us, _ in rows if at_us < until * HOUR_US)
    found: list[Told] = []
    for at_us, following in zip(moments, [*moments[1:], None], strict=True):
        opens = ((at_us + gap_h * HOUR_US) // GRID_US + 1) * GRID_US
        if opens <= until * HOUR_US and (following is None or following > opens):
            found.append(("WATER_NO_DATA", "OPEN", opens, opens))
            ends = None if following is None else -(-following // GRID_US) * GRID_US
            if ends is not None and ends <= until * HOUR_US:
                found.append(("WATER_NO_DATA", "END", ends, opens))
    return found
