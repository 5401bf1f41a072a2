"""The calendar of patrols: windows of days, closer together in season. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.kernel.texts import Text
from shouwang.places.rules.settings import SettingSpec
from shouwang.systems.drowning.rules.zones import Season

_DAY = Text("月日，如 501 是 5 月 1 日。", "Month and day: 501 is 1 May.")
_DAYS = Text("在这么多天里任意一天去一次即可；0 不安排。", "Once on any day of so many; 0 asks for none.")
PATROL_DAYS = SettingSpec("drowning.patrol_days", Text("汛期暑期几天巡查一次水域", "Days between patrols in season"), "INTEGER", 7, _DAYS)
PATROL_DAYS_OFF = SettingSpec("drowning.patrol_days_off", Text("其余时间几天巡查一次水域", "Days between patrols out of season"), "INTEGER", 30, _DAYS)
SEASON_FIRST = SettingSpec("drowning.season_first", Text("防溺水重点时段从哪天起", "The season begins on"), "INTEGER", 501, _DAY)
SEASON_LAST = SettingSpec("drowning.season_last", Text("防溺水重点时段到哪天止", "The season ends on"), "INTEGER", 930, _DAY)
SETTINGS = (PATROL_DAYS, PATROL_DAYS_OFF, SEASON_FIRST, SEASON_LAST)
AHEAD = timedelta(days=14)
LONGEST_DAYS = 120
LATE = "WATER_PATROL_LATE"
LATE_TEXT = Text("水域巡查逾期未做：{water}，应于 {until} 前完成。", "A patrol was not made: {water}, due before {until}.")
NOT_YET, DUE, OVERDUE, DONE = "NOT_YET", "DUE", "OVERDUE", "DONE"
STATES: Mapping[str, Text] = {
    DUE: Text("待巡查", "Due"), OVERDUE: Text("逾期", "Overdue"), NOT_YET: Text("未到时间", "Not yet"), DONE: Text("已巡查", "Done"),
}


@dataclass(frozen=True)
class Rhythm:
    """How many days a patrol has in season and out of it; 0 asks for none."""

    in_season_days: int
    off_days: int
    season: Season

    def days_at(self, day: date) -> int:
        """Return how many days a patrol that begins on a day has."""
        found = self.in_season_days if _is_in(self.season, day) else self.off_days
        return min(max(0, found), LONGEST_DAYS)


def rhythm_of(values: Mapping[str, Any]) -> Rhythm:
    """Return the rhythm that an area's settings ask for."""
    season = Season(_valid(values[SEASON_FIRST.key], SEASON_FIRST.default), _valid(values[SEASON_LAST.key], SEASON_LAST.default))
    return Rhythm(values[PATROL_DAYS.key], values[PATROL_DAYS_OFF.key], season)


def _valid(day: int, default: int) -> int:
    return day if 1 <= day // 100 <= 12 and 1 <= day % 100 <= 31 else default


def _is_in(season: Season, day: date) -> bool:
    return season.holds(day.month * 100 + day.day)


def windows(rhythm: Rhythm, *, since: date, until: date) -> Iterator[tuple[date, date]]:
    """Yield the half-open windows that begin in [since, until), one behind the other.

    A window ends where the season begins or ends, so that a season's rhythm holds from its first day.
    """
    day = since
    while day < until:
        days = rhythm.days_at(day)
        is_in = _is_in(rhythm.season, day)
        end = day + timedelta(days=1)
        while end < day + timedelta(days=days or 1) and _is_in(rhythm.season, end) == is_in:
            end += timedelta(days=1)
        if days:
            yield day, end
        day = end


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins in Liaocheng."""
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE)


def state_of(due_from: datetime, due_to: datetime, done_at: datetime | None, *, now: datetime) -> str:
    """Return how a patrol stands; one made late is done all the same."""
    if done_at is not None:
        return DONE
    return NOT_YET if now < due_from else DUE if now < due_to else OVERDUE
