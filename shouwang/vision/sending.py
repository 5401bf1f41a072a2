"""Sends records to the server until it says 200, under the same key; what waits is kept in memory up to a stated bound, and losses are told."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from shouwang.vision.records import Letter

MOST_WAITING = 200
MOST_BYTES = 64 * 1024 * 1024
TIMEOUT_S = 10.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
REFUSED = frozenset({400, 413, 422})
"""The server has read the record and will never take it: sending it again is of no use."""
NOT_OURS = frozenset({401, 403})


@dataclass
class Sent:
    """What became of records so far."""

    taken: int = 0
    tried_again: int = 0
    lost: int = 0
    refused: int = 0
    unauthorised: int = 0


@dataclass
class Sender:
    """Sends letters one after the other, oldest first, from a thread of its own between `start` and `stop`."""

    url: str
    token: Callable[[], str]
    client: httpx.Client
    chance: random.Random = field(default_factory=random.Random)
    sent: Sent = field(default_factory=Sent)
    say: Callable[[str], None] = lambda _: None
    _waiting: deque[Letter] = field(default_factory=deque)
    _bytes: int = 0
    _untold: int = 0

    def __post_init__(self) -> None:
        self._ready, self._stopping = threading.Condition(), threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, letter: Letter) -> None:
        """Keep a letter to be sent; past the bound the oldest is lost, which is counted and told with the next that arrives."""
        with self._ready:
            self._waiting.append(letter)
            self._bytes += len(letter.body)
            while len(self._waiting) > MOST_WAITING or (self._bytes > MOST_BYTES and len(self._waiting) > 1):
                self._bytes -= len(self._waiting.popleft().body)
                self.sent.lost += 1
                self._untold += 1
            self._ready.notify()

    @property
    def waiting(self) -> int:
        """Return how many letters wait."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self, *, patience_s: float = 5.0) -> int:
        """Wait at most so long for what still waits, stop, and return how many records were not sent; they count as lost."""
        until = time.monotonic() + patience_s
        while self._waiting and time.monotonic() < until:
            time.sleep(0.02)
        self._stopping.set()
        with self._ready:
            self._ready.notify()
        if self._thread:
            self._thread.join(TIMEOUT_S + 1)
        left = len(self._waiting)
        self.sent.lost += left
        return left

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopping.is_set():
            with self._ready:
                if not self._waiting:
                    self._ready.wait(1.0)
                    continue
                letter = self._waiting[0]
            if self._settled(letter):
                wait_s = FIRST_WAIT_S
                continue
            self.sent.tried_again += 1
            self._stopping.wait(wait_s * self.chance.uniform(0.5, 1.0))
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    def _settled(self, letter: Letter) -> bool:
        """Send a letter once; return whether it is done with, for good or ill."""
        status = self._post(letter)
        if status in NOT_OURS:
            self.sent.unauthorised += 1
            self.say(f"服务器拒绝令牌（{status}），将继续重试 · the server refuses the token ({status}), trying on")
            return False
        if status != httpx.codes.OK and status not in REFUSED:
            return False
        with self._ready:
            if self._waiting and self._waiting[0] is letter:
                self._waiting.popleft()
                self._bytes -= len(letter.body)
        if status == httpx.codes.OK:
            self.sent.taken += 1
            self._tell_losses()
        else:
            self.sent.refused += 1
            self.say(f"服务器不接受一条记录（{status}） · the server does not take a record ({status})")
        return True

    def _post(self, letter: Letter) -> int:
        headers = {
            "Authorization": f"Bearer {self.token()}", "Content-Type": "application/json", "Idempotency-Key": letter.key,
            "X-Records-Lost": str(self._untold),
        }
        try:
            return self.client.post(self.url, content=letter.body, headers=headers, timeout=TIMEOUT_S).status_code
        except httpx.HTTPError:
            return 0

    def _tell_losses(self) -> None:
        if self._untold:
            self.say(f"断网期间丢失 {self._untold} 条记录 · {self._untold} records were lost while the server was away")
            self._untold = 0
