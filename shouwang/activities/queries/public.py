"""What anybody may see who has the public code: the notice, the board, one's turn. No names, no matters, no telephone numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from shouwang.activities.models import Activity, Call, SignUp, Ticket
from shouwang.activities.queries.catalogue import kind_of
from shouwang.activities.queries.queue import tickets_of
from shouwang.activities.rules.kinds import Kind
from shouwang.activities.rules.queue import STATES, before, in_hand
from shouwang.activities.rules.states import REASONS
from shouwang.activities.rules.states import STATES as ACTIVITY_STATES
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.queries import area_names
from shouwang.people.rules.codes import DUTIES


@dataclass(frozen=True, slots=True)
class Notice:
    """What is announced of an activity. `free` is how many places are left, None without limit; `reason` why it was cancelled."""

    id: int
    code: str
    kind: Kind
    title: str
    about: str
    area: str
    place: str
    starts_at: datetime
    ends_at: datetime
    entry: str
    state_code: str
    state: Text
    organiser: Text
    free: int | None
    reason: Text | None


@dataclass(frozen=True, slots=True)
class Board:
    """The numbers as all may see them. `windows` holds (window, number or None, how often it was called), `last` the newest call."""

    title: str
    state: Text
    is_running: bool
    windows: Sequence[tuple[int, int | None, int]]
    last: tuple[int, int] | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Where one number stands: how many wait before it, and the window that has called it."""

    number: int
    state_code: str
    state: Text
    before: int
    window: int | None


def notice_of(code: str) -> Notice:
    """Return what is announced of an activity; one that is only planned is as unknown as none. Raises NotFound."""
    return notice(_announced(code))


def notice(row: Activity) -> Notice:
    """Return what is announced of an activity, for a public page or for paper."""
    seats = SignUp.objects.filter(activity_id=row.pk, state="IN").aggregate(Sum("party"))["party__sum"] or 0
    reason = REASONS.get(row.reason_code) if row.state == "CANCELLED" else None
    return Notice(
        row.pk, row.code, kind_of(row.kind), row.title, row.about, area_names([row.area_id]).get(row.area_id, ""), row.place,
        row.starts_at, row.ends_at, row.entry, row.state, ACTIVITY_STATES[row.state], DUTIES.get(row.organiser_duty, Text("", "")),  # type: ignore[index]
        None if row.capacity is None else max(0, row.capacity - seats), reason,
    )


def board_of(code: str) -> Board:
    """Return the numbers of an activity as all may see them. Raises NotFound."""
    row = _announced(code)
    tickets = tickets_of(row.pk)
    held = [in_hand(tickets, window) for window in range(1, row.windows + 1)]
    calls = Call.objects.filter(activity_id=row.pk).order_by("-pk").values_list("ticket__number", "window")
    numbers = [ticket.number for ticket in held if ticket]
    often = list(Call.objects.filter(activity_id=row.pk, ticket__number__in=numbers).values_list("ticket__number", flat=True))
    return Board(
        row.title, ACTIVITY_STATES[row.state], row.state == "RUNNING",  # type: ignore[index]
        [(n, ticket.number if ticket else None, often.count(ticket.number) if ticket else 0) for n, ticket in enumerate(held, start=1)],
        calls.first(), sum(ticket.state == "WAITING" for ticket in tickets),
    )


def turn_of(code: str, number: int) -> Turn:
    """Return where a number stands. Raises NotFound."""
    row = _announced(code)
    tickets = tickets_of(row.pk)
    found = next((ticket for ticket in tickets if ticket.number == number), None)
    if found is None:
        raise NotFound(what=f"{number} 号")
    return Turn(number, found.state, STATES[found.state], before(tickets, number), found.window)


def number_of_key(code: str, key: str) -> int | None:
    """Return the number that was given for a sender's key, None where none was."""
    return Ticket.objects.filter(activity__code=code, key=key).values_list("number", flat=True).first()


def _announced(code: str) -> Activity:
    row = Activity.objects.filter(code=code).exclude(state="PLANNED").first()
    if row is None:
        raise NotFound(what="活动")
    return row
