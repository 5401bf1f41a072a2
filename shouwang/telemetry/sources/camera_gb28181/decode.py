"""MANSCDP of GB/T 28181: the Alarm into a record, and the texts that are sent back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from shouwang.telemetry.cameras.trees import every, get, moment, text
from shouwang.telemetry.cameras.xml import read_xml
from shouwang.telemetry.rules import RAW_BYTES, DeviceRecord, EventKind, EventState
from shouwang.ui.answers import BodyInvalid

EXPECTED = "<Notify> with CmdType and DeviceID"
ALARM, KEEPALIVE = "Alarm", "Keepalive"
BY_DEVICE, BY_VIDEO = "2", "5"
LEAVES = "2"
VIDEO: Mapping[str, EventKind] = {
    "5": EventKind.CROSS, "6": EventKind.ENTER, "8": EventKind.STAY, "10": EventKind.CROWD, "11": EventKind.TAMPER,
}
"""AlarmType of AlarmMethod 5: tripwire, intrusion, loitering, density, abnormal picture; the other numbers are no matter of ours."""
DEVICE: Mapping[str, EventKind] = {"1": EventKind.VIDEO_LOSS, "2": EventKind.TAMPER, "3": EventKind.STORAGE_FULL}
"""AlarmType of AlarmMethod 2: no picture, opened, disk full."""


def decode(body: bytes, content_type: str, *, zone: tzinfo) -> list[DeviceRecord]:
    """Return what a MESSAGE tells, given whole or as its body; nothing for anything but an alarm. Raises BodyInvalid."""
    del content_type
    if body.lstrip()[:1] != b"<":
        body = body.partition(b"\r\n\r\n")[2] or body.partition(b"\n\n")[2]
    return told_by(read_notice(body), raw=body, zone=zone)


def read_notice(body: bytes) -> dict[str, Any]:
    """Return a notice as a dictionary with its CmdType. Raises BodyInvalid."""
    tree = read_xml(body)
    notice = next(iter(tree.values()), None)
    if not isinstance(notice, dict) or not text(notice, "CmdType"):
        raise BodyInvalid(field="CmdType", found="nothing", expected=EXPECTED)
    return notice


def told_by(notice: Mapping[str, Any], *, raw: bytes, zone: tzinfo) -> list[DeviceRecord]:
    """Return what a notice tells, nothing but for an alarm."""
    if text(notice, "CmdType") != ALARM:
        return []
    method = text(notice, "AlarmMethod")
    alarm = next((text(each, "AlarmType") for each in every(notice, "AlarmType")), "")
    change = next((text(each, "EventType") for each in every(notice, "EventType")), "")
    kind, device = _kind(method, alarm), text(notice, "DeviceID")
    return [DeviceRecord(
        kind, device=device, channel=device, state=EventState.STOP if kind is EventKind.ENTER and change == LEAVES else EventState.PULSE,
        rule=f"{method}/{alarm}" if alarm else method, device_at=moment(get(notice, "AlarmTime"), zone=zone), raw=raw[:RAW_BYTES],
    )]


def _kind(method: str, alarm: str) -> EventKind:
    if method == BY_VIDEO:
        return VIDEO.get(alarm, EventKind.OTHER)
    return DEVICE.get(alarm, EventKind.OTHER) if method == BY_DEVICE else EventKind.OTHER


def response(notice: Mapping[str, Any]) -> bytes:
    """Return the MANSCDP answer to an alarm: with its number and its device, "OK"."""
    number, device = (_plain(text(notice, name)) for name in ("SN", "DeviceID"))
    lines = (
        '<?xml version="1.0" encoding="GB2312"?>', "<Response>", f"<CmdType>{ALARM}</CmdType>", f"<SN>{number}</SN>",
        f"<DeviceID>{device}</DeviceID>", "<Result>OK</Result>", "</Response>", "",
    )
    return "\r\n".join(lines).encode("gb18030")


def _plain(value: str) -> str:
    """Return what may stand in the answer: numbers and names without markup."""
    return "".join(letter for letter in value[:32] if letter.isalnum() or letter in "-_")
