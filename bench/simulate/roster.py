"""Who is on duty, told a second time: the simulator's own list of duties and shifts, searched from end to end.

It shares nothing with the product's roster but the days and hours it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, TypeVar

from shouwang.kernel.moments import LOCAL_ZONE


@dataclass
class HeldDuty:
    """That a person holds a duty at an area from a local day until another, exclusive."""

    area: int
    code: str
    rank: str
    person: int
    from_date: date
    until_date: date | None = None
    id: int = 0


@dataclass
class HeldShift:
    """That a person, with or without a deputy, is on duty at an area between two moments."""

    area: int
    code: str
    start_at: datetime
    until_at: datetime
    person: int
    deputy: int | None = None
    id: int = 0


Held = TypeVar("Held", HeldDuty, HeldShift)


@dataclass
class Ordered(Generic[Held]):
    """What is held, found by area or by person; the order is made anew when more has come."""

    all: list[Held]
    at: dict[int, list[Held]] = field(default_factory=dict)
    of: dict[int, list[Held]] = field(default_factory=dict)
    ordered: int = 0

    def look(self) -> Ordered[Held]:
        """Return itself, in order."""
        if self.ordered != len(self.all):
            self.at.clear()
            self.of.clear()
            for each in self.all:
                self.at.setdefault(each.area, []).append(each)
                for person in {each.person, getattr(each, "deputy", None)} - {None}:
                    self.of.setdefault(person, []).append(each)
            self.ordered = len(self.all)
        return self


@dataclass
class Oracle:
    """Every duty and shift there is."""

    levels: dict[int, str]
    duties: list[HeldDuty] = field(default_factory=list)
    shifts: list[HeldShift] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._duties, self._shifts = Ordered(self.duties), Ordered(self.shifts)

    def who(self, path: str, *, duty: str, level: str, rank: str, at: datetime) -> int | None:
        """Return who answers at the area of `level` on `path`, None when nobody does."""
        area = next((int(part) for part in reversed(path.split("/")) if part and self.levels[int(part)] == level), None)
        if area is None:
            return None
        shift = next((each for each in self._shifts.look().at.get(area, ()) if each.code == duty and each.start_at <= at < each.until_at), None)
        if shift is not None:
            on_duty = shift.person if rank == "PRIMARY" else shift.deputy
            if on_duty is not None:
                return on_duty
        held = [each for each in self._held(area, duty, rank, at) if shift is None or each.person != shift.person]
        return min(held, key=lambda each: (-each.from_date.toordinal(), each.person)).person if held else None

    def _held(self, area: int, code: str, rank: str, at: datetime) -> list[HeldDuty]:
        today = at.astimezone(LOCAL_ZONE).date()
        return [
            each for each in self._duties.look().at.get(area, ())
            if each.code == code and each.rank == rank
            and each.from_date <= today and (each.until_date is None or today < each.until_date)
        ]

    def areas_of(self, person: int, *, at: datetime | None = None) -> set[int]:
        """Return the areas a person answers for at a moment, or has ever answered for."""
        duties, shifts = self._duties.look().of.get(person, ()), self._shifts.look().of.get(person, ())
        if at is None:
            return {each.area for each in duties} | {each.area for each in shifts}
        today = at.astimezone(LOCAL_ZONE).date()
        held = {each.area for each in duties if each.from_date <= today and (each.until_date is None or today < each.until_date)}
        return held | {each.area for each in shifts if each.start_at <= at < each.until_at}
