"""A small county: 莘县 with two townships, a village with a grid, and the scopes of those who work there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import pytest

from shouwang.people import actions, queries
from shouwang.people.models import Account
from shouwang.people.queries.scopes import forget_tokens
from shouwang.people.rules import SYSTEM, Scope
from shouwang.places.actions import add_area

DAY = date(2026, 1, 1)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    queries.forget()
    forget_tokens()
    yield
    queries.forget()
    forget_tokens()


@dataclass(frozen=True)
class Town:
    """Ids of the areas of the small county."""

    city: int
    county: int
    north: int
    south: int
    village: int
    other_village: int
    grid: int
    paths: dict[int, str]

    def path(self, area_id: int) -> str:
        """Return the path of an area."""
        return self.paths[area_id]


@pytest.fixture
def town(db: None, now: datetime) -> Town:
    """Return the small county."""
    city = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
    county = add_area(parent_id=city, name="莘县", now=now)
    north = add_area(parent_id=county, name="张寨镇", code="371522101000", now=now)
    south = add_area(parent_id=county, name="柳河镇", now=now)
    village = add_area(parent_id=north, name="黄庙村", now=now)
    other = add_area(parent_id=south, name="黄庙村", now=now)
    grid = add_area(parent_id=village, name="第一网格", now=now)
    up = {city: f"/{city}/"}
    for area, parent in ((county, city), (north, county), (south, county), (village, north), (other, south), (grid, village)):
        up[area] = f"{up[parent]}{area}/"
    return Town(city, county, north, south, village, other, grid, up)


Officer = Callable[..., tuple[int, Scope, Account]]


@pytest.fixture
def officer(town: Town, now: datetime) -> Officer:
    """Return a maker of officers: a person with a duty at an area, the scope and the account."""
    made = 0

    def make(code: str, area_id: int, *, rank: str = "PRIMARY", name: str = "李兰英") -> tuple[int, Scope, Account]:
        nonlocal made
        made += 1
        person = actions.add_person(SYSTEM, name=name, area_id=area_id, phone=f"1000000{made:04d}", now=now)
        actions.assign_duty(SYSTEM, person_id=person, code=code, area_id=area_id, rank=rank, from_date=DAY, now=now)
        account = actions.add_account(SYSTEM, username=f"officer{made}", person_id=person, now=now)
        return person, queries.scope_of_account(account, now), account

    return make
