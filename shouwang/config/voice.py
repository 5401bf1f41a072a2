"""The process that hears what cameras tell and speaks on site: beside the worker, so that no storm of messages holds up a voice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shouwang.config.wiring import GAP_S, LEASE_TTL, RENEW_S, Listener, News
from shouwang.journal import actions as journal
from shouwang.journal.clock import clock
from shouwang.journal.holders import holder
from shouwang.journal.rules import Lease, LeaseLost
from shouwang.journal.wake import Bell, wait_any
from shouwang.notify.actions import BELL
from shouwang.notify.jobs import Players, check_speakers, play_due
from shouwang.notify.outside import client
from shouwang.notify.speaking.registry import voice as own_voice
from shouwang.systems.drowning import jobs as drowning

LISTENERS: tuple[Listener, ...] = ((drowning.SEEN, drowning.SEEN_KINDS, drowning.on_seen),)
POLL_S = 0.5
CHECK_S = 1.0
log = logging.getLogger("shouwang.voice")


@dataclass
class Voice:
    """One such process: its lease, its place in the news and its players."""

    players: Players
    news: News = field(default_factory=lambda: News(LISTENERS))
    owner: str = field(default_factory=lambda: holder("voice"))
    _held: Lease | None = None
    _renew_s: float = 0.0
    _check_s: float = 0.0

    def go_on(self) -> float:
        """Make one pass and return how many seconds to wait at most; all of it is another's while another has the lease."""
        lease = self._lease()
        if lease is None:
            return POLL_S
        try:
            heard = self.news.tell()
            now = clock().now()
            speed = 1.0 / clock().real_seconds(timedelta(seconds=1))
            played = play_due(now, lease=lease, players=self.players, pace=speed)
            if time.monotonic() >= self._check_s:  # not when the next check is due: one that is saved or fails is looked at soon
                self._check_s = time.monotonic() + CHECK_S
                check_speakers(now, lease=lease, players=self.players)
        except LeaseLost:
            self._held = None
            log.warning("the voice's lease was taken over")
            return 0.0
        if heard:
            return 0.0
        return POLL_S if played.next_at is None else max(0.0, min(POLL_S, clock().real_seconds(played.next_at - clock().now())))

    def _lease(self) -> Lease | None:
        if self._held is None or time.monotonic() >= self._renew_s:
            self._renew_s = time.monotonic() + RENEW_S
            self._held = journal.take_lease("voice", self.owner, now=datetime.now(UTC), ttl=LEASE_TTL)
        return self._held


def run_voice(stop: Callable[[], bool] = lambda: False) -> None:
    """Hear cameras and play sounds until told to stop; only the holder of the lease does."""
    with closing(Bell("events")) as events, closing(Bell(BELL)) as sounds, client() as http, closing(Players(http, voice=own_voice())) as players:
        voice = Voice(players)
        while not stop():
            try:
                wait_s = voice.go_on()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next pass must come
                log.error("the voice met %s and tries again", type(error).__name__)  # noqa: TRY400 - the text may hold data
                wait_s = 1.0
            if not wait_any((events, sounds), wait_s):
                continue
            time.sleep(GAP_S / 10)
