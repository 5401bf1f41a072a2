"""A prepared read gives what the ORM gives, however many values are asked for, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db.models import Q

from shouwang.journal.models import ListenerCursor, Timer
from shouwang.journal.prepared import Prepared
from shouwang.journal.sql import ID_MOST
from shouwang.people.models import Leave, Person
from shouwang.places.models import Area

pytestmark = pytest.mark.django_db
COLUMNS = ("kind", "subject_id", "due_at")


@pytest.fixture
def timers(now: datetime) -> list[int]:
    """Return the subjects of some timers, each due a minute after the one before."""
    Timer.objects.bulk_create(Timer(kind="task", subject_id=n, due_at=now + timedelta(minutes=n)) for n in range(1, 701))
    return list(range(1, 701))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, ID_MOST, ID_MOST + 1, 700])
def test_a_list_of_any_length_is_asked_for(timers: list[int], count: int) -> None:
    asked = Prepared(lambda ids: Timer.objects.filter(subject_id__in=ids).order_by("subject_id").values_list(*COLUMNS))
    for ids in (timers[:count], {*timers[:count]}, timers[:count] * 2):
        expected = list(Timer.objects.filter(subject_id__in=ids).order_by("subject_id").values_list(*COLUMNS))
        assert asked.rows(ids) == expected
    assert len(expected) == count


def test_moments_texts_and_lists_of_texts_go_where_they_belong(timers: list[int], now: datetime) -> None:
    asked = Prepared(lambda until, kinds, first: Timer.objects.filter(due_at__lte=until, kind__in=kinds, subject_id__gt=first).values_list(*COLUMNS))
    assert asked.rows(now + timedelta(minutes=3), ["task", "x", "y"], 1) == [
        ("task", 2, now + timedelta(minutes=2)), ("task", 3, now + timedelta(minutes=3)),
    ]
    assert asked.first(now, ["task"], 0) is None
    of_moments = Prepared(lambda moments: Timer.objects.filter(due_at__in=moments).values_list("subject_id"))
    assert of_moments.rows([now + timedelta(minutes=4), now]) == [(4,)]
    assert asked.first(now + timedelta(minutes=9), ["task"], 8) == ("task", 9, now + timedelta(minutes=9))


def test_whole_objects_and_truth_values_are_as_the_orm_has_them() -> None:
    made = Area.objects.create(level="COUNTY", name="甲县", path="/1/", point_is_schematic=True)
    assert Prepared(lambda path: Area.objects.filter(path=path).values_list("point_is_schematic")).first("/1/") == (True,)
    (found,) = Prepared(lambda ids: Area.objects.filter(pk__in=ids)).objects([made.pk])
    assert found == made
    assert found.point_is_schematic is True
    found.name = "乙县"
    found.save()
    assert Area.objects.get().name == "乙县"


def test_days_go_where_they_belong(now: datetime) -> None:
    area = Area.objects.create(level="COUNTY", name="甲县", path="/1/")
    person = Person.objects.unscoped().create(name="甲某", area_id=area.pk, path="/1/", added_at=now)
    for day in (date(2026, 1, 5), date(2026, 1, 7)):
        Leave.objects.unscoped().create(person=person, from_date=day, until_date=day + timedelta(days=9), noted_at=now)
    asked = Prepared(
        lambda ids, begun_by, ended_after: Leave.objects.unscoped()
        .filter(person_id__in=ids, from_date__lte=begun_by, until_date__gt=ended_after).values_list("from_date", "until_date"),
    )
    assert asked.rows([person.pk], date(2026, 1, 6), date(2026, 1, 13)) == [(date(2026, 1, 5), date(2026, 1, 14))]
    assert asked.rows([person.pk], date(2026, 1, 7), date(2026, 1, 14)) == [(date(2026, 1, 7), date(2026, 1, 16))]
    assert asked.rows([], date(2026, 1, 7), date(2026, 1, 14)) == []


def test_a_whole_number_no_database_holds_finds_nothing(timers: list[int]) -> None:
    asked = Prepared(lambda subject: Timer.objects.filter(subject_id=subject).values_list("subject_id"))
    assert (asked.rows(10**30), asked.rows(2)) == ([], [(2,)])


def test_a_value_that_stands_twice_or_not_at_all_is_refused() -> None:
    for ask in (
        lambda name: ListenerCursor.objects.filter(Q(name=name) | Q(name__gt=name)),
        lambda _: ListenerCursor.objects.all(),
    ):
        with pytest.raises(ValueError, match="each value must stand once"):
            Prepared(ask).objects("x")
