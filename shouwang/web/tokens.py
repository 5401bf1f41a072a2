"""What the page of tokens says: for whom one may be issued, and the command that posts a first reading with it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

from shouwang.kernel.texts import Text
from shouwang.people import actions
from shouwang.people.queries import TokenRow
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.people.rules.lines import Problem
from shouwang.places.queries import area, full_names
from shouwang.telemetry.queries import results_before, things, things_named

RIGHT = "settings.edit"
KINDS = {DEVICE: Text("设备", "Device"), INTEGRATION: Text("其他系统", "Other system")}
LIVE, EXPIRED, REVOKED = Text("有效", "Live"), Text("已过期", "Expired"), Text("已停用", "Revoked")
NEVER = Text("从未使用", "Never")
UNKNOWN_DEVICE = Text(
    "本区域没有编号为“{found}”的设备；请先登记设备（登记住户时填写表号），或核对编号。",
    "No device {found} is registered in your area; register it first (enrolling a home takes its meter), or check the number.",
)
NO_AREA = Text("请写明这个系统在哪个地区上报", "Say in which area this system posts")
EXAMPLE_DEVICE, EXAMPLE_STREAM = "WM-0001", "register_l"


def state(row: TokenRow, *, now: datetime) -> Text:
    """Return in a word whether a token opens anything."""
    return REVOKED if row.revoked_at else LIVE if row.is_live(now) else EXPIRED


def area_names(rows: Sequence[TokenRow]) -> dict[str, str]:
    """Return the full names of the areas that the tokens work at, by path."""
    ids = {path: int(path.strip("/").rpartition("/")[2]) for row in rows for path in row.paths if path.strip("/")}
    names = full_names(list(ids.values()))
    return {path: names.get(area_id, "—") for path, area_id in ids.items()}


def place_of(scope: Scope, kind: str, *, subject: str, area_text: str) -> tuple[str, tuple[str, Text] | None]:
    """Return the path at which a new token works, or the field that is wrong and why.

    A device works where it is registered; another system where the administrator says.
    """
    if kind == DEVICE:
        known = things_named([subject]).get(subject)
        if known is None or not scope.may(RIGHT, known.path):
            return "", ("subject", Text(UNKNOWN_DEVICE.zh.format(found=subject), UNKNOWN_DEVICE.en.format(found=subject)))
        return known.path, None
    if not area_text.strip():
        return "", ("area", NO_AREA)
    found = actions.find_area(scope, area_text, RIGHT)
    if found.area_id is None:
        problem = Problem("AREA_AMBIGUOUS" if found.count > 1 else "AREA_UNKNOWN", area_text)
        return "", ("area", Text(problem.text("zh"), problem.text("en")))
    return area(found.area_id).path, None


def command(scope: Scope, row: TokenRow, token: str, *, address: str, now: datetime) -> str:
    """Return the command line that posts one reading to `address` with a token; for a shell as on Linux and macOS.

    It repeats the last result of the last two days: another one could look like use of water, and wake somebody.
    """
    device = row.subject if row.kind == DEVICE else _first_device(scope, now=now)
    name, last = _stream(device, now=now)
    reading = {"datastream": name, "phenomenon_time": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "result": last}
    if row.kind == INTEGRATION:
        reading = {"device": device, **reading}
    body = json.dumps({"readings": [reading]}, ensure_ascii=False)
    return " ".join((
        "curl -X POST", shlex.quote(address), "-H", shlex.quote(f"Authorization: Bearer {token}"),
        "-H 'Content-Type: application/json' -d", shlex.quote(body),
    ))


def _stream(device: str, *, now: datetime) -> tuple[str, float]:
    """Return the name of a device's first datastream and its last result, which does no harm when it is sent once more; 0 for none."""
    known = things_named([device]).get(device)
    if known is None or not known.datastreams:
        return EXAMPLE_STREAM, 0
    name, stream = min(known.datastreams.items())
    return name, results_before([stream], now).get(stream, 0)


def _first_device(scope: Scope, *, now: datetime) -> str:
    found, _ = things(scope, now=now, limit=1)
    return found[0].external_id if found else EXAMPLE_DEVICE
