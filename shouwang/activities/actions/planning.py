"""Planning activities, changing and copying them, and leading them from one state to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, datetime

from django.db import IntegrityError, transaction

from shouwang.activities import events as kinds
from shouwang.activities.actions.holding import event, held, require_state, tell
from shouwang.activities.actions.publishing import publish_shipped
from shouwang.activities.actions.seats import move_up
from shouwang.activities.links import any_code
from shouwang.activities.models import Activity, Ticket
from shouwang.activities.queries.catalogue import kind_of
from shouwang.activities.queries.scoped import activity_in, require_manage
from shouwang.activities.rules.checks import require, require_key, tidy_line
from shouwang.activities.rules.errors import WindowBusy
from shouwang.activities.rules.plans import Plan, check, on_day
from shouwang.activities.rules.states import REASONS, TABLE, Move, after
from shouwang.journal.actions import append
from shouwang.kernel.texts import Text
from shouwang.people.queries import person_page
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import DUTIES
from shouwang.places import queries as places

REASON_LENGTH = 200
CHANGING = Text("修改", "change it")
_KIND_OF_MOVE = {
    "OPEN": kinds.OPENED, "START": kinds.STARTED, "END": kinds.ENDED, "CANCEL": kinds.CANCELLED, "REOPEN": kinds.REOPENED,
}
Code = Callable[[], str]


def plan(
    scope: Scope, new: Plan, *, key: str, code: Code = any_code, copied_from: int | None = None, exercise_id: int | None = None,
    now: datetime,
) -> int:
    """Plan an activity and return its id; the same key again returns the first. Raises NotFound, Refused, ActivityWrong.

    The procedures that its matters will follow are published with it where they are not there yet.
    """
    require_key(key)
    new, path = _checked(scope, new, now=now)
    try:
        with transaction.atomic():
            known = Activity.objects.filter(key=key).first()
            if known is not None:
                return _same(scope, known)
            publish_shipped(now=now)
            row = Activity.objects.create(
                **asdict(new), key=key, code=code(), path=path, planned_at=now, planned_by=scope.person_id, copied_from_id=copied_from,
                exercise_id=exercise_id,
            )
            tell(row, kinds.PLANNED, now=now, kind=new.kind, area=new.area_id, by=scope.person_id, copied_from=copied_from)
    except IntegrityError:
        known = Activity.objects.filter(key=key).first()
        if known is None:
            raise
        return _same(scope, known)
    return row.pk


def change(scope: Scope, activity_id: int, new: Plan, *, now: datetime) -> None:
    """Change what is planned, whatever is still to come; more places let those who wait move up.

    The kind stays. Raises NotFound, Refused, MoveRefused, ActivityWrong, WindowBusy.
    """
    new, path = _checked(scope, new, now=now)
    with transaction.atomic():
        row = held(scope, activity_id)
        require_state(row, "PLANNED", "OPEN", "RUNNING", doing=CHANGING)
        require(new.kind == row.kind, ("类型", "The kind"), new.kind, ("不变", "unchanged"))
        _require_windows(row, new.windows)
        for name, value in asdict(new).items():
            setattr(row, name, value)
        row.path = path
        row.save(update_fields=[*asdict(new), "path"])
        append([event(row, kinds.CHANGED, area=new.area_id, by=scope.person_id), *move_up(row)], now=now)


def copy_to(scope: Scope, activity_id: int, *, day: date, key: str, code: Code = any_code, now: datetime) -> int:
    """Plan the same activity on another day, at the same hours, and return its id; nothing that happened is copied."""
    row = activity_in(scope, activity_id)
    starts_at, ends_at = on_day(row.starts_at, row.ends_at, day)
    same = Plan(
        row.kind, row.title, row.area_id, row.place, starts_at, ends_at, row.entry, row.capacity, row.windows, row.organiser_id,
        row.organiser_duty, row.about,
    )
    if same.organiser_id != scope.person_id and not same.organiser_duty:
        same = replace(same, organiser_id=scope.person_id)
    return plan(scope, same, key=key, code=code, copied_from=row.pk, now=now)


def move(scope: Scope, activity_id: int, doing: Move, *, reason_code: str = "", reason: str = "", now: datetime) -> None:
    """Open, start, end, cancel or reopen an activity; done again it changes nothing. CANCEL needs a reason.

    At the end numbers still in hand count as served; who waits keeps the number, for a reopening. Raises NotFound,
    Refused, MoveRefused, ActivityWrong.
    """
    reason = tidy_line(reason)[:REASON_LENGTH]
    if doing == "CANCEL":
        require(reason_code in REASONS, ("取消原因", "The reason"), reason_code, ("所列原因之一", "one of those listed"))
    with transaction.atomic():
        row = held(scope, activity_id)
        if row.state in {to for (_, each), to in TABLE.items() if each == doing}:
            return
        row.state = after(row.pk, row.state, doing)  # type: ignore[arg-type] # held to STATES by a constraint
        row.reason_code, row.reason = (reason_code, reason) if doing == "CANCEL" else ("", "")
        row.save(update_fields=["state", "reason_code", "reason"])
        served = _serve_in_hand(row, now=now) if doing in {"END", "CANCEL"} else []
        ended = [event(row, kinds.NUMBER_DONE, number=number, window=window) for number, window in served]
        append([*ended, event(row, _KIND_OF_MOVE[doing], by=scope.person_id, **_said(doing, row))], now=now)


def _said(doing: Move, row: Activity) -> dict[str, str]:
    return {"CANCEL": {"reason": row.reason_code}, "REOPEN": {"state": row.state}}.get(doing, {})


def _serve_in_hand(row: Activity, *, now: datetime) -> list[tuple[int, int | None]]:
    called = Ticket.objects.filter(activity_id=row.pk, state="CALLED")
    numbers = list(called.order_by("number").values_list("number", "window"))
    called.update(state="DONE", ended_at=now)
    return numbers


def _checked(scope: Scope, new: Plan, *, now: datetime) -> tuple[Plan, str]:
    """Return a plan tidied and checked, and the path of its area."""
    new = replace(new, title=tidy_line(new.title), place=tidy_line(new.place), about=new.about.strip())
    check(new, kind_of(new.kind), now=now)
    require(new.organiser_duty in {"", *DUTIES}, ("负责岗位", "The duty"), new.organiser_duty, ("/".join(DUTIES), " or ".join(DUTIES)))
    area = places.area(new.area_id)
    require_manage(scope, area.path, what=f"地区 {new.area_id}")
    if new.organiser_id is not None and new.organiser_id != scope.person_id:
        person_page(scope, new.organiser_id)
    return new, area.path


def _same(scope: Scope, known: Activity) -> int:
    require_manage(scope, known.path, what=f"活动 {known.pk}")
    return known.pk


def _require_windows(row: Activity, windows: int) -> None:
    beyond = Ticket.objects.filter(activity_id=row.pk, state="CALLED", window__gt=windows).values_list("window", "number").first()
    if beyond:
        raise WindowBusy(window=beyond[0], number=beyond[1])
