"""Our own record as JSON, which `shouwang watch-camera` and any other program may post. Pure."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from shouwang.telemetry.cameras.trees import box_of, points
from shouwang.telemetry.placing import Moment
from shouwang.telemetry.rules import RAW_BYTES, DeviceRecord, EventKind, EventState, SeenObject, Snapshot
from shouwang.ui.answers import BodyInvalid, described_field, read_body

EXPECTED = '{"device", "kind", "state", "rule", "device_at", …}'
EXAMPLE: dict[str, Any] = {
    "rule": "enter", "zone": "shore", "kind": "ENTER", "state": "START", "object": "HUMAN", "object_id": "17", "box": [0.41, 0.52, 0.46, 0.7],
    "polygon": [[0.0, 0.6], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]], "device_at": "2026-01-15T02:00:00Z",
    "snapshots": [{"name": "entry.jpg", "media_type": "image/jpeg", "base64": "/9j/4AAQSkZJRg=="}],
}
Short = Annotated[str, msgspec.Meta(max_length=80)]
Pair = Annotated[list[float], msgspec.Meta(min_length=2, max_length=2)]
Four = Annotated[list[float], msgspec.Meta(min_length=4, max_length=4)]


class CameraPicture(msgspec.Struct, frozen=True):
    """A picture or clip."""

    base64: Annotated[bytes, described_field("内容，Base64", "Its content in base64")]
    name: Annotated[str, described_field("文件名", "Its name")] = ""
    media_type: Annotated[str, described_field("类型，如 image/jpeg", "Its type, as image/jpeg")] = "image/jpeg"


class CameraEvent(msgspec.Struct, frozen=True):
    """One event as a camera, or the program that watches it, tells it; with `health` alone it is a sign of life."""

    kind: Annotated[EventKind | None, described_field("事件种类", "What happened")] = None
    device: Annotated[Short, described_field("设备编号；平台令牌须填", "The device; needed with an integration's token")] = ""
    channel: Annotated[Short, described_field("录像机通道", "The channel of a recorder")] = ""
    state: Annotated[EventState, described_field("开始、结束或单次", "Begins, ends, or happens once")] = EventState.PULSE
    rule: Annotated[Short, described_field("规则", "The rule")] = ""
    zone: Annotated[Short, described_field("区域", "The zone")] = ""
    object: Annotated[SeenObject, described_field("看到的是什么", "What was seen")] = SeenObject.UNKNOWN
    object_id: Annotated[str | int, described_field("目标编号", "The number the object is followed by")] = ""
    box: Annotated[Four | None, described_field("目标框 x0 y0 x1 y1，占画面的比例", "x0, y0, x1, y1 in shares of the picture")] = None
    polygon: Annotated[list[Pair], described_field("区域顶点，占画面的比例", "The zone's corners in shares of the picture")] = []
    score: Annotated[float | None, described_field("把握，0–1", "How sure, 0 to 1")] = None
    persons: Annotated[int, described_field("人数", "How many persons")] = 1
    is_child: Annotated[bool, described_field("疑似儿童", "Probably a child")] = False
    is_unsure: Annotated[bool, described_field("未能确认", "It could not be confirmed")] = False
    device_at: Annotated[Moment | None, described_field("设备时间，带时区", "The device's moment, with its zone")] = None
    snapshots: Annotated[list[CameraPicture], msgspec.Meta(max_length=8), described_field("抓拍", "Pictures")] = []
    clip: Annotated[CameraPicture | None, described_field("短视频", "A clip")] = None
    health: Annotated[dict[str, Any] | None, described_field("设备状态，只作心跳", "The device's state; with nothing else a sign of life")] = None


_decoder = msgspec.json.Decoder(CameraEvent)
_encode = msgspec.json.Encoder().encode


def decode(body: bytes) -> list[DeviceRecord]:
    """Return what our own record tells, nothing for a sign of life. Raises BodyInvalid naming the field."""
    event = read_body(_decoder, body, expected=EXPECTED)
    if event.kind is None:
        if event.health is None:
            raise BodyInvalid(field="kind", found="nothing", expected=" ".join(EventKind))
        return []
    pictures = [*event.snapshots, *([event.clip] if event.clip else [])]
    said = {name: value for name, value in msgspec.to_builtins(msgspec.structs.replace(event, snapshots=[], clip=None)).items() if value not in (None, "", [])}
    return [DeviceRecord(
        event.kind, event.device, event.channel, event.state, event.rule, event.zone, event.object, str(event.object_id), box_of(event.box),
        points(event.polygon, width=1, height=1), event.device_at, tuple(Snapshot(each.base64, each.media_type, each.name) for each in pictures),
        _encode(said)[:RAW_BYTES], event.score, event.persons, is_child=event.is_child, is_unsure=event.is_unsure,
    )]
