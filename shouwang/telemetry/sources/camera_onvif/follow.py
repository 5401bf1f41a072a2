"""One subscription at an ONVIF camera: create, pull, renew, until it breaks."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from shouwang.telemetry.cameras.asking import client_of
from shouwang.telemetry.cameras.family import Following, Told
from shouwang.telemetry.cameras.xml import read_xml
from shouwang.telemetry.sources.camera_onvif import soap
from shouwang.telemetry.sources.camera_onvif.decode import decode
from shouwang.ui.answers import BodyInvalid

PATH, CLOCK_PATH = "/onvif/event_service", "/onvif/device_service"
CONTENT = "application/soap+xml; charset=utf-8"
ANSWER_BYTES = 1024 * 1024
NONCE_BYTES = 16
RENEW_BEFORE_S = soap.LIFE_S / 2


class Refusal(ConnectionError):
    """A camera answers with a fault, or with something that is no answer."""


class Service:
    """Asks one camera, each message signed by the camera's own clock."""

    def __init__(self, client: httpx.AsyncClient, following: Following) -> None:
        self._client = client
        self._following = following
        self._shift = timedelta()

    async def learn_clock(self, address: str) -> None:
        """Ask for the camera's clock, which needs no password; a camera that does not say keeps ours."""
        with contextlib.suppress(httpx.HTTPError, Refusal):
            _, answer = await self.ask(soap.CLOCK, to=address, is_signed=False)
            self._shift = soap.clock_shift(answer, now=self._following.now())

    async def ask(self, body: str, *, to: str, is_signed: bool = True) -> tuple[bytes, Any]:
        """Return the answer, as it came and as a tree. Raises Refusal, httpx.HTTPError."""
        answer = await self._client.post(to, content=soap.envelope(body, to=to, security=self._security() if is_signed else ""), headers={"Content-Type": CONTENT})
        if len(answer.content) > ANSWER_BYTES:
            raise Refusal(f"an answer of {len(answer.content)} B")
        try:
            tree = read_xml(answer.content)
        except BodyInvalid as error:
            raise Refusal(str(error)) from error
        if answer.status_code != httpx.codes.OK or soap.is_fault(tree):
            raise Refusal(f"status {answer.status_code}{', a fault' * soap.is_fault(tree)}")
        return answer.content, tree

    def _security(self) -> str:
        camera, chance = self._following.camera, self._following.chance
        if not camera.user:
            return ""
        nonce = bytes(int(chance() * 256) % 256 for _ in range(NONCE_BYTES))
        return soap.username_token(camera.user, camera.password, nonce=nonce, at=self._following.now() + self._shift)


async def follow(following: Following) -> None:
    """Hear one camera until the subscription breaks. Raises httpx.HTTPError, OSError, ConnectionError."""
    url = following.camera.url.rstrip("/")
    events = url if urlsplit(url).path else url + PATH
    async with client_of(following.camera, silent_s=soap.WAIT_S + 20) as client:
        service = Service(client, following)
        await service.learn_clock(_beside(events, CLOCK_PATH))
        _, answer = await service.ask(soap.CREATE, to=events)
        address = soap.subscription_of(answer, asked=events)
        if not address:
            raise Refusal("a subscription without an address")
        try:
            await _pull(service, address, following)
        finally:
            with contextlib.suppress(Exception):
                await service.ask(soap.UNSUBSCRIBE, to=address)


async def _pull(service: Service, address: str, following: Following) -> None:
    renewed_at = following.now()
    while True:
        content, _ = await service.ask(soap.PULL, to=address)
        await following.hear(Told(following.device, decode(content, "", zone=following.said.zone)))
        if (following.now() - renewed_at).total_seconds() >= RENEW_BEFORE_S:
            await service.ask(soap.RENEW, to=address)
            renewed_at = following.now()


def _beside(address: str, path: str) -> str:
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
