"""Desks without a screen: `python -m bench.desks PORT FILE`; on stdin a line of cookie headers, later one of moments, both JSON.

Each does what the script of the duty desk does: opens the page, listens to the live stream, and fetches queue and figures
again at the script's pace (`shouwang/ui/js/paced.js`). The first `cut` of them lose the connection at `cut_at` for `cut_s`
seconds and come again with Last-Event-ID. Writes a line of JSON for each item heard and for each answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

EACH_S, LEAST_S, MOST_S, EVERY_S = 0.3, 0.7, 15.0, 30.0
ANSWER_S = 60.0
PARTS = ("queue", "figures")


@dataclass
class Desk:
    """One desk: who it is, how far it has heard, when each part was last fetched."""

    number: int
    port: int
    cookies: str
    out: TextIO
    seen: str = "0"
    last_id: str = ""
    pace_s: float = LEAST_S
    renewed: dict[str, float] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def write(self, **said: Any) -> None:
        """Write one line."""
        print(json.dumps({"desk": self.number, "at": time.time(), **said}), file=self.out)

    async def open(self) -> None:
        """Load the page, as whoever sits down at the desk."""
        page = await self.get("/desk/")
        self.seen = re.search(r'name="seen" value="(\d+)"', page)[1]  # type: ignore[index] # a page without it is broken
        self.write(opened=int(self.seen))

    async def get(self, path: str) -> str:
        """Return the body of an answer. Raises RuntimeError where it is not 200."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookies}\r\nConnection: close\r\n\r\n".encode())
        raw = await asyncio.wait_for(reader.read(), ANSWER_S)
        writer.close()
        if not raw.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path} answered {raw[:40]!r}")
        return raw.decode("utf-8", "replace")

    async def listen(self, *, until: float) -> None:
        """Listen until a moment, from where this desk stands."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        resume = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
        writer.write(f"GET /stream/ HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookies}\r\n{resume}\r\n".encode())
        try:
            async with asyncio.timeout(max(0.1, until - time.time())):
                while line := await reader.readline():
                    name, _, value = line.decode().rstrip("\r\n").partition(": ")
                    if name == "id":
                        self.last_id = value
                    elif name == "data":
                        self.hear(json.loads(value))
        except TimeoutError:
            pass
        finally:
            writer.close()

    def hear(self, item: dict[str, Any]) -> None:
        """Note an item and renew what it changes."""
        self.write(id=self.last_id, topic=item["topic"], case=item.get("id"), kind=item.get("kind"), told=bool(item.get("case")))
        if item["topic"] == "beat":
            self.pace_s = max(LEAST_S, min(MOST_S, EACH_S * item["listeners"]))
        for part in PARTS if item["topic"] == "case" else ():
            if part not in self.waiting:
                self.waiting.add(part)
                since, pace_s = time.time() - self.renewed.get(part, 0.0), self.pace_s
                self.begin(part, random.random() * pace_s if since > 2 * pace_s else max(0.0, pace_s - since) + random.random() * pace_s / 4)

    def begin(self, part: str, wait_s: float) -> None:
        """Fetch a part after a while."""
        task = asyncio.get_running_loop().create_task(self.renew(part, wait_s))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def renew(self, part: str, wait_s: float) -> None:
        """Fetch a part and note how long that took."""
        await asyncio.sleep(wait_s)
        self.waiting.discard(part)
        self.renewed[part] = began = time.time()
        await self.get(f"/desk/{part}/" + (f"?seen={self.seen}" if part == "queue" else ""))
        self.write(fetched=part, took=time.time() - began)


async def work(desk: Desk, *, until: float, cut_at: float, back_at: float) -> None:
    """Listen till the end, with one break where there is to be one."""
    while (now := time.time()) < until:
        with contextlib.suppress(OSError):
            await desk.listen(until=cut_at if now < cut_at else until)
        desk.write(broke=desk.last_id)
        await asyncio.sleep(max(0.2, back_at - time.time() if time.time() >= cut_at and time.time() < back_at else 0.0))


async def every(desk: Desk, *, until: float) -> None:
    """Fetch the parts that were not fetched for half a minute, as the page does whatever it hears."""
    while time.time() + EVERY_S < until:
        await asyncio.sleep(EVERY_S)
        for part in PARTS:
            if time.time() - desk.renewed.get(part, 0.0) > EVERY_S - LEAST_S and part not in desk.waiting:
                desk.begin(part, random.random() * desk.pace_s)


async def run(port: int, out: TextIO) -> None:
    """Open all desks, say so, and let them work as the second line of the input says."""
    cookies = json.loads(await asyncio.to_thread(sys.stdin.readline))
    desks = [Desk(number, port, each, out) for number, each in enumerate(cookies)]
    for desk in desks:
        await desk.open()
    asked = json.loads(await asyncio.to_thread(sys.stdin.readline))
    until, cut_at = asked["until"], asked["cut_at"]
    breaks = [(cut_at, cut_at + asked["cut_s"]) if desk.number < asked["cut"] else (until, until) for desk in desks]
    working = [work(desk, until=until, cut_at=at, back_at=back) for desk, (at, back) in zip(desks, breaks, strict=True)]
    await asyncio.gather(*working, *(every(desk, until=until) for desk in desks))
    await asyncio.gather(*(task for desk in desks for task in desk.tasks))


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w", encoding="utf-8", buffering=1) as lines:
        asyncio.run(run(int(sys.argv[1]), lines))
