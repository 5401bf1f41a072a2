"""Cameras at waters that post what they see over HTTP, as cameras with their own detection do; their pictures are drawn."""

from __future__ import annotations

import base64
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

import httpx
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 960, 540
SHORE_Y, WATER_Y = 0.45, 0.7
HEARTBEAT_S = 20.0
VISIT_EVERY_S = 240.0
STAYS_S = 25.0
PATH = "/api/v1/events/camera_json"
Person = tuple[float, float, bool]
"""Where somebody stands, in shares of the picture, and whether it is a child."""


@dataclass
class Camera:
    """One simulated camera."""

    external_id: str
    number: int = 0


def box_of(person: Person) -> tuple[float, float, float, float]:
    """Return the box around a person."""
    x, y, is_child = person
    height = (0.16 if is_child else 0.24) * (0.6 + 0.6 * y)
    return max(0.0, x - height * 0.18), max(0.0, y - height), min(1.0, x + height * 0.18), min(1.0, y)


def picture(persons: Sequence[Person], *, chance: Random) -> bytes:
    """Return a drawn picture of a bank with persons, as JPEG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "#b9c8cf")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, SHORE_Y * HEIGHT, WIDTH, HEIGHT), fill="#7d8a5b")
    bank = [(x, WATER_Y * HEIGHT + 18 * math.sin(x / 130)) for x in range(0, WIDTH + 1, 10)]
    pen.polygon([*bank, (WIDTH, HEIGHT), (0, HEIGHT)], fill="#4c6f7f")
    for _ in range(40):
        x, y = chance.uniform(0, WIDTH), chance.uniform(WATER_Y * HEIGHT + 25, HEIGHT)
        pen.line((x, y, x + chance.uniform(20, 60), y), fill="#5f8496", width=2)
    for _ in range(30):
        x, y = chance.uniform(0, WIDTH), chance.uniform(SHORE_Y * HEIGHT, WATER_Y * HEIGHT - 20)
        pen.line((x, y, x + chance.uniform(-4, 4), y - chance.uniform(6, 16)), fill="#5d6b3d", width=2)
    for person in persons:
        _draw(pen, box_of(person), chance)
    pen.text((12, 10), "SIMULATED", fill="#20302f")
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=80)
    return kept.getvalue()


def _draw(pen: ImageDraw.ImageDraw, box: tuple[float, float, float, float], chance: Random) -> None:
    left, top, right, bottom = box[0] * WIDTH, box[1] * HEIGHT, box[2] * WIDTH, box[3] * HEIGHT
    middle, height = (left + right) / 2, bottom - top
    colour = chance.choice(["#a63c3c", "#33558b", "#3b3b3b", "#c08a2e"])
    head = height * 0.09
    pen.ellipse((middle - head, top, middle + head, top + 2 * head), fill="#d9b08c")
    pen.rounded_rectangle((left + height * 0.05, top + 2 * head, right - height * 0.05, top + height * 0.6), radius=height * 0.05, fill=colour)
    for side in (-1, 1):
        pen.line((middle + side * height * 0.06, top + height * 0.58, middle + side * height * 0.09, bottom), fill="#2c2f38", width=max(3, int(height * 0.08)))


def event(camera: Camera, person: Person, *, state: str, at: datetime, chance: Random) -> dict[str, object]:
    """Return what a camera posts of somebody it sees: before, entering and now as pictures, where it begins."""
    near = (min(0.95, person[0] + 0.04), person[1], person[2])
    shown = [picture(each, chance=chance) for each in ([], [near], [person])] if state == "START" else []
    return {
        "device": camera.external_id, "rule": "1", "kind": "ENTER", "state": state, "object": "HUMAN", "object_id": str(camera.number),
        "box": list(box_of(person)), "device_at": at.isoformat(),
        "snapshots": [
            {"name": name, "media_type": "image/jpeg", "base64": base64.b64encode(content).decode()}
            for name, content in zip(("before", "entry", "now"), shown, strict=False)
        ],
    }


def heartbeat(camera: Camera, *, at: datetime) -> dict[str, object]:
    """Return what a camera posts to say that it is alive."""
    return {"device": camera.external_id, "health": {"state": "OK"}, "device_at": at.isoformat()}


def play(
    address: str, token: str, cameras: Sequence[Camera], *, now: Callable[[], datetime], chance: Random, stop: Callable[[], bool],
    first_after_s: float = 40.0,
) -> None:
    """Post heartbeats of all cameras, and now and then somebody who comes to one of the first waters and leaves, until told to stop."""
    if not cameras:
        while not stop():
            time.sleep(1.0)
    begun, visit_s, beat_s = time.monotonic(), first_after_s, 0.0
    leaving: list[tuple[float, Camera, Person]] = []
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
        while not stop():
            passed = time.monotonic() - begun
            if passed >= beat_s:
                beat_s = passed + HEARTBEAT_S
                for camera in cameras:
                    _post(http, heartbeat(camera, at=now()), device=camera.external_id)
            if passed >= visit_s:
                visit_s = passed + VISIT_EVERY_S
                camera = cameras[chance.randrange(min(3, len(cameras)))]
                camera.number += 1
                person = (chance.uniform(0.25, 0.75), chance.uniform(WATER_Y - 0.04, WATER_Y + 0.12), chance.random() < 0.5)
                _post(http, event(camera, person, state="START", at=now(), chance=chance))
                leaving.append((passed + STAYS_S, camera, person))
            for due in [each for each in leaving if each[0] <= passed]:
                leaving.remove(due)
                _post(http, event(due[1], due[2], state="STOP", at=now(), chance=chance))
            time.sleep(0.5)


def _post(http: httpx.Client, record: dict[str, object], *, device: str = "") -> None:
    for _ in range(30):
        try:
            answer = http.post(PATH, params={"device": device} if device else None, json=record)
        except httpx.TransportError:
            time.sleep(0.5)
            continue
        answer.raise_for_status()
        return
