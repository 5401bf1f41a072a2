"""The tree, settings, imports and the shipped tree, on the real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from django.db import transaction

from shouwang.journal import queries as journal
from shouwang.kernel.errors import NotFound
from shouwang.kernel.geometry import outline_of
from shouwang.places import actions, queries
from shouwang.places.rules import CoordinateSystem, is_working_day
from shouwang.places.rules.errors import (
    CodeTaken,
    ImportUnreadable,
    LevelInvalid,
    MoveInvalid,
    NameTaken,
    SettingInvalid,
    SettingUnknown,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_calendars() -> Iterator[None]:
    queries.forget()
    yield
    queries.forget()


@pytest.fixture
def city(now: datetime) -> dict[str, int]:
    """Return a small tree by name: 甲市 › 乙县, 丙县 › 丁镇 › 戊村."""
    ids: dict[str, int] = {}
    for name, parent in (("甲市", ""), ("乙县", "甲市"), ("丙县", "甲市"), ("丁镇", "乙县"), ("戊村", "丁镇")):
        ids[name] = actions.add_area(parent_id=ids.get(parent), name=name, now=now)
    return ids


def test_an_area_is_added_below_its_parent(city: dict[str, int], now: datetime) -> None:
    village = queries.area(city["戊村"])
    assert village.level == "VILLAGE"
    assert village.path == f"/{city['甲市']}/{city['乙县']}/{city['丁镇']}/{city['戊村']}/"
    assert queries.full_name(village.id) == "乙县 丁镇 戊村"
    assert [row.name for row in queries.children(city["甲市"])] == ["乙县", "丙县"]
    assert queries.count_children([city["甲市"], village.id]) == {city["甲市"]: 2, village.id: 0}
    event = journal.events_after(0)[-1]
    assert (event.kind, event.subject_id) == ("place.area_added", village.id)
    assert event.payload == {"parent": city["丁镇"], "level": "VILLAGE", "code": ""}


def test_what_is_taken_or_unfitting_is_refused_and_leaves_nothing(city: dict[str, int], now: datetime) -> None:
    actions.add_area(parent_id=city["甲市"], name="丁县", code="371522", now=now)
    before = journal.last_seq()
    for error, arguments in (
        (NameTaken, {"parent_id": city["甲市"], "name": "乙县"}),
        (CodeTaken, {"parent_id": city["甲市"], "name": "己县", "code": "371522000000"}),
        (LevelInvalid, {"parent_id": city["丁镇"], "name": "己县", "level": "COUNTY"}),
        (NotFound, {"parent_id": 999_999, "name": "己县"}),
    ):
        with pytest.raises(error), transaction.atomic():
            actions.add_area(**arguments, now=now)  # type: ignore[arg-type]
    assert journal.last_seq() == before


def test_a_renamed_area_is_found_by_its_new_name_and_pinyin(city: dict[str, int], now: datetime) -> None:
    actions.rename_area(city["戊村"], name="黄庙村", now=now)
    root = [queries.area(city["甲市"]).path]
    for text in ("庙", "huangmiao", "HMC"):
        assert [row.id for row in queries.search(text, root)] == [city["戊村"]]
    assert queries.search("戊", root) == []
    with pytest.raises(NameTaken):
        actions.rename_area(city["丙县"], name="乙县", now=now)


def test_search_stays_within_the_scope(city: dict[str, int]) -> None:
    assert queries.search("戊村", [queries.area(city["丙县"]).path]) == []
    assert queries.search("戊村", []) == []


def test_a_moved_area_takes_everything_below_along(city: dict[str, int], now: datetime) -> None:
    old = queries.area(city["丁镇"]).path
    actions.move_area(city["丁镇"], parent_id=city["丙县"], now=now)
    path = f"/{city['甲市']}/{city['丙县']}/{city['丁镇']}/"
    assert [row.path for row in queries.below(path)] == [path, f"{path}{city['戊村']}/"]
    assert queries.below(queries.area(city["乙县"]).path) == [queries.area(city["乙县"])]
    event = journal.events_after(0)[-1]
    assert event.payload == {"parent": city["丙县"], "from": old, "to": path}


def test_a_grid_may_move_to_the_villages_of_its_township(city: dict[str, int], now: datetime) -> None:
    grid = actions.add_area(parent_id=city["戊村"], name="一号网格", now=now)
    actions.add_area(parent_id=city["丁镇"], name="己村", now=now)
    root = [queries.area(city["甲市"]).path]
    assert {row.name for row in queries.possible_parents(queries.area(grid), root)} == {"甲市", "乙县", "丙县", "丁镇", "己村"}
    assert {row.name for row in queries.possible_parents(queries.area(city["丁镇"]), root)} == {"甲市", "丙县"}
    actions.move_area(grid, parent_id=city["戊村"], now=now)  # where it is already: nothing happens
    actions.rename_area(grid, name="一号网格", now=now)
    assert journal.events_after(0)[-1].kind == "place.area_added"
    with pytest.raises(NotFound):
        queries.full_name(999_999)


def test_an_area_is_not_moved_into_itself_or_up_the_levels(city: dict[str, int], now: datetime) -> None:
    for area, parent, error in (("乙县", "丁镇", MoveInvalid), ("乙县", "乙县", MoveInvalid), ("丙县", "戊村", LevelInvalid)):
        with pytest.raises(error), transaction.atomic():
            actions.move_area(city[area], parent_id=city[parent], now=now)


def test_the_nearest_area_upwards_decides_a_setting(city: dict[str, int], now: datetime) -> None:
    key, ours = "office.hours", [["09:00", "12:00"]]
    assert queries.setting(city["戊村"], key).source_area_id is None
    actions.set_setting(city["甲市"], key, [["08:00", "12:00"]], now=now)
    actions.set_setting(city["丁镇"], key, ours, now=now)
    assert queries.setting(city["戊村"], key) == queries.SettingValue(ours, city["丁镇"])
    assert queries.setting(city["丙县"], key) == queries.SettingValue([["08:00", "12:00"]], city["甲市"])
    actions.set_setting(city["丁镇"], key, None, now=now)
    assert queries.setting(city["戊村"], key).source_area_id == city["甲市"]


def test_a_setting_unknown_or_unfitting_is_refused(city: dict[str, int], now: datetime) -> None:
    with pytest.raises(SettingUnknown):
        queries.setting(city["戊村"], "nothing")
    with pytest.raises(SettingInvalid):
        actions.set_setting(city["戊村"], "office.hours", "nine to five", now=now)
    with pytest.raises(NotFound):
        queries.settings_of(999_999)


def test_an_area_has_its_own_working_days(city: dict[str, int], now: datetime) -> None:
    fair, national, spring = date(2026, 1, 15), date(2026, 10, 1), date(2027, 2, 8)
    assert is_working_day(fair, queries.working_calendar(city["戊村"]))
    actions.set_setting(city["丁镇"], "calendar.days_off", [fair.isoformat(), spring.isoformat()], now=now)
    actions.set_setting(city["丁镇"], "calendar.working_days", [national.isoformat()], now=now)
    actions.set_setting(city["甲市"], "calendar.confirmed_until", "2027-12-31", now=now)
    own, other = queries.working_calendar(city["戊村"]), queries.working_calendar(city["丙县"])
    assert [bool(is_working_day(day, own)) for day in (fair, national, spring)] == [False, True, False]
    assert [bool(is_working_day(day, other)) for day in (fair, national, spring)] == [True, False, True]
    assert not is_working_day(spring, other).provisional


def test_a_point_is_stored_in_wgs84(city: dict[str, int], now: datetime) -> None:
    actions.set_point(city["戊村"], point=(115.976, 36.489), system=CoordinateSystem.GCJ02, now=now)
    row = queries.area(city["戊村"])
    assert row.lon is not None
    assert row.lon < 115.9715
    with pytest.raises(NotFound):
        actions.set_point(999_999, point=(115.0, 36.0), system=CoordinateSystem.WGS84, now=now)


def test_an_import_adds_what_is_new_and_keeps_what_the_office_made(now: datetime) -> None:
    text = "code,name,level,parent\n371500,聊城市,city,37\n371522,莘县,county,371500\n371522116,张寨镇,township,371522\n371599001,无上级镇,township,371599\n"
    first = actions.import_divisions(text.encode(), now=now)
    assert (first.added, first.unchanged, [each.line for each in first.bad]) == (3, 0, [5])
    county = queries.area_of_code("371522")
    assert county is not None
    actions.rename_area(county.id, name="莘县（试点）", now=now)
    more = "code,name,level,parent,lon,lat\n371522,莘县,county,371500,115.7,36.2\n371524,东阿县,county,371500,,\n"
    second = actions.import_divisions(more.encode(), system=CoordinateSystem.WGS84, now=now)
    assert (second.added, second.changed) == (1, 1)
    again = queries.area(county.id)
    assert (again.name, again.lon, again.point_is_schematic) == ("莘县（试点）", 115.7, False)


def test_an_import_that_would_double_a_name_lists_the_row(now: datetime) -> None:
    text = "code,name,level,parent\n371500,聊城市,city,37\n371522,莘县,county,371500\n371523,莘县,county,371500\n"
    imported = actions.import_divisions(text.encode(), now=now)
    assert [(each.line, type(each.error)) for each in imported.bad] == [(4, NameTaken)]


def test_an_import_gives_a_tree_one_root_only(now: datetime) -> None:
    county = actions.import_divisions("code,name,level,parent\n371522,莘县,county,371500\n".encode(), now=now)
    city = actions.import_divisions("code,name,level,parent\n371500,聊城市,city,37\n".encode(), now=now)
    assert (county.added, city.added, [each.line for each in city.bad]) == (1, 0, [2])


def test_too_large_an_import_is_refused(now: datetime) -> None:
    with pytest.raises(ImportUnreadable):
        actions.import_divisions(b" " * (actions.MAX_IMPORT_BYTES + 1), now=now)


def test_outlines_are_matched_by_code_or_by_a_name_borne_once(city: dict[str, int], now: datetime) -> None:
    square = '{"type":"Polygon","coordinates":[[[115,36],[116,36],[116,37],[115,37],[115,36]]]}'
    raw = f"""{{"features":[{{"properties":{{"name":"乙县","lon":115.5,"lat":36.5}},"geometry":{square}}},
        {{"properties":{{"code":"371522"}},"geometry":{square}}}]}}"""
    seen: list[tuple[int, int]] = []
    imported = actions.import_outlines(
        raw.encode(), system=CoordinateSystem.WGS84, now=now, progress=lambda done, total: seen.append((done, total)),
    )
    assert (imported.changed, [each.line for each in imported.bad], seen) == (1, [2], [(1, 2), (2, 2)])
    assert queries.outlines([city["乙县"], city["丙县"]]).keys() == {city["乙县"]}
    found = queries.area_at(115.2, 36.2)
    assert found is not None
    assert found.name == "乙县"  # nothing below has a point
    actions.set_point(city["丁镇"], point=(115.3, 36.3), system=CoordinateSystem.WGS84, now=now)
    found = queries.area_at(115.2, 36.2)
    assert found is not None
    assert found.name == "丁镇"
    assert queries.area_at(120.0, 30.0) is None


def test_the_tree_of_liaocheng_is_whole_and_loads_once(now: datetime) -> None:
    seen: list[tuple[int, int]] = []
    first = actions.load_liaocheng(now=now, progress=lambda done, total: seen.append((done, total)))
    assert (first.added, list(first.bad)) == (1 + 8 + 3 + 136 + 2408, [])
    assert seen[-1] == (2556, 2556)
    again = actions.load_liaocheng(now=now)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2556)
    (root,) = queries.roots()
    rows = queries.below(root.path)
    assert len(rows) == 2556
    assert [row.name for row in queries.children(root.id) if not row.code] == ["高新区", "经济技术开发区", "江北水城旅游度假区"]
    for county, (geometry, schematic) in queries.outlines([row.id for row in rows]).items():
        outline = outline_of(geometry)
        below = queries.below(queries.area(county).path, levels=("COUNTY", "TOWNSHIP", "VILLAGE"))
        assert not schematic
        assert all(row.lon is not None and row.lat is not None and outline.contains(row.lon, row.lat) for row in below)
        assert all(row.point_is_schematic for row in below if row.level != "COUNTY")


def test_a_point_finds_its_village_in_its_county(now: datetime) -> None:
    actions.load_liaocheng(now=now)
    village = queries.area_of_code("371522116268")
    assert village is not None
    assert queries.full_name(village.id) == "莘县 张寨镇 黄庙村"
    assert village.lon is not None
    assert village.lat is not None
    assert queries.area_at(village.lon, village.lat) == village
    seat = queries.area_at(115.971, 36.489)
    assert seat is not None
    assert queries.full_name(seat.id).startswith("东昌府区 ")
    assert queries.area_at(117.0, 36.65) is None  # Jinan


def test_a_root_that_the_office_named_takes_the_code_of_the_list_and_carries_its_tree(now: datetime) -> None:
    root = actions.add_area(parent_id=None, name="聊城市", now=now)
    text = "code,name,level,parent\n371500,聊城市,city,\n371522,莘县,county,371500\n"
    done = actions.import_divisions(text.encode(), now=now)
    assert (done.added, done.changed, list(done.bad)) == (1, 1, [])
    county = queries.area_of_code("371522")
    assert county is not None
    assert (queries.area(root).code, county.parent_id) == ("371500000000", root)
    again = actions.import_divisions(text.encode(), now=now)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)


def test_a_name_takes_one_code_only(now: datetime) -> None:
    actions.add_area(parent_id=None, name="聊城市", now=now)
    text = "code,name,level,parent\n371500,聊城市,city,\n371600,聊城市,city,\n"
    done = actions.import_divisions(text.encode(), now=now)
    assert [(each.line, type(each.error)) for each in done.bad] == [(3, NameTaken)]


@pytest.mark.parametrize(
    ("parent", "found"),
    [("北镇", "北镇"), ("西县 同镇", "同镇"), ("西县  同镇", "同镇"), ("同镇", ""), ("无镇", ""), ("东县 北村", ""), ("", ""), ("371599", "")],
)
def test_a_parent_is_found_by_its_name_when_the_words_mean_one(now: datetime, parent: str, found: str) -> None:
    head = "名称,级别,上级\n"
    tree = "市,市,\n东县,县,市\n西县,县,市\n同镇,镇,东县\n同镇,镇,西县\n北镇,镇,东县\n北村,村,北镇\n"
    actions.import_divisions((head + tree).encode(), now=now)
    done = actions.import_divisions(f"{head}新村,村,{parent}\n".encode(), now=now)
    made = [row for row in queries.below("/") if row.name == "新村"]
    assert [found] * bool(found) == [queries.area(row.parent_id or 0).name for row in made]
    assert len(done.bad) == (not found)


def test_portions_of_a_list_add_up_to_the_whole(now: datetime) -> None:
    rows = "".join(f"村{n},村,镇\n" for n in range(5))
    text = f"名称,级别,上级\n{rows}市,市,\n县,县,市\n镇,镇,县\n".encode()
    seen = []
    while not seen or seen[-1][1]:
        done = actions.import_divisions(text, now=now, at_most=3)
        seen.append((done.added, done.waiting))
    assert seen == [(3, 5), (3, 2), (2, 0)]
    assert dict(actions.import_divisions(text, now=now).levels) == {}
