"""Finding cases by what somebody typed. Takes a Scope; the real cases only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Q

from shouwang.cases.queries.lists import CaseRow, below, case_pk, rows_of, within
from shouwang.people.rules import Scope


def find_cases(
    scope: Scope, *, number: str = "", kinds: Collection[str] = (), reasons: Collection[str] = (), paths: Sequence[str] = (), limit: int = 10,
) -> list[CaseRow]:
    """Return at most `limit` cases that `scope` sees: the one of this number, then the open ones of these kinds, reasons or places.

    The gravest come first, then those with the least time left; at most four reads.
    """
    real = within(scope).filter(exercise_id=None)
    pk = case_pk(number)
    named = list(real.filter(pk=pk)) if pk is not None else []
    about = Q(kind__in=kinds) | Q(reason__in=reasons)
    for path in paths:
        about |= below(path)
    wanted = bool(kinds or reasons or paths)
    rows = real.filter(about, state="OPEN").order_by("-severity", "due_at", "id")[:limit] if wanted else ()
    return rows_of([*named, *(row for row in rows if row.pk != pk)][:limit])


def newest_open(scope: Scope, *, severity: int, limit: int) -> list[CaseRow]:
    """Return the newest open cases of one severity that `scope` sees; one read where there are none, else two."""
    rows = within(scope).filter(state="OPEN", exercise_id=None, severity=severity).order_by("-id")[:limit]
    found = list(rows)
    return rows_of(found) if found else []


def cases_in_areas(scope: Scope, area_ids: Collection[int], *, beside: CaseRow, since: datetime, limit: int) -> list[CaseRow]:
    """Return the cases `scope` sees in these areas that are open or were opened since a moment, newest first, without `beside` itself.

    They are of the same exercise as `beside`, or real as it is; two reads.
    """
    rows = within(scope).filter(Q(state="OPEN") | Q(opened_at__gte=since), area_id__in=area_ids, exercise_id=beside.exercise_id)
    return rows_of(list(rows.exclude(pk=beside.id).order_by("-id")[:limit]))


def cases_taken_in(scope: Scope, case_id: int, *, limit: int) -> list[CaseRow]:
    """Return the cases `scope` sees that are merged into a case now, newest first; one read where there are none, else two."""
    found = list(within(scope).filter(merged_into=case_id, state="CLOSED").order_by("-id")[:limit])
    return rows_of(found) if found else []


def cases_of_subject(scope: Scope, *, beside: CaseRow, limit: int) -> list[CaseRow]:
    """Return the other cases `scope` sees of what a case is about, newest first; two reads."""
    rows = within(scope).filter(subject_kind=beside.subject_kind, subject_id=beside.subject_id, exercise_id=beside.exercise_id)
    return rows_of(list(rows.exclude(pk=beside.id).order_by("-id")[:limit]))
