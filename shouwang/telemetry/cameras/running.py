"""The one process that hears cameras: a connection to each that is set, kept up; listeners; and who has fallen silent."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import random
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.db import close_old_connections, connections

from shouwang.kernel.errors import ShouwangError, StorageAway, StorageFull
from shouwang.telemetry import queries
from shouwang.telemetry.cameras.family import CameraSettings, Family, Following, Hear, Told
from shouwang.telemetry.cameras.taking import take_told
from shouwang.telemetry.rules import DeviceRecord, EventKind
from shouwang.telemetry.sources import EVENTS, settings_of, sources_found

FIRST_S, MOST_S = 1.0, 30.0
STEADY_S = 60.0
"""A connection that held so long was good: the next one is tried soon again."""
LOOK_S = 5.0
RULE = "silence"
_log = logging.getLogger(__name__)


def families() -> dict[str, Family]:
    """Return the families of cameras by name, found by scanning."""
    found = (each.name for each in sources_found().values() if each.direction == EVENTS)
    return {name: importlib.import_module(f"shouwang.telemetry.sources.{name}").CAMERAS for name in found}


@dataclass
class BackOff:
    """How long to wait before the next attempt: doubled up to 30 s, each with its own chance, so that not all come back at once."""

    chance: Callable[[], float]
    wait_s: float = FIRST_S

    def next_s(self, *, held_s: float) -> float:
        """Return how long to wait after a connection that held for `held_s`."""
        if held_s >= STEADY_S:
            self.wait_s = FIRST_S
        waits_s, self.wait_s = self.wait_s, min(2 * self.wait_s, MOST_S)
        return waits_s * (0.5 + self.chance())


@dataclass
class Ears:
    """Hears for all families; one thread speaks to the database."""

    now: Callable[[], datetime]
    chance: Callable[[], float] = field(default_factory=lambda: random.SystemRandom().random)
    away_s: float = 1.0

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="cameras")

    def hearer(self, source: str, said: CameraSettings, *, patient: bool) -> Hear:
        """Return what stores what is told. A patient one tries until it is stored, so that a stream waits; else ConnectionError is raised."""

        async def hear(told: Told) -> None:
            while True:
                try:
                    await self.ask(lambda: take_told(told, said=said, source=source, now=self.now()))
                except (StorageAway, StorageFull) as error:
                    if not patient:
                        raise ConnectionError(str(error)) from error
                    await asyncio.sleep(self.away_s)
                else:
                    return

        return hear

    async def ask(self, question: Callable[[], Any]) -> Any:
        """Return what a question to the database answers."""

        def asked() -> Any:
            try:
                return question()
            except (StorageAway, StorageFull):
                close_old_connections()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._pool, asked)

    async def end(self) -> None:
        """Close the thread's connection."""
        await self.ask(connections.close_all)
        self._pool.shutdown()


async def keep_following(family: Family, following: Following) -> None:
    """Follow one camera until cancelled: again after each break, later and later while it does not answer."""
    assert family.follow is not None
    loop, back_off = asyncio.get_running_loop(), BackOff(following.chance)
    while True:
        began_s = loop.time()
        try:
            await family.follow(following)
        except (httpx.HTTPError, OSError, ShouwangError) as error:
            _log.warning("camera %s: the connection broke: %s", following.device, type(error).__name__)
        except Exception:  # noqa: BLE001 - whatever it was, the other cameras go on and this one is tried again
            _log.exception("camera %s: the connection broke", following.device)
        await asyncio.sleep(back_off.next_s(held_s=loop.time() - began_s))


@dataclass
class Silence:
    """Who has not been heard for too long: OFFLINE once, ONLINE when heard again. Somebody never heard counts from the beginning."""

    source: str
    limits: Mapping[str, timedelta]
    began_at: datetime

    def look(self, now: datetime) -> list[Told]:
        """Return what is to be told of those that are silent or are heard again; reads the database."""
        known = queries.tellers(self.limits)
        last = {device: queries.last_event(teller.id, kinds=(EventKind.OFFLINE, EventKind.ONLINE)) for device, teller in known.items()}
        told = []
        for device, teller in known.items():
            heard_at = max(self.began_at, teller.last_at) if teller.last_at else self.began_at
            newest = last[device]
            is_off = newest is not None and newest.kind is EventKind.OFFLINE
            is_silent = now - heard_at > self.limits[device]
            if is_silent and not is_off:
                told.append(Told(device, (DeviceRecord(EventKind.OFFLINE, device, rule=RULE),)))
            elif newest is not None and is_off and teller.last_at is not None and teller.last_at > newest.received_at:
                told.append(Told(device, (DeviceRecord(EventKind.ONLINE, device, rule=RULE),)))
        return told


async def watch_silence(ears: Ears, source: str, said: CameraSettings, *, look_s: float = LOOK_S) -> None:
    """Look every few seconds until cancelled."""
    limits = {device: timedelta(seconds=camera.silent_s) for device, camera in said.cameras.items()}
    silence, hear = Silence(source, limits, ears.now()), ears.hearer(source, said, patient=True)
    while limits:
        with contextlib.suppress(StorageAway, StorageFull):
            for told in await ears.ask(lambda: silence.look(ears.now())):
                await hear(told)
        await asyncio.sleep(look_s)


def tasks_of(family: Family, ears: Ears) -> list[asyncio.Task[None]]:
    """Begin everything that is set for a family. Raises SourceSettingsInvalid."""
    said = settings_of(family.name, family.settings)
    begun = [asyncio.ensure_future(watch_silence(ears, family.name, said))]
    if family.follow is not None:
        hear = ears.hearer(family.name, said, patient=True)
        begun += [
            asyncio.ensure_future(keep_following(family, Following(device, camera, said, hear, ears.now, ears.chance)))
            for device, camera in said.cameras.items() if camera.url
        ]
    if family.listen is not None:
        begun.append(asyncio.ensure_future(family.listen(said, ears.hearer(family.name, said, patient=False), ears.now)))
    return begun


def run(*, now: Callable[[], datetime], on_ready: Callable[[int], object] = lambda _: None) -> None:
    """Hear cameras until SIGTERM or SIGINT. Raises SourceSettingsInvalid."""

    async def main() -> None:
        over, ears = asyncio.Event(), Ears(now)
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, over.set)
        begun = [task for family in families().values() for task in tasks_of(family, ears)]
        on_ready(sum(len(settings_of(name, family.settings).cameras) for name, family in families().items()))
        for task in begun:  # one that fails, as a listener whose port is taken, ends the process: whoever supervises it starts it again
            task.add_done_callback(lambda ended: over.set() if not ended.cancelled() and ended.exception() else None)
        await over.wait()
        for task in begun:
            task.cancel()
        ended = await asyncio.gather(*begun, return_exceptions=True)
        await ears.end()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    asyncio.run(main())
