"""Reads fixtures: the project's own, and a folder of others in the format of the measuring rules or our own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OWN = Path(__file__).parents[2] / "tests" / "telemetry" / "sources"
FAMILIES = {
    "isapi": "camera_hikvision", "hikvision": "camera_hikvision", "dahua": "camera_dahua", "onvif": "camera_onvif", "gb28181": "camera_gb28181",
    "webhook": "camera_json", "json": "camera_json", "camera_hikvision": "camera_hikvision", "camera_dahua": "camera_dahua", "camera_onvif": "camera_onvif",
    "camera_gb28181": "camera_gb28181", "camera_json": "camera_json",
}
BODIES = (".body", ".xml", ".txt", ".json", ".bin")
EXPECTED = (".expect.json", ".expected.json")
TYPES = {".xml": "application/xml", ".json": "application/json", ".txt": "text/plain"}
WORDS = {"STAY": "LOITER", "START": "ACTIVE", "STOP": "INACTIVE"}
"""What the measuring rules call what is stored under another name here."""
NAMES = {"device_id": "device", "device_time": "device_at"}
SHARE_OFF = 0.002
SECONDS_OFF = 1.0
RECORD: dict[str, Any] = {
    "device": "device_id", "channel": "channel", "kind": "kind", "kinds": {"LOITER": "STAY"}, "state": "state", "states": {"ACTIVE": "START", "INACTIVE": "STOP"},
    "rule": "rule", "zone": "zone", "object": "object", "object_id": "object_id", "box": "box", "polygon": "polygon", "device_at": "device_time",
}
"""A template for records in the words of the measuring rules."""


def maps() -> dict[str, Any]:
    """Return the templates with which the project's own fixtures are read."""
    return {
        "platform": {
            "device": "msg.dev.sn", "channel": "msg.dev.ch", "kind": "msg.type", "kinds": {"intrusion": "ENTER", "beat": ""}, "state": "msg.status",
            "states": {"1": "START", "0": "STOP"}, "object": "msg.target.cls", "objects": {"people": "HUMAN"}, "object_id": "msg.target.id",
            "box": "msg.target.rect", "box_form": "size", "polygon": "msg.area", "width": 1920, "height": 1080, "device_at": "msg.time",
            "snapshots": ["msg.pics.full", "msg.pics.none"],
        },
        "several": {"each": "events", "device": "camera", "kind": "label", "kinds": {"beat": ""}, "kind_else": "STAY"},
        "record": RECORD,
    }


class Reader:
    """Reads bodies by family, with the settings that templates need."""

    def __init__(self) -> None:
        import msgspec

        from shouwang.telemetry.cameras.running import families

        self.families = families()
        self._convert = msgspec.convert
        self.settings = {name: self._convert({"maps": maps()} if name == "camera_json" else {}, each.settings) for name, each in self.families.items()}

    def read(self, family: str, body: bytes, content_type: str) -> list[Any]:
        """Return the records of a body, within limits. Raises ShouwangError."""
        from shouwang.telemetry.rules import tidied

        return [tidied(each) for each in self.families[family].decode(body, content_type, self.settings[family])]

    def read_foreign(self, family: str, body: bytes, content_type: str, template: Mapping[str, Any] | None) -> list[Any]:
        """Return the records of a body from elsewhere: JSON by the template beside it, as our record, or as a record of the rules."""
        from shouwang.kernel.errors import ShouwangError

        if family != "camera_json":
            return self.read(family, body, content_type)
        if template is not None:
            self.settings[family] = self._convert({"maps": {**maps(), "beside": dict(template)}}, self.families[family].settings)
            return self.read(family, body, "application/json; map=beside")
        try:
            return self.read(family, body, content_type)
        except ShouwangError:
            return self.read(family, body, "application/json; map=record")


def own(*, broken: bool) -> dict[str, Any]:
    """Read the project's own fixtures and compare each with what is written beside it."""
    reader = Reader()
    if broken:
        _break()
    found = list(bodies(OWN.glob("camera_*/fixtures")))
    failed = [f"{path.parent.parent.name}/{path.stem}" for path, family in found if judge(reader, path, family)[1] is not None]
    return {
        "fixtures": len(found), "families": len({family for _, family in found}), "fixtures_failed": failed[:20],
        "fixtures_parsed_share": round(1 - len(failed) / max(1, len(found)), 4) if not failed or found else 0.0,
    }


def foreign(*, folder: str, out: str) -> dict[str, Any]:
    """Read a folder of fixtures from elsewhere; write what each tells to `out`, one line a file."""
    reader, lines, failed, judged = Reader(), [], [], 0
    found = list(bodies(each for each in sorted(Path(folder).iterdir()) if each.is_dir()))
    for path, family in found:
        records, problem = judge(reader, path, family)
        judged += expected_of(path) is not None
        if problem is not None:
            failed.append(f"{path.parent.name}/{path.name}: {problem}")
        lines.append(json.dumps({"file": f"{path.parent.name}/{path.name}", "records": [told(each) for each in records]}, ensure_ascii=False))
    if out:
        Path(out).write_text("\n".join(lines) + "\n", "utf-8")
    return {"fixtures": len(found), "judged": judged, "failed": len(failed), "parsed_share": round(1 - len(failed) / len(found), 4) if found else None, "first": failed[:20]}


def bodies(folders: Any) -> Iterator[tuple[Path, str]]:
    """Yield each body in folders that bear the name of a family, with the family; folders of another name are passed over loudly."""
    for folder in folders:
        name = folder.parent.name if folder.name == "fixtures" else folder.name
        if name not in FAMILIES:
            print(f"the folder {folder} bears no family's name; expected one of {', '.join(sorted(FAMILIES))}", file=sys.stderr)
            continue
        for path in sorted(folder.iterdir()):
            if path.suffix in BODIES and not path.name.endswith((*EXPECTED, ".map.json")):
                yield path, FAMILIES[name]


def judge(reader: Reader, path: Path, family: str) -> tuple[list[Any], str | None]:
    """Return what a body tells, and what is wrong with that: unread, or other than expected; None for right."""
    template = path.with_suffix(".map.json")
    try:
        records = reader.read_foreign(family, path.read_bytes(), content_type_of(path), json.loads(template.read_text("utf-8")) if template.is_file() else None)
    except Exception as error:  # noqa: BLE001 - whatever it is, this fixture is not read
        return [], f"{type(error).__name__}: {error}"[:200]
    expected = expected_of(path)
    if expected is None:
        return records, None
    wanted = expected if isinstance(expected, list) else [expected]
    if len(wanted) != len(records):
        return records, f"{len(records)} records, expected {len(wanted)}"
    differ = [difference for record, fields in zip(records, wanted, strict=True) if (difference := differs(told(record), fields))]
    return records, differ[0] if differ else None


def content_type_of(path: Path) -> str:
    """Return the Content-Type in the headers beside a body, else what its name suggests."""
    headers = path.with_suffix(".headers")
    lines = headers.read_text("utf-8", "replace").splitlines() if headers.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith("content-type:")), TYPES.get(path.suffix, ""))


def expected_of(path: Path) -> Any:
    """Return what is expected beside a body, None without."""
    beside = [path.with_name(path.stem + ending) for ending in EXPECTED]
    return next((json.loads(each.read_text("utf-8")) for each in beside if each.is_file()), None)


def told(record: Any) -> dict[str, Any]:
    """Return a record in the words of the measuring rules."""
    return {
        "device_id": record.device, "channel": record.channel, "rule": record.rule, "zone": record.zone, "kind": WORDS.get(record.kind, str(record.kind)),
        "state": WORDS.get(record.state, str(record.state)), "object": str(record.object), "object_id": record.object_id,
        "box": list(record.box) if record.box else None, "polygon": [list(point) for point in record.polygon],
        "device_time": record.device_at.isoformat() if record.device_at else None, "received_time": datetime.now(UTC).isoformat(),
        "snapshots": len(record.snapshots), "raw": record.raw.decode("utf-8", "replace"),
    }


def differs(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return the first field that is other than wanted, empty for none. Moments within a second and shares within 0.002 are equal."""
    for name, value in wanted.items():
        mine = found.get({theirs: ours for ours, theirs in NAMES.items()}.get(name, name))
        if name not in {"raw", "received_time"} and not same(mine, value, name):
            return f"{name} is {mine!r}, expected {value!r}"
    return ""


def same(mine: Any, wanted: Any, name: str) -> bool:
    """Return whether two values of a field are equal."""
    if name in {"device_time", "device_at"} and mine and wanted:
        return abs((datetime.fromisoformat(mine) - datetime.fromisoformat(wanted)).total_seconds()) <= SECONDS_OFF
    if isinstance(wanted, list) and isinstance(mine, list):
        return len(mine) == len(wanted) and all(same(one, other, "") for one, other in zip(mine, wanted, strict=True))
    if isinstance(wanted, float) or isinstance(mine, float):
        return isinstance(mine, int | float) and isinstance(wanted, int | float) and abs(mine - wanted) <= SHARE_OFF
    if name in {"kind", "state"}:
        return bool(mine == WORDS.get(wanted, wanted))
    return bool(mine == wanted) or str(mine) == str(wanted) or (not mine and not wanted)


def _break() -> None:
    """Let Dahua's reader believe that a text ends at its first "=": what the self-test must notice."""
    from shouwang.telemetry.sources import camera_dahua

    whole = camera_dahua.decode
    camera_dahua.decode = lambda body, content_type, *, zone: whole(body.replace(b'"Name": "', b'"Name": "='), content_type, zone=zone)
