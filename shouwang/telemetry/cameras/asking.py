"""HTTP to a camera: one client with digest, limits and no detours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from shouwang.telemetry.cameras.family import Camera

CONNECT_S = 10.0
SILENT_S = 60.0
"""A stream that has told nothing for so long, not even a heartbeat, is broken."""


@asynccontextmanager
async def client_of(camera: Camera, *, silent_s: float = SILENT_S) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that speaks to one camera, by digest where it has a user."""
    auth = httpx.DigestAuth(camera.user, camera.password) if camera.user else None
    timeout = httpx.Timeout(CONNECT_S, read=silent_s)
    async with httpx.AsyncClient(auth=auth, timeout=timeout, trust_env=False, follow_redirects=False, verify=False) as client:  # noqa: S501 - cameras sign their own certificates
        yield client
