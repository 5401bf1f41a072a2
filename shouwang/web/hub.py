"""Hands the live stream to all listeners of this process: both logs are read once for all, and again only when a bell rings."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import connections

from shouwang.journal.clock import clock
from shouwang.journal.wake import Bell, wait_any
from shouwang.kernel.errors import ShouwangError
from shouwang.web.stream import Audience, Position, Reading, beat, end_of_logs, read_after, told

GAP_S = 0.1
POLL_S = 0.5
BEAT_S = 15.0
AGAIN_S = 1.0
CLOSE_S = 10.0
THREADS = 2
UNSENT_MOST = 200
LISTENERS_MOST = 2_000
SAME_MOST = 50
MANY = 8
P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger("shouwang.stream")


class StreamFull(ShouwangError):
    """As many listen as one process carries, or as one principal may."""

    zh = "消息流已有 {most} 个{whose}连接，达到上限；请关闭不用的连接，稍后再连。"
    en = "The stream has {most} {of} connections, the most there may be; close those not in use and connect again later."
    status = 503


class Listener:
    """One connection. Everything up to `position` is in its hands: sent, waiting to be sent, or not for it."""

    def __init__(self, audience: Audience, position: Position) -> None:
        self.audience = audience
        self.position = position
        self.is_live = False
        self._unsent: deque[str] = deque()
        self._news = asyncio.Event()

    def hear(self, reading: Reading) -> None:
        """Take a reading; one that is too slow to send what it has falls out of the live ones and will read for itself."""
        if len(self._unsent) >= UNSENT_MOST:
            self.is_live = False
            return
        self.say(told(reading, self.audience, after=self.position))
        self.position = self.position.further(reading.end)

    def say(self, text: str) -> None:
        """Put text in line to be sent."""
        if text and len(self._unsent) <= UNSENT_MOST:
            self._unsent.append(text)
            self._news.set()

    async def unsent(self) -> str:
        """Return what is to be sent, as soon as there is something; nothing when it must read for itself now."""
        if self.is_live and not self._unsent:
            self._news.clear()
            await self._news.wait()
        text = "".join(self._unsent)
        self._unsent.clear()
        return text


class Hub:
    """Reads what is new once for all listeners of this process, while there are any."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._position = Position(0, 0)
        self._threads = ThreadPoolExecutor(THREADS, "stream")  # one waits for bells, one reads
        self._joining = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    async def join(self, audience: Audience, resume: Position | None) -> Listener:
        """Return a new listener, behind `resume` or hearing from now on. Raises StreamFull."""
        async with self._joining:
            self._refuse_too_many(audience)
            is_first = self._task is None or self._task.done()
            end = await _in_thread(self._threads, end_of_logs) if is_first or resume else self._position
            listener = Listener(audience, resume.not_beyond(end) if resume else end)
            self._listeners.add(listener)
            if self._task is None or self._task.done():
                self._position = end
                self._task = asyncio.get_running_loop().create_task(self._run())
        return listener

    def leave(self, listener: Listener) -> None:
        """Stop handing anything to a listener."""
        self._listeners.discard(listener)

    def takes(self, listener: Listener) -> bool:
        """Return whether a listener has caught up and is handed what comes from now on."""
        listener.is_live = listener.position.reaches(self._position)
        return listener.is_live

    def stands_at(self, position: Position) -> bool:
        """Return whether everything up to `position` was handed out."""
        return self._position.reaches(position)

    async def close(self) -> None:
        """Stop reading; the listeners hear nothing more."""
        self._listeners.clear()
        if self._task is not None:
            await self._task
        await asyncio.get_running_loop().run_in_executor(None, close_threads, self._threads, THREADS)

    async def _run(self) -> None:
        bells = [Bell("events"), Bell("pushes")]
        beaten_s, counted = time.monotonic(), 1  # how many listen sets the pace of their pages: soon told when it doubles
        try:
            while self._listeners:
                await self._pass(bells)
                if time.monotonic() - beaten_s >= BEAT_S or self.count >= max(MANY, 2 * counted):
                    beaten_s, counted = time.monotonic(), self.count
                    for listener in self._live():
                        listener.say(beat(clock().now(), listener.position, listeners=self.count))
                await asyncio.sleep(GAP_S)
        finally:
            for bell in bells:
                bell.close()

    async def _pass(self, bells: list[Bell]) -> None:
        """Wait until something may be new, read it, and hand it on."""
        try:
            await _in_thread(self._threads, wait_any, bells, POLL_S)
            is_more = True
            while is_more:
                reading = await _in_thread(self._threads, read_after, self._position)
                is_more, self._position = reading.is_full, reading.end
                for listener in self._live():
                    listener.hear(reading)
        except Exception as error:  # noqa: BLE001 - whatever the database says, listeners must hear again once it is back
            log.error("the live stream met %s and tries again", type(error).__name__)  # noqa: TRY400 - the text may hold data
            await asyncio.sleep(AGAIN_S)

    def _refuse_too_many(self, audience: Audience) -> None:
        if len(self._listeners) >= LISTENERS_MOST:
            raise StreamFull(most=LISTENERS_MOST, whose="", of="")
        if sum(each.audience == audience for each in self._listeners) >= SAME_MOST:
            raise StreamFull(most=SAME_MOST, whose="相同身份的", of="equal")

    def _live(self) -> list[Listener]:
        return [listener for listener in self._listeners if listener.is_live]


def close_threads(threads: ThreadPoolExecutor, count: int) -> None:
    """End a pool of `count` threads, each with the database connection that is its own."""
    together = threading.Barrier(count)

    def close() -> None:
        together.wait(CLOSE_S)
        connections.close_all()

    for done in [threads.submit(close) for _ in range(count)]:
        done.result()
    threads.shutdown()


async def _in_thread(threads: ThreadPoolExecutor, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, partial(call, *arguments, **named))
