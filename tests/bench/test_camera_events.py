"""What the bench of cameras reads from elsewhere, and what it calls different."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.camera_events.reading import Reader, bodies, differs, foreign, judge, own, same
from shouwang.telemetry.sources import camera_dahua

EVENT = "<EventNotificationAlert><eventType>{}</eventType><eventState>active</eventState><dateTime>2026-01-15T10:00:00+08:00</dateTime></EventNotificationAlert>"


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """Write shapes in the format of the measuring rules and in our own."""
    folder = tmp_path / "shapes"
    write(folder, "isapi/a.body", EVENT.format("loitering"))
    write(folder, "isapi/a.headers", "Host: x\nContent-Type: application/xml")
    write(folder, "isapi/a.expect.json", '[{"kind": "LOITER", "state": "ACTIVE", "device_time": "2026-01-15T02:00:00Z", "snapshots": 0}]')
    write(folder, "hikvision/b.xml", EVENT.format("linedetection"))
    write(folder, "hikvision/b.expected.json", '{"kind": "CROSS", "state": "START"}')
    write(folder, "webhook/c.body", '{"device_id": "CAM7", "kind": "LOITER", "state": "INACTIVE", "device_time": "2026-01-15T02:00:00Z"}')
    write(folder, "webhook/c.expect.json", '{"device_id": "CAM7", "kind": "LOITER", "state": "INACTIVE"}')
    write(folder, "webhook/d.json", '{"a": {"what": "in"}}')
    write(folder, "webhook/d.map.json", '{"kind": "a.what", "kinds": {"in": "ENTER"}}')
    write(folder, "webhook/d.expected.json", '{"kind": "ENTER"}')
    write(folder, "strange/e.body", "x")
    return folder


def test_shapes_from_elsewhere_are_read_and_judged(shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = foreign(folder=str(shapes), out=str(tmp_path / "out.jsonl"))
    assert {"fixtures": 4, "judged": 4, "failed": 0, "parsed_share": 1.0, "first": []} == found
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert ["hikvision/b.xml", "isapi/a.body", "webhook/c.body", "webhook/d.json"] == [line["file"] for line in lines]
    assert {"device_id", "rule", "zone", "kind", "state", "object", "box", "polygon", "device_time", "received_time", "snapshots", "raw"} <= set(lines[0]["records"][0])
    assert "strange" in capsys.readouterr().err


def test_what_differs_is_told(shapes: Path) -> None:
    write(shapes, "isapi/a.expect.json", '[{"kind": "CROSS"}]')
    write(shapes, "isapi/z.body", "no xml")
    found = foreign(folder=str(shapes), out="")
    assert (found["failed"], found["parsed_share"]) == (2, 0.6)
    assert "kind is 'LOITER', expected 'CROSS'" in found["first"][0]
    assert "BodyInvalid" in found["first"][1]


def test_the_own_fixtures_are_all_read_and_a_broken_reader_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own(broken=False)["fixtures_parsed_share"] == 1.0
    monkeypatch.setattr(camera_dahua, "decode", camera_dahua.decode)  # whatever breaks it is undone
    assert own(broken=True)["fixtures_parsed_share"] < 1.0


@pytest.mark.parametrize(("mine", "wanted", "name", "equal"), [
    (0.5001, 0.5, "", True), (0.51, 0.5, "", False), ([0.1, [0.2]], [0.1, [0.2]], "box", True), ([0.1], [0.1, 0.2], "box", False),
    ("2026-01-15T02:00:00+00:00", "2026-01-15T10:00:00.5+08:00", "device_time", True), ("ACTIVE", "START", "state", True), ("ACTIVE", "STOP", "state", False),
    (None, "", "zone", True), ("1", 1, "zone", True), (None, [0.1], "box", False),
])
def test_what_counts_as_equal(mine: object, wanted: object, name: str, equal: bool) -> None:
    assert same(mine, wanted, name) is equal


def test_a_field_nobody_has_is_a_difference() -> None:
    assert differs({"kind": "ENTER"}, {"colour": "red"})
    assert not differs({"kind": "ENTER"}, {"raw": "x", "received_time": "y"})


def test_without_expectation_reading_is_enough(shapes: Path) -> None:
    (shapes / "isapi" / "a.expect.json").unlink()
    path, family = next(iter(bodies([shapes / "isapi"])))
    assert judge(Reader(), path, family)[1] is None
