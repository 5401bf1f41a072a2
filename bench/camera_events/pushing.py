"""Pushes events of 33 cameras over HTTP at a steady rate, whatever the answers take, and compares what is stored."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CAMERAS, CONNECTIONS, LEAD_S, ANSWER_S = 33, 32, 1.0, 30.0
PICTURE_BYTES = 60_000
PICTURE_EVERY = 5
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def seed(*, events: int, out: str, seed: int) -> dict[str, Any]:
    """Register cameras with tokens, and write the requests: alerts of ISAPI, every fifth with a picture, and our own record."""
    from shouwang.people.actions import issue_credential
    from shouwang.places.actions import add_area
    from shouwang.places.queries import area
    from shouwang.telemetry.actions import add_things
    from shouwang.telemetry.rules import NewThing

    now, chance = datetime.now(UTC), random.Random(seed)
    root = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
    path = area(root).path
    names = [f"CAM{n:03d}" for n in range(CAMERAS)]
    add_things([NewThing(name, "CAMERA", name, (), root, path) for name in names], now=now)
    tokens = [issue_credential("DEVICE", subject=name, paths=[path], now=now) for name in names]
    with Path(out).open("w", encoding="utf-8") as lines:
        for number in range(events):
            request = _request(number, now + timedelta(milliseconds=20 * number), chance) | {"token": tokens[number % CAMERAS]}
            lines.write(json.dumps(request) + "\n")
    return {}


def _request(number: int, at: datetime, chance: random.Random) -> dict[str, str]:
    if number % 2:
        said = {"kind": "ENTER", "state": "START", "rule": "enter", "zone": "shore", "object": "HUMAN", "object_id": f"o{number}", "box": [0.1, 0.2, 0.3, 0.4], "device_at": at.isoformat()}
        return {"path": "/api/v1/events/camera_json", "type": "application/json", "body": base64.b64encode(json.dumps(said).encode()).decode()}
    alert = (
        '<?xml version="1.0" encoding="UTF-8"?><EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><channelID>1</channelID>'
        f"<dateTime>{at.isoformat()}</dateTime><eventType>fielddetection</eventType><eventState>active</eventState><DetectionRegionList><DetectionRegionEntry>"
        f"<regionID>1</regionID><detectionTarget>human</detectionTarget><targetID>o{number}</targetID><TargetRect><X>0.1</X><Y>0.2</Y><width>0.2</width><height>0.2</height></TargetRect>"
        "</DetectionRegionEntry></DetectionRegionList></EventNotificationAlert>"
    ).encode()
    if number % PICTURE_EVERY:
        return {"path": "/api/v1/events/camera_hikvision", "type": "application/xml", "body": base64.b64encode(alert).decode()}
    picture = b"\xff\xd8" + chance.randbytes(PICTURE_BYTES).replace(b"--b", b"---")
    body = b"--b\r\nContent-Type: application/xml\r\n\r\n" + alert + b"\r\n--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture) + picture + b"\r\n--b--\r\n"
    return {"path": "/api/v1/events/camera_hikvision", "type": "multipart/form-data; boundary=b", "body": base64.b64encode(body).decode()}


def push(*, port: int, bodies: str, per_s: float) -> dict[str, Any]:
    """Push each request at its moment; time counts from when it was due until it is answered, which is after the commit."""
    requests = [json.loads(line) for line in Path(bodies).read_text("utf-8").splitlines()]
    found = asyncio.run(_push_all(port, requests, per_s=per_s))
    times = sorted(each["s"] for each in found)
    return {
        **{name: round(times[min(len(times) - 1, int(share * len(times)))], 4) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))},
        "wrong": {"not answered 200": sum(each["status"] != 200 for each in found)},
    }


async def _push_all(port: int, requests: list[dict[str, str]], *, per_s: float) -> list[dict[str, float]]:
    idle: asyncio.Queue[Stream] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    start_s = time.monotonic() + LEAD_S

    async def one(number: int, request: dict[str, str]) -> dict[str, float]:
        due_s = start_s + number / per_s
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        stream = await idle.get()
        status = await asyncio.wait_for(_post(stream, request), ANSWER_S)
        idle.put_nowait(stream)
        return {"s": time.monotonic() - due_s, "status": status}

    found = list(await asyncio.gather(*(one(number, request) for number, request in enumerate(requests))))
    while not idle.empty():
        idle.get_nowait()[1].close()
    return found


async def _post(stream: Stream, request: dict[str, str]) -> int:
    reader, writer = stream
    body = base64.b64decode(request["body"])
    head = f"POST {request['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {request['token']}\r\nContent-Type: {request['type']}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    await reader.readexactly(int(headers["content-length"]))
    return int(lines[0].split(" ")[1])


def compare(*, events: int) -> dict[str, Any]:
    """Compare tables and journal with what was sent, by plain SQL."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT object_id, snapshots FROM telemetry_device_event")
        rows = {row[0]: row[1] for row in cursor.fetchall()}
        cursor.execute("SELECT count(*) FROM journal_event WHERE kind = 'device.event_recorded'")
        told = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM telemetry_quarantine")
        quarantined = cursor.fetchone()[0]
    sent = {f"o{number}" for number in range(events)}
    with_picture = {f"o{number}" for number in range(0, events, 2) if number % PICTURE_EVERY == 0}
    seen = {name for name, snapshots in rows.items() if snapshots not in ("[]", [])}
    return {"wrong": {
        "not stored": len(sent - set(rows)), "not sent": len(set(rows) - sent), "not in the journal": events - told, "quarantined": quarantined,
        "pictures": len(with_picture ^ seen),
    }}
