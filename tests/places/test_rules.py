"""Rules of places by tables and properties: coordinates, outlines, the tree, settings, imported rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.kernel.geometry import OutlineInvalid, distance_m, outline_of
from shouwang.kernel.texts import Text
from shouwang.places import registry
from shouwang.places.rules import CoordinateSystem, ancestors, from_wgs84, full_name, is_code, short_name, subtree, to_wgs84
from shouwang.places.rules.coordinates import system_of
from shouwang.places.rules.divisions import MAX_ROWS, decode, read_divisions
from shouwang.places.rules.errors import (
    CodeInvalid,
    ImportUnreadable,
    LevelInvalid,
    NameInvalid,
    PositionInvalid,
    SettingInvalid,
    SettingUnknown,
    SystemUnknown,
)
from shouwang.places.rules.outlines import read_outlines
from shouwang.places.rules.schematic import with_points
from shouwang.places.rules.settings import SettingSpec, check_value, read_value, write_value
from shouwang.places.rules.spelling import spelling
from shouwang.places.rules.tree import check_level, clean_code, clean_name, level_below, path_of

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], [[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]]}
PAIR = {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]], [[[1, 0], [2, 0], [2, 1], [1, 1], [1, 0]]]]}
CHINA = (st.floats(73.5, 134.0), st.floats(18.5, 53.0))


# Coordinates: values published for these systems by open-source converters, to a metre.
@pytest.mark.parametrize(
    ("wgs", "system", "there"),
    [
        ((116.404, 39.915), CoordinateSystem.GCJ02, (116.41024449916938, 39.91640428150164)),  # Beijing
        ((116.404, 39.915), CoordinateSystem.BD09, (116.41662724378733, 39.922699552216216)),
        ((116.404, 39.915), CoordinateSystem.WGS84, (116.404, 39.915)),
        ((2.3522, 48.8566), CoordinateSystem.GCJ02, (2.3522, 48.8566)),  # Paris is not shifted
    ],
)
def test_a_known_point_is_converted(wgs: tuple[float, float], system: CoordinateSystem, there: tuple[float, float]) -> None:
    assert distance_m(*from_wgs84(*wgs, system), *there) < 1.0


def test_liaocheng_is_shifted_by_half_a_kilometre() -> None:
    lon, lat = from_wgs84(115.971, 36.489, CoordinateSystem.GCJ02)
    assert 490 < distance_m(115.971, 36.489, lon, lat) < 530
    assert lon > 115.971


@settings(deadline=None)  # a busy machine is no failure
@given(*CHINA, st.sampled_from(CoordinateSystem))
def test_there_and_back_is_the_same_point(lon: float, lat: float, system: CoordinateSystem) -> None:
    assert distance_m(lon, lat, *to_wgs84(*from_wgs84(lon, lat, system), system)) < 0.001


def test_a_point_on_the_edge_of_the_shifted_box_still_has_a_place() -> None:
    assert distance_m(72.004, 30.0, *to_wgs84(72.004, 30.0, CoordinateSystem.GCJ02)) < 1_500


@pytest.mark.parametrize(("lon", "lat"), [(181.0, 0.0), (0.0, 91.0), (float("nan"), 0.0)])
def test_degrees_out_of_range_are_refused(lon: float, lat: float) -> None:
    for convert in (to_wgs84, from_wgs84):
        with pytest.raises(PositionInvalid):
            convert(lon, lat, CoordinateSystem.GCJ02)


@pytest.mark.parametrize(
    ("word", "system"), [("wgs-84", "WGS84"), ("CGCS2000", "WGS84"), ("gcj_02", "GCJ02"), ("BD 09", "BD09")],
)
def test_a_system_is_known_in_any_usual_spelling(word: str, system: str) -> None:
    assert system_of(word) == CoordinateSystem(system)


def test_an_unstated_system_is_refused() -> None:
    with pytest.raises(SystemUnknown, match="WGS84"):
        system_of("")


# Outlines.
@pytest.mark.parametrize(
    ("lon", "lat", "inside"),
    [
        (0.5, 0.5, True),
        (2.0, 2.0, False),  # in the hole
        (3.5, 2.0, True),  # between hole and edge
        (4.5, 2.0, False),  # to the east
        (0.5, 5.0, False),  # to the north
    ],
)
def test_a_point_lies_inside_or_not(lon: float, lat: float, inside: bool) -> None:
    assert outline_of(SQUARE).contains(lon, lat) is inside


@settings(deadline=None)  # a busy machine is no failure
@given(st.floats(0.0, 0.999))
def test_a_point_on_a_shared_border_lies_in_one_of_the_two(lat: float) -> None:
    west, east = ({"type": "Polygon", "coordinates": polygon} for polygon in PAIR["coordinates"])
    assert outline_of(west).contains(1.0, lat) != outline_of(east).contains(1.0, lat)


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "Polygon"},  # nothing
        {"type": "Polygon", "coordinates": []},  # no ring
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},  # not closed
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},  # too few points
        {"type": "Polygon", "coordinates": [[[0, 0], [500, 0], [1, 1], [0, 0]]]},  # not on the earth
        {"type": "Polygon", "coordinates": [[["a", 0], [1, 0], [1, 1], ["a", 0]]]},  # no number
        {"type": "MultiPolygon", "coordinates": [1]},
    ],
)
def test_what_is_no_outline_is_refused(geometry: dict[str, Any]) -> None:
    with pytest.raises(OutlineInvalid):
        outline_of(geometry)


# The tree.
def test_a_path_gives_the_ids_nearest_first_and_its_range() -> None:
    assert path_of(path_of(path_of("", 1), 5), 77) == "/1/5/77/"
    assert ancestors("/1/5/77/") == [77, 5, 1]
    first, end = subtree("/1/5/")
    assert first <= "/1/5/" < "/1/5/77/" < end
    assert not first <= "/1/50/" < end
    assert not first <= "/1/4/" < end


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5), st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_the_range_of_a_path_holds_exactly_what_lies_below(one: list[int], two: list[int]) -> None:
    path, other = (f"/{'/'.join(map(str, ids))}/" for ids in (one, two))
    first, end = subtree(path)
    assert (first <= other < end) is other.startswith(path)


@pytest.mark.parametrize(
    ("official", "short"),
    [
        ("黄庙村村民委员会", "黄庙村"),
        ("陈庄村委会", "陈庄村"),
        ("刘道之村村委会", "刘道之村"),
        ("李官村村委会", "李官村"),
        ("古城社区居委会", "古城社区"),
        ("戴屯社区居民委员会", "戴屯社区"),
        ("东升社区村委会", "东升社区"),
        ("安洲新村村民委员", "安洲新村"),  # cut off in the code list
        ("大学城新村", "大学城新村"),
        ("郭庄居委会", "郭庄"),
        ("村委会", "村委会"),
    ],
)
def test_a_village_has_an_everyday_name(official: str, short: str) -> None:
    assert short_name(official) == short


def test_a_full_name_leaves_the_city_out_unless_it_is_all() -> None:
    names = [("PREFECTURE", "聊城市"), ("COUNTY", "莘县"), ("TOWNSHIP", "张寨镇"), ("VILLAGE", "黄庙村")]
    assert full_name(names) == "莘县 张寨镇 黄庙村"
    assert full_name(names[:1]) == "聊城市"


@pytest.mark.parametrize(
    ("code", "cleaned"), [("371522", "371522000000"), (" 371522116268 ", "371522116268"), ("371522116", "371522116000"), ("", "")],
)
def test_a_code_is_filled_to_twelve_digits(code: str, cleaned: str) -> None:
    assert clean_code(code) == cleaned
    assert is_code(cleaned) is bool(cleaned)


@pytest.mark.parametrize("code", ["37152", "37152211626X", "３７１５２２", "1234567890123"])
def test_a_wrong_code_is_refused(code: str) -> None:
    with pytest.raises(CodeInvalid):
        clean_code(code)


@pytest.mark.parametrize("name", ["", "  ", "村" * 65])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(NameInvalid):
        clean_name(name)


def test_levels_go_down() -> None:
    assert level_below("TOWNSHIP") == "VILLAGE"
    check_level("PREFECTURE", parent_level=None, parent_name="—")
    check_level("VILLAGE", parent_level="COUNTY", parent_name="高新区")  # a zone may have villages without townships
    for level, parent in (("COUNTY", "COUNTY"), ("TOWNSHIP", "VILLAGE"), ("PARISH", "COUNTY")):
        with pytest.raises(LevelInvalid):
            check_level(level, parent_level=parent, parent_name="x")
    with pytest.raises(LevelInvalid):
        level_below("GRID")


def test_a_name_is_spelled_whole_and_by_initials() -> None:
    assert spelling("黄庙村") == "huangmiaocun hmc"
    assert spelling("A 区 3") == "aqu3 aq3"


# Settings.
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("TEXT", " 值班室 ", "值班室"),
        ("INTEGER", "30", 30),
        ("DAY", "2027-12-31", "2027-12-31"),
        ("DAY", "", ""),
        ("DAYS", "2027-02-09，2027-02-08\n2027-02-08", ["2027-02-08", "2027-02-09"]),
        ("DAYS", "", []),
        ("HOURS", "08:30-12:00 14:00-18:00", [["08:30", "12:00"], ["14:00", "18:00"]]),
    ],
)
def test_a_setting_is_read_as_people_write_it(kind: Any, text: str, value: object) -> None:
    spec = SettingSpec("x", Text("甲", "X"), kind, value)
    assert read_value(spec, text) == value
    assert read_value(spec, write_value(spec, value)) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("TEXT", "长" * 501),
        ("INTEGER", "半"),
        ("DAY", "2027-02-30"),
        ("DAYS", "2027-02-30"),
        ("HOURS", "8点到12点"),
        ("HOURS", "12:00-08:30"),  # backwards
        ("HOURS", "08:30-12:00 11:00-13:00"),  # overlapping
        ("HOURS", "25:00-26:00"),
        ("HOURS", ""),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(kind: Any, text: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        read_value(SettingSpec("x", Text("甲", "X"), kind, ""), text)
    assert "expected" in refused.value.text("en")


@pytest.mark.parametrize(
    ("kind", "value"), [("INTEGER", True), ("DAYS", ["x"]), ("DAYS", [3]), ("DAY", "20270101"), ("HOURS", [1]), ("TEXT", 3)],
)
def test_a_value_of_another_kind_is_refused(kind: Any, value: object) -> None:
    with pytest.raises(SettingInvalid):
        check_value(SettingSpec("x", Text("甲", "X"), kind, ""), value)


def test_a_setting_must_be_declared_with_a_fitting_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_specs", dict(registry._specs))
    spec = registry.declare(SettingSpec("x.limit", Text("甲", "X"), "INTEGER", 3))
    assert registry.spec_of("x.limit") is spec
    assert spec in registry.specs()
    with pytest.raises(SettingUnknown, match=r"office\.hours"):
        registry.spec_of("nothing")
    with pytest.raises(SettingInvalid):
        registry.declare(SettingSpec("x", Text("甲", "X"), "INTEGER", "three"))


# Imported rows.
def test_a_list_in_gb18030_is_read_and_bad_rows_are_listed() -> None:
    lines = [
        "code,name,level,parent,lon,lat",
        "371522116268,黄庙村村民委员会,village,371522116000,115.6,36.1",
        "371522116000,张寨镇,township,371522000000,,",
        "371522116268,再来一次,village,371522116000,,",  # the code again
        "3715,短,county,371500000000,,",
        "37152x,错,county,371500000000,,",
        "371523000000,,county,371500000000,,",
        "371524000000,东阿县,shire,371500000000,,",
        "371525000000,冠县,county,371500000000,a,b",
        "371526000000,高唐县,county,371500000000,200,36",
    ]
    good, bad = read_divisions(decode("\n".join(lines).encode("gb18030")), system=CoordinateSystem.WGS84)
    assert [each.name for each in good] == ["短", "张寨镇", "黄庙村村民委员会"]
    assert (good[-1].lon, good[-1].lat) == (115.6, 36.1)
    assert [each.line for each in bad] == [4, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("raw", [b"name,level\nx,county", b"", b"\xff\xff\xff"])
def test_a_file_without_the_columns_is_refused(raw: bytes) -> None:
    with pytest.raises(ImportUnreadable):
        read_divisions(decode(raw), system=None)


def test_positions_without_a_system_are_refused() -> None:
    with pytest.raises(SystemUnknown):
        read_divisions("code,name,level,parent,lon,lat\n", system=None)


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"features": 3}'])
def test_what_is_no_geojson_is_refused(raw: bytes) -> None:
    with pytest.raises(ImportUnreadable):
        read_outlines(raw, system=CoordinateSystem.WGS84)


def test_outlines_are_converted_and_bad_features_listed() -> None:
    raw = b"""{"features": [
        {"properties": {"code": "371522", "lon": 115.5, "lat": 36.1},
         "geometry": {"type": "MultiPolygon", "coordinates": [[[[115, 36], [116, 36], [116, 37], [115, 36]]]]}},
        {"properties": {"code": "371523"}, "geometry": {"type": "Point", "coordinates": [1, 1]}},
        7]}"""
    good, bad = read_outlines(raw, system=CoordinateSystem.GCJ02)
    assert [each.line for each in bad] == [2, 3]
    (ring,) = good[0].geometry["coordinates"][0]
    assert ring[0] == ring[-1]
    assert 400 < distance_m(115, 36, *ring[0]) < 700
    assert good[0].lon is not None
    assert good[0].lon < 115.5


def test_an_area_in_no_outline_or_a_mere_sliver_gets_no_point() -> None:
    text = "code,name,level,parent\n371522116000,张寨镇,township,371522000000\n371522116268,黄庙村,village,371522116000\n"
    good, _ = read_divisions(text, system=None)
    sliver = outline_of({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [2, 0], [0, 0]]]})
    assert with_points(good, {}) == good
    assert with_points(good, {"371522000000": sliver}) == good


def test_the_only_township_of_a_county_has_its_villages_around_it() -> None:
    text = "code,name,level,parent\n371522116000,张寨镇,township,371522000000\n371522116268,黄庙村,village,371522116000\n"
    good, _ = read_divisions(text, system=None)
    square = outline_of({"type": "Polygon", "coordinates": [[[115, 36], [116, 36], [116, 37], [115, 37], [115, 36]]]})
    township, village = with_points(good, {"371522000000": square})
    assert township.lon is not None and township.lat is not None and village.lon is not None and village.lat is not None
    assert square.contains(township.lon, township.lat)
    assert 0 < distance_m(township.lon, township.lat, village.lon, village.lat) < 6_000


def test_too_long_a_list_is_refused() -> None:
    rows = "371522116000,张寨镇,township,371522000000\n" * MAX_ROWS
    with pytest.raises(ImportUnreadable, match=str(MAX_ROWS)):
        read_divisions("code,name,level,parent\n" + rows, system=None)
