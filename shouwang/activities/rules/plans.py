"""What an activity must be before it is planned, and the same on another day. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shouwang.activities.rules.checks import require
from shouwang.activities.rules.kinds import Kind
from shouwang.activities.rules.queue import MOST_WINDOWS
from shouwang.kernel.moments import LOCAL_ZONE, local
from shouwang.kernel.texts import Text

TITLE_LENGTH = 60
PLACE_LENGTH = 80
ABOUT_LENGTH = 1_000
MOST_PEOPLE = 100_000
LONGEST = timedelta(days=31)
OLDEST = timedelta(days=366)
FARTHEST = timedelta(days=2 * 366)
ENTRIES: Mapping[str, Text] = {
    "BOTH": Text("报名或直接到场", "Sign up or walk in"),
    "SIGN_UP": Text("须报名", "Sign-up needed"),
    "WALK_IN": Text("直接到场", "Walk in"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned. `capacity` None is without limit; the organiser is a person, a duty, or a person in a duty."""

    kind: str
    title: str
    area_id: int
    place: str
    starts_at: datetime
    ends_at: datetime
    entry: str
    capacity: int | None = None
    windows: int = 1
    organiser_id: int | None = None
    organiser_duty: str = ""
    about: str = ""


def check(plan: Plan, kind: Kind, *, now: datetime) -> None:
    """Raise ActivityWrong for the first thing in a plan that cannot be."""
    require(0 < len(plan.title) <= TITLE_LENGTH, ("名称", "The title"), plan.title[:20], (f"1 至 {TITLE_LENGTH} 个字", f"1 to {TITLE_LENGTH} characters"))
    require(0 < len(plan.place) <= PLACE_LENGTH, ("地点", "The place"), plan.place[:20], (f"1 至 {PLACE_LENGTH} 个字", f"1 to {PLACE_LENGTH} characters"))
    require(len(plan.about) <= ABOUT_LENGTH, ("说明", "The description"), plan.about[:20], (f"不超过 {ABOUT_LENGTH} 个字", f"at most {ABOUT_LENGTH} characters"))
    lasts = plan.ends_at - plan.starts_at
    require(timedelta(0) < lasts <= LONGEST, ("结束时间", "The end"), _said(plan.ends_at), ("开始之后、31 天以内", "after the start and within 31 days"))
    near = now - OLDEST < plan.starts_at <= now + FARTHEST
    require(near, ("开始时间", "The start"), _said(plan.starts_at), ("前后一两年之内", "within a year past or two to come"))
    require(plan.entry in kind.entries, ("参加方式", "The way in"), plan.entry, ("/".join(ENTRIES[each].zh for each in kind.entries), " or ".join(kind.entries)))
    people = plan.capacity is None or 1 <= plan.capacity <= MOST_PEOPLE
    require(people, ("名额", "The capacity"), str(plan.capacity), (f"1 至 {MOST_PEOPLE}，或不填", f"1 to {MOST_PEOPLE}, or empty"))
    require(1 <= plan.windows <= MOST_WINDOWS, ("窗口数", "The number of windows"), str(plan.windows), (f"1 至 {MOST_WINDOWS}", f"1 to {MOST_WINDOWS}"))
    organised = plan.organiser_id is not None or bool(plan.organiser_duty)
    require(organised, ("主办", "The organiser"), "—", ("负责人或负责岗位", "a person or a duty"))


def on_day(starts_at: datetime, ends_at: datetime, day: date) -> tuple[datetime, datetime]:
    """Return the same hours, as long, beginning on another local day."""
    start = datetime.combine(day, local(starts_at).time(), LOCAL_ZONE)
    return start, start + (ends_at - starts_at)


def _said(at: datetime) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"
