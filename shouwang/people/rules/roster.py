"""Who answers for an area and a duty at a moment: a shift in force, else the holder of the duty. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from shouwang.kernel.moments import LOCAL_ZONE, local, to_us
from shouwang.people.rules.codes import DEPUTY, PRIMARY

DAYS_OF_WEEK = 7


class DutyRow(NamedTuple):
    """That a person holds a duty at an area from a day (inclusive) until a day (exclusive, None for open)."""

    area_id: int
    level: str
    code: str
    rank: str
    person_id: int
    from_date: date
    until_date: date | None


class ShiftRow(NamedTuple):
    """That a person, with or without a deputy, is on duty at an area from a moment (inclusive) until a moment (exclusive)."""

    area_id: int
    level: str
    code: str
    start_at: datetime
    until_at: datetime
    person_id: int
    deputy_id: int | None


class LeaveRow(NamedTuple):
    """That a person is away from a day (inclusive) until a day (exclusive)."""

    person_id: int
    from_date: date
    until_date: date


class Who(NamedTuple):
    """The question who answers for `area_path` in `duty`, at the nearest area of `level`, as PRIMARY or DEPUTY.

    VILLAGE also finds the holder of a GRID inside the village, as the nearer one.
    """

    area_path: str
    duty: str
    level: str
    rank: str = PRIMARY


def ids_of_path(path: str) -> list[int]:
    """Return the area ids of a path "/1/5/77/", nearest first."""
    return [int(part) for part in path.split("/")[::-1] if part]


def in_force(start: datetime, until: datetime, at: datetime) -> bool:
    """Return whether `at` lies in the half-open interval [start, until)."""
    return start <= at < until


def overlap(start: datetime, until: datetime, other_start: datetime, other_until: datetime) -> bool:
    """Return whether two half-open intervals share a moment; touching ones do not."""
    return start < other_until and other_start < until


def holds(from_date: date, until_date: date | None, on: date) -> bool:
    """Return whether a duty is held on a local day."""
    return from_date <= on and (until_date is None or on < until_date)


class Roster:
    """All duties and shifts, indexed for many questions: about 2 µs each once a path has been asked for.

    Of several holders of one duty and rank the one appointed last answers, then the lower id. A shift without deputy
    leaves the deputy's place to the duty's deputy; nobody is his own deputy. Who is on leave answers for nothing: another holder
    does, else the deputy stands in.
    """

    def __init__(self, duties: Iterable[DutyRow], shifts: Iterable[ShiftRow], leaves: Iterable[LeaveRow] = ()) -> None:
        self._leaves: dict[int, list[tuple[int, int]]] = {}
        for leave in leaves:
            self._leaves.setdefault(leave.person_id, []).append((leave.from_date.toordinal(), leave.until_date.toordinal()))
        self._levels: dict[int, str] = {}
        self._duties: dict[tuple[int, str, str], list[tuple[int, int, int, int]]] = {}
        self._shifts: dict[tuple[int, str], tuple[list[int], list[tuple[int, int, int | None]]]] = {}
        self._nearest: dict[tuple[str, str], tuple[int, ...]] = {}
        for row in duties:
            self._levels[row.area_id] = row.level
            until = row.until_date.toordinal() if row.until_date else date.max.toordinal()
            entry = (-row.from_date.toordinal(), row.person_id, row.from_date.toordinal(), until)
            self._duties.setdefault((row.area_id, row.code, row.rank), []).append(entry)
        for entries in self._duties.values():
            entries.sort()
        for shift in sorted(shifts, key=lambda each: each.start_at):
            self._levels[shift.area_id] = shift.level
            starts, rows = self._shifts.setdefault((shift.area_id, shift.code), ([], []))
            starts.append(to_us(shift.start_at))
            rows.append((to_us(shift.until_at), shift.person_id, shift.deputy_id))

    def answer(self, asked: Sequence[Who], *, at: datetime) -> list[int | None]:
        """Return the person for each question; None is a coverage gap."""
        at_us, today = to_us(at), local(at).date().toordinal()
        known: dict[Who, int | None] = {}
        for who in asked:
            if who not in known:
                known[who] = self._one(who, at_us, today)
        return [known[who] for who in asked]

    def _one(self, who: Who, at_us: int, today: int) -> int | None:
        key = (who.area_path, who.level)
        areas = self._nearest.get(key)
        if areas is None:
            areas = self._nearest[key] = self._at_level(who.area_path, who.level)
        for area_id in areas:
            person = self._at(area_id, who.duty, who.rank, at_us, today)
            if person is not None:
                return person
        return None

    def _at(self, area_id: int, code: str, rank: str, at_us: int, today: int) -> int | None:
        shift, somebody_away = self._shift(area_id, code, at_us), False
        if shift is not None:
            on_duty = shift[0] if rank == PRIMARY else shift[1]
            if on_duty is not None and not self._is_away(on_duty, today):
                return on_duty
            somebody_away = on_duty is not None
            if somebody_away and rank == PRIMARY and shift[1] is not None and not self._is_away(shift[1], today):
                return shift[1]
        for _, person, start, until in self._duties.get((area_id, code, rank), ()):
            if start <= today < until and not (shift is not None and person == shift[0]):
                if not self._is_away(person, today):
                    return person
                somebody_away = True
        return self._at(area_id, code, DEPUTY, at_us, today) if somebody_away and rank == PRIMARY else None

    def _is_away(self, person_id: int, today: int) -> bool:
        spans = self._leaves.get(person_id)
        return spans is not None and any(start <= today < until for start, until in spans)

    def _shift(self, area_id: int, code: str, at_us: int) -> tuple[int, int | None] | None:
        found = self._shifts.get((area_id, code))
        if found is None:
            return None
        starts, rows = found
        n = bisect_right(starts, at_us) - 1
        if n < 0 or at_us >= rows[n][0]:
            return None
        return rows[n][1], rows[n][2]

    def _at_level(self, path: str, level: str) -> tuple[int, ...]:
        levels = ("VILLAGE", "GRID") if level == "VILLAGE" else (level,)
        return tuple(area_id for area_id in ids_of_path(path) if self._levels.get(area_id) in levels)


@dataclass(frozen=True)
class RosterCell:
    """Who is on duty on one day in one row of the week table, as planned: (shift id, from, until, person, deputy)."""

    day: date
    shifts: tuple[tuple[int, str, str, int, int | None], ...]


def week_of(day: date) -> list[date]:
    """Return the seven days, Monday first, of the week of `day`."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=n) for n in range(DAYS_OF_WEEK)]


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Return the local midnights that bound `day`, as aware moments."""
    start = datetime.combine(day, time(), tzinfo=LOCAL_ZONE)
    return start, datetime.combine(day + timedelta(days=1), time(), tzinfo=LOCAL_ZONE)


def week_cells(days: Sequence[date], shifts: Iterable[tuple[int, ShiftRow]]) -> list[RosterCell]:
    """Return one cell a day with the shifts that touch it, their hours cut to "00:00" and "24:00" where they go beyond it."""
    ordered = sorted(shifts, key=lambda each: each[1].start_at)
    cells = []
    for day in days:
        start, end = day_bounds(day)
        cells.append(RosterCell(day, tuple(
            (
                number,
                f"{max(local(shift.start_at), start):%H:%M}",
                "24:00" if shift.until_at >= end else f"{local(shift.until_at):%H:%M}",
                shift.person_id,
                shift.deputy_id,
            )
            for number, shift in ordered
            if overlap(shift.start_at, shift.until_at, start, end)
        )))
    return cells


