"""One connection to a Dahua camera: attach to its events and hear until it breaks."""

from __future__ import annotations

from urllib.parse import urlsplit

from shouwang.telemetry.cameras.asking import client_of
from shouwang.telemetry.cameras.family import Following, Told
from shouwang.telemetry.sources.camera_dahua.decode import Stream

CODES = (
    "CrossRegionDetection", "CrossLineDetection", "WanderDetection", "StayDetection", "CrowdDetection", "RioterDetection", "VideoBlind", "VideoLoss",
    "VideoUnFocus", "SceneChange", "VideoAbnormalDetection", "StorageLowSpace",
)
PATH = f"/cgi-bin/eventManager.cgi?action=attach&codes=[{','.join(CODES)}]&heartbeat=5"


async def follow(following: Following) -> None:
    """Hear one camera until the connection breaks. Raises httpx.HTTPError, OSError, ConnectionError."""
    url = following.camera.url.rstrip("/")
    address = url if urlsplit(url).path else url + PATH
    stream = Stream(zone=following.said.zone)
    async with client_of(following.camera) as client, client.stream("GET", address) as answer:
        answer.raise_for_status()
        await following.hear(Told(following.device))
        async for data in answer.aiter_raw():
            await following.hear(Told(following.device, tuple(stream.feed(data))))
    await following.hear(Told(following.device, tuple(stream.end())))
