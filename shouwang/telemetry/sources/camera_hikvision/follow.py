"""One connection to a Hikvision camera or recorder: hear its alertStream until it breaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import tzinfo
from urllib.parse import urlsplit

from shouwang.telemetry.cameras.asking import client_of
from shouwang.telemetry.cameras.family import Following, Told
from shouwang.telemetry.cameras.parts import Part, Splitter, boundary_of
from shouwang.telemetry.rules import DeviceRecord
from shouwang.telemetry.sources.camera_hikvision.decode import is_alert, of_parts, pictures_announced, read_alert
from shouwang.ui.answers import BodyInvalid

PATH = "/ISAPI/Event/notification/alertStream"
BOUNDARY = "boundary"
PICTURES_WITHIN_S = 0.5
"""An event is told without its pictures when they take longer: nobody waits for a picture."""


class Gathering:
    """Puts the pictures that follow an alert on a stream together with it."""

    def __init__(self, boundary: bytes, *, zone: tzinfo) -> None:
        self._splitter = Splitter(boundary)
        self._zone = zone
        self._parts: list[Part] = []
        self._missing = 0

    @property
    def is_waiting(self) -> bool:
        """Return whether an alert waits for its pictures."""
        return bool(self._parts)

    def feed(self, data: bytes) -> list[DeviceRecord]:
        """Take bytes and return what is complete with them."""
        found: list[DeviceRecord] = []
        for part in self._splitter.feed(data):
            found += self._take(part)
        return found

    def release(self) -> list[DeviceRecord]:
        """Return the alert that waits, with the pictures that have come."""
        parts, self._parts, self._missing = self._parts, [], 0
        if not parts:
            return []
        with contextlib.suppress(BodyInvalid):
            return of_parts(parts, zone=self._zone)
        return []

    def _take(self, part: Part) -> Sequence[DeviceRecord]:
        if not is_alert(part):
            if self._parts:
                self._parts.append(part)
                self._missing -= 1
            return self.release() if self._missing <= 0 else []
        found = self.release()
        with contextlib.suppress(BodyInvalid):
            self._missing = pictures_announced(read_alert(part.content))
            self._parts = [part]
            if not self._missing:
                found += self.release()
        return found


async def follow(following: Following) -> None:
    """Hear one camera until the connection breaks. Raises httpx.HTTPError, OSError, ConnectionError, BodyInvalid."""
    url = following.camera.url.rstrip("/")
    address = url if urlsplit(url).path else url + PATH
    async with client_of(following.camera) as client, client.stream("GET", address) as answer:
        answer.raise_for_status()
        await following.hear(Told(following.device))
        boundary = boundary_of(answer.headers.get("content-type", "")) or BOUNDARY.encode()
        gathering = Gathering(boundary, zone=following.said.zone)
        await _hear_all(answer.aiter_raw(), gathering, following)


async def _hear_all(pieces: AsyncIterator[bytes], gathering: Gathering, following: Following) -> None:
    """Hear until the stream ends; an alert whose pictures take too long is told without them."""
    asked: asyncio.Future[bytes] | None = None
    try:
        while True:
            asked = asked or asyncio.ensure_future(anext(pieces))
            done, _ = await asyncio.wait({asked}, timeout=PICTURES_WITHIN_S if gathering.is_waiting else None)
            if not done:
                await following.hear(Told(following.device, tuple(gathering.release())))
                continue
            finished, asked = asked, None
            try:
                data = finished.result()
            except StopAsyncIteration:
                break
            await following.hear(Told(following.device, tuple(gathering.feed(data))))
    finally:
        if asked is not None:
            asked.cancel()
            with contextlib.suppress(BaseException):
                await asked
    await following.hear(Told(following.device, tuple(gathering.release())))
