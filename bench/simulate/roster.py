"""Who is on duty, told a second time: the simulator's own list of duties and shifts, searched from end to end.

It shares nothing with the product's roster but the days and hours it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

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


def _at(held: list[Held], by_area: dict[int, list[Held]], area: int) -> list[Held]:
    """Return those of `held` at an area, in their order; `by_area` is made anew when their number has changed."""
    if sum(map(len, by_area.values())) != len(held):
        by_area.clear()
        for each in held:
            by_area.setdefault(each.area, []).append(each)
    return by_area.get(area, [])


@dataclass
class Oracle:
    """Every duty and shift there is."""

    levels: dict[int, str]
    duties: list[HeldDuty] = field(default_factory=list)
    shifts: list[HeldShift] = field(default_factory=list)
    _duties_by_area: dict[int, list[HeldDuty]] = field(default_factory=dict)
    _shifts_by_area: dict[int, list[HeldShift]] = field(default_factory=dict)

    def who(self, path: str, *, duty: str, level: str, rank: str, at: datetime) -> int | None:
        """Return who answers at the area of `level` on `path`, None when nobody does."""
        area = next((int(part) for part in reversed(path.split("/")) if part and self.levels[int(part)] == level), None)
        if area is None:
            return None
        shift = next((each for each in self._shifts_at(area) if each.code == duty and each.start_at <= at < each.until_at), None)
        if shift is not None:
            on_duty = shift.person if rank == "PRIMARY" else shift.deputy
            if on_duty is not None:
                return on_duty
        held = [each for each in self._held(area, duty, rank, at) if shift is None or each.person != shift.person]
        return min(held, key=lambda each: (-each.from_date.toordinal(), each.person)).person if held else None

    def _held(self, area: int, code: str, rank: str, at: datetime) -> list[HeldDuty]:
        today = at.astimezone(LOCAL_ZONE).date()
        return [
            each for each in self._duties_at(area)
            if each.code == code and each.rank == rank
            and each.from_date <= today and (each.until_date is None or today < each.until_date)
        ]

    def _duties_at(self, area: int) -> list[HeldDuty]:
        return _at(self.duties, self._duties_by_area, area)

    def _shifts_at(self, area: int) -> list[HeldShift]:
        return _at(self.shifts, self._shifts_by_area, area)

    def areas_of(self, person: int, *, at: datetime | None = None) -> set[int]:
        """Return the areas a person answers for at a moment, or has ever answered for."""
        if at is None:
            held = {each.area for each in self.duties if each.person == person}
            return held | {each.area for each in self.shifts if person in (each.person, each.deputy)}
        today = at.astimezone(LOCAL_ZONE).date()
        held = {
            each.area for each in self.duties
            if each.person == person and each.from_date <= today and (each.until_date is None or today < each.until_date)
        }
        return held | {each.area for each in self.shifts if person in (each.person, each.deputy) and each.start_at <= at < each.until_at}
