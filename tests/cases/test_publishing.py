"""A procedure holds everywhere or for one area and below; the nearest one wins; open cases keep theirs."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.cases.actions import NewCase, inherit_procedure, open_case, publish_procedure
from shouwang.cases.models import Task
from shouwang.cases.queries import count_open_of, current_procedure, procedure_of_case, version_for, versions, versions_in_force
from shouwang.cases.rules.editing import edited, field_names, values_of
from shouwang.cases.rules.errors import ProcedureNotOwn
from shouwang.cases.rules.procedures import Procedure, ProcedureInvalid
from shouwang.journal.queries import timers_of
from shouwang.systems.living_alone.rules import WELFARE_CHECK
from tests.journeys.conftest import County, county

__all__ = ["county"]


def faster(minutes: int) -> Procedure:
    return edited(WELFARE_CHECK, {"visit.rung.2": str(minutes)})


@given(st.sets(st.sampled_from(["/1/", "/1/2/", "/1/2/3/", "/1/9/"])), st.sampled_from(["/1/2/3/4/", "/1/9/5/", "/7/"]))
def test_the_nearest_area_upwards_wins(own: set[str], path: str) -> None:
    in_force = {"": 0, **{place: index for index, place in enumerate(sorted(own), start=1)}}
    nearest = max((place for place in in_force if path.startswith(place)), key=len)
    assert version_for(in_force, path) == in_force[nearest]


@pytest.mark.parametrize(("values", "said"), [
    ({"visit.limit": "0"}, "limit"),
    ({"visit.rung.2": "abc"}, "rung.2"),
    ({"visit.rung.2": "-5"}, "rung.2"),
    ({"visit.repeat": "999999999"}, "repeat"),
    ({"visit.dispatch": "NOW"}, "NOW"),
])
def test_a_value_that_cannot_be_is_refused_with_its_name(values: dict[str, str], said: str) -> None:
    with pytest.raises(ProcedureInvalid, match=said):
        edited(WELFARE_CHECK, values)


def test_what_is_not_given_stays_and_what_is_shown_can_be_sent_back() -> None:
    assert edited(WELFARE_CHECK, {}) == WELFARE_CHECK
    assert edited(WELFARE_CHECK, values_of(WELFARE_CHECK)) == WELFARE_CHECK
    assert set(values_of(WELFARE_CHECK)) == set(field_names(WELFARE_CHECK))
    changed = edited(WELFARE_CHECK, {"visit.dispatch": "CONFIRM", "visit.limit": "45"})
    assert (changed.steps[0].dispatch, changed.steps[0].limit.amount) == ("CONFIRM", 45)
    assert changed.steps[1] == WELFARE_CHECK.steps[1]


@pytest.mark.django_db
def test_an_area_has_its_own_until_it_follows_again(county: County, now: datetime) -> None:
    code, township = WELFARE_CHECK.code, county.path[: county.path.rstrip("/").rindex("/") + 1]
    shipped = versions_in_force(code)
    own = publish_procedure(faster(7), shipped=False, path=township, by=5, now=now)
    assert current_procedure(code, county.path) == (own, faster(7))
    assert current_procedure(code, "/999/")[0] == shipped[""]
    assert publish_procedure(faster(7), shipped=False, path=township, by=5, now=now) == own
    inherit_procedure(code, path=township, by=5, now=now)
    assert current_procedure(code, county.path)[0] == shipped[""]
    with pytest.raises(ProcedureNotOwn):
        inherit_procedure(code, path=township, by=5, now=now)
    with pytest.raises(ProcedureNotOwn):
        inherit_procedure(code, path="", by=5, now=now)
    assert [(row.path, row.procedure is None) for row in versions(code)] == [(township, True), (township, False), ("", False)]


@pytest.mark.django_db
def test_cases_take_the_ladder_of_their_place_and_keep_it(county: County, now: datetime) -> None:
    def opened(path: str, area_id: int) -> int:
        return open_case(NewCase("WELFARE_CHECK", "living_alone", 3, area_id, path, "household", county.household, "X", {}), now=now)

    def minutes(case_id: int) -> float:
        task = Task.objects.get(case_id=case_id).pk
        return (timers_of("task", [task])[task] - now).total_seconds() / 60

    before = opened(county.path, county.village)
    own = publish_procedure(faster(7), shipped=False, path=county.path, by=5, now=now)
    here, elsewhere = opened(county.path, county.village), opened(county.path[:-2] + f"{county.other_village}/", county.other_village)
    assert (minutes(before), minutes(here)) == (30, 7)
    # Nobody is on duty in the other village: the township's fifteen minutes, as shipped.
    assert minutes(elsewhere) == 15
    assert procedure_of_case(before) == WELFARE_CHECK
    assert (count_open_of([own], county.path), count_open_of([own], "")) == (1, 1)


@pytest.mark.django_db
def test_what_is_shipped_never_replaces_what_the_office_wrote(county: County, now: datetime) -> None:
    del county
    own = publish_procedure(faster(9), shipped=False, now=now)
    again = publish_procedure(msgspec.structs.replace(WELFARE_CHECK, closes="CHECK"), shipped=True, now=now)
    assert again == own
