"""Loudspeakers: one pass records what came back, ends what is too late, and begins what is due; another looks at each device daily.

A slow device holds only its own thread: players send outside any transaction and touch no table.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import httpx
from django.conf import settings as site

from shouwang.journal.rules import Event, Lease
from shouwang.notify import actions, queries
from shouwang.notify.actions import Checkup, Heard, LeasedSound
from shouwang.notify.contract import Delivered, Outcome, Rejected, Sent, Unknown
from shouwang.notify.outside import TIMEOUT_S
from shouwang.notify.queries import Checked
from shouwang.notify.rules.audio import LONGEST_S, at_loudness, seconds_of
from shouwang.notify.rules.g711 import Samples
from shouwang.notify.rules.sounds import is_quiet, plan
from shouwang.notify.speaking import registry
from shouwang.notify.speaking.contract import Clip, Voice
from shouwang.notify.speaking.recorded import recorded
from shouwang.places.events import AREA_MOVED

LEASE_S = LONGEST_S + 4 * TIMEOUT_S
"""The longest a sound may take: its own length, and a few calls that each run into their limit."""
MOVES = "notify.area_moved"
KEEP_SOUNDS = timedelta(days=400)
MOST_AT_ONCE = 128
SAID_BEFORE = timedelta(seconds=30)
SPOKEN_KEPT = 64
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SoundWork:
    """A leased sound, and until when it may be begun, in seconds of the player's own clock."""

    leased: LeasedSound
    begin_by_s: float


@dataclass(frozen=True, slots=True)
class Back:
    """What came of one sound, and when it began in seconds of the player's own clock; None of both where it was too late."""

    leased: LeasedSound
    outcome: Outcome | None
    began_s: float | None


@dataclass(frozen=True, slots=True)
class PlayPass:
    """What one pass did, and when the next one is needed at the latest (None: when something is queued or comes back)."""

    begun: int
    recorded: int
    late: int
    next_at: datetime | None


class PlaysSounds(Protocol):
    """Carries leased sounds and checks out of the transaction and brings back what came of them."""

    def seconds(self) -> float:
        """Return the player's own clock, in seconds."""
        ...

    def busy(self) -> set[int]:
        """Return the loudspeakers that sound or are looked at."""
        ...

    def playing(self) -> set[int]:
        """Return the sounds whose outcome has not been recorded."""
        ...

    def free(self) -> int:
        """Return how many more sounds may be begun now."""
        ...

    def start(self, works: Sequence[SoundWork]) -> None:
        """Begin to play `works`."""
        ...

    def look_at(self, checks: Sequence[Checked]) -> None:
        """Begin to look at these loudspeakers."""
        ...

    def prepare(self, texts: Sequence[str]) -> None:
        """Have these words spoken by a voice before they are due."""
        ...

    def finished(self) -> list[Back]:
        """Return what came of the sounds that have ended."""
        ...

    def forget(self, back: Sequence[Back]) -> None:
        """Forget what has been recorded."""
        ...

    def looked_at(self) -> list[tuple[Checked, Outcome]]:
        """Return what came of the checks that have ended since the last call."""
        ...


@dataclass
class Spoken:
    """Words spoken by a voice, the latest few kept; a failure is not kept, so the next call tries again."""

    voice: Voice | None
    _kept: dict[str, Samples] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, text: str) -> Samples | None:
        """Return `text` as samples, None where there is no voice or it failed."""
        if self.voice is None or not text:
            return None
        found = self._kept.get(text)
        if found is None:
            found = self.voice.speak(text)
            with self._lock:
                if found is not None:
                    self._kept[text] = found
                while len(self._kept) > SPOKEN_KEPT:
                    self._kept.pop(next(iter(self._kept)))
        return found


@dataclass
class InlinePlayers:
    """Plays at once, one after another, on a clock that stands still: for the simulator, commands and tests."""

    http: httpx.Client
    voice: Voice | None = None
    _back: list[Back] = field(default_factory=list)
    _looked: list[tuple[Checked, Outcome]] = field(default_factory=list)

    def seconds(self) -> float:
        """Return 0: everything happens at the moment of the pass."""
        return 0.0

    def busy(self) -> set[int]:
        """Return none: what was begun has ended."""
        return set()

    def playing(self) -> set[int]:
        """Return the sounds whose outcome has not been recorded."""
        return {each.leased.id for each in self._back}

    def free(self) -> int:
        """Return how many sounds one pass may begin."""
        return MOST_AT_ONCE

    def start(self, works: Sequence[SoundWork]) -> None:
        """Play `works` now."""
        spoken = Spoken(self.voice)
        self._back += [Back(each.leased, attempt(each.leased, clip_of(each.leased, spoken), self.http), 0.0) for each in works]

    def look_at(self, checks: Sequence[Checked]) -> None:
        """Look at these loudspeakers now."""
        self._looked += [(each, look(each, self.http)) for each in checks]

    def prepare(self, texts: Sequence[str]) -> None:
        """Do nothing: it is spoken when it is played."""

    def finished(self) -> list[Back]:
        """Return what came of what was played."""
        return list(self._back)

    def forget(self, back: Sequence[Back]) -> None:
        """Forget what has been recorded."""
        self._back = [each for each in self._back if each not in back]

    def looked_at(self) -> list[tuple[Checked, Outcome]]:
        """Return what came of the checks."""
        looked, self._looked = self._looked, []
        return looked


class Players:
    """Plays by threads, one sound on a loudspeaker at a time; `on_done` is called in a thread whenever something comes back.

    A device that takes a sound at once and plays it by itself stays busy until that has sounded.
    """

    def __init__(
        self, http: httpx.Client, *, voice: Voice | None = None, on_done: Callable[[], None] = actions.wake_player,
        most: int = MOST_AT_ONCE,
    ) -> None:
        self._http = http
        self._spoken = Spoken(voice)
        self._on_done = on_done
        self._most = most
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._playing: set[int] = set()
        self._prepared: set[str] = set()
        self._back: list[Back] = []
        self._looked: list[tuple[Checked, Outcome]] = []
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(most + 1, "voice")

    def seconds(self) -> float:
        """Return the machine's own clock."""
        return time.monotonic()

    def busy(self) -> set[int]:
        """Return the loudspeakers that sound or are looked at."""
        with self._lock:
            return set(self._busy)

    def playing(self) -> set[int]:
        """Return the sounds whose outcome has not been recorded."""
        with self._lock:
            return set(self._playing)

    def free(self) -> int:
        """Return how many threads are idle."""
        with self._lock:
            return self._most - len(self._busy)

    def start(self, works: Sequence[SoundWork]) -> None:
        """Give `works` to threads."""
        with self._lock:
            self._busy |= {each.leased.speaker_id for each in works}
            self._playing |= {each.leased.id for each in works}
        for each in works:
            self._pool.submit(self._play, each)

    def look_at(self, checks: Sequence[Checked]) -> None:
        """Give these checks to threads."""
        with self._lock:
            self._busy |= {each.id for each in checks}
        for each in checks:
            self._pool.submit(self._look, each)

    def prepare(self, texts: Sequence[str]) -> None:
        """Have a thread speak those of these words that none speaks yet."""
        with self._lock:
            new = set(texts) - self._prepared if self._spoken.voice is not None else set()
            self._prepared = set(texts) & (self._prepared | new)
        if new:
            self._pool.submit(lambda: [self._spoken.of(each) for each in sorted(new)])

    def finished(self) -> list[Back]:
        """Return what came of the sounds that have ended."""
        with self._lock:
            return list(self._back)

    def forget(self, back: Sequence[Back]) -> None:
        """Forget what has been recorded."""
        with self._lock:
            self._back = [each for each in self._back if each not in back]
            self._playing -= {each.leased.id for each in back}

    def looked_at(self) -> list[tuple[Checked, Outcome]]:
        """Return what came of the checks that have ended."""
        with self._lock:
            looked, self._looked = self._looked, []
            return looked

    def close(self) -> None:
        """Wait for what sounds, and end the threads."""
        self._closing.set()
        self._pool.shutdown()

    def _play(self, work: SoundWork) -> None:
        leased = work.leased
        clip = clip_of(leased, self._spoken)
        began_s = self.seconds()
        outcome = attempt(leased, clip, self._http) if began_s < work.begin_by_s else None
        with self._lock:
            self._back.append(Back(leased, outcome, None if outcome is None else began_s))
        self._on_done()
        if clip is not None and isinstance(outcome, Sent | Delivered | Unknown):
            self._closing.wait(max(0.0, began_s + seconds_of(clip.samples) - self.seconds()))
        self._free(leased.speaker_id)

    def _look(self, checked: Checked) -> None:
        outcome = look(checked, self._http)
        with self._lock:
            self._looked.append((checked, outcome))
        self._free(checked.id)

    def _free(self, speaker_id: int) -> None:
        with self._lock:
            self._busy.discard(speaker_id)
        self._on_done()


def play_due(now: datetime, *, lease: Lease, players: PlaysSounds, pace: float = 1.0) -> PlayPass:
    """Make one pass at `now`; returns without waiting for the players. Raises LeaseLost when another process took over.

    `lease` is the journal's, kept by whoever calls; `pace` is how many seconds of the clock pass in a real one. Sleep until
    `next_at`, or until the bell BELL rings, which it does for what is queued and for what comes back.
    """
    start_s = players.seconds()
    back = players.finished()
    recorded = actions.record_sounds([_heard(each, now=now, start_s=start_s, pace=pace) for each in back], now=now, lease=lease)
    players.forget(back)
    alive = queries.alive_sounds()
    wanted = plan(alive, now=now, fence=lease.fence, playing=players.playing(), busy=players.busy())
    due = wanted.due[: players.free()]
    leased: list[LeasedSound] = []
    if due or wanted.late or wanted.orphans:
        leased = actions.take_up(
            due, late=wanted.late, orphans=wanted.orphans, now=now, lease=lease, ttl=timedelta(seconds=LEASE_S * pace),
        )
        players.start([SoundWork(each, start_s + (each.not_after - now).total_seconds() / pace) for each in leased])
    players.prepare(queries.soon_said(now + SAID_BEFORE * pace) if alive else ())
    return PlayPass(len(leased), recorded, len(wanted.late), wanted.next_at)


def check_speakers(now: datetime, *, lease: Lease, players: PlaysSounds) -> datetime | None:
    """Record what checks have found and begin those that are due; return when the next is (None: when something comes back).

    A check that would be heard waits for the morning. Raises LeaseLost when another process took over.
    """
    found = [Checkup(each.id, outcome, each.state, each.failures, queries.check_hour(each.area_id)) for each, outcome in players.looked_at()]
    actions.record_checks(found, now=now, lease=lease)
    due = queries.checks_due(now, busy=players.busy())
    audible = {each.id for each in due if is_quiet(now) and _is_audible(each.kind)}
    actions.put_off_checks({each.id: queries.check_hour(each.area_id) for each in due if each.id in audible}, now=now)
    players.look_at([each for each in due if each.id not in audible][: players.free()])
    return queries.next_check_at(busy=players.busy())


def tidy_sounds(now: datetime) -> int:
    """Delete the oldest sounds that ended over KEEP_SOUNDS ago, and return how many; the journal keeps what was published."""
    return actions.forget_sounds(before=now - KEEP_SOUNDS)


def on_moves(moves: Sequence[Event]) -> None:
    """Give the loudspeakers below moved areas their new path."""
    for event in moves:
        if event.kind == AREA_MOVED:
            actions.move_speakers(old=event.payload["from"], new=event.payload["to"])


def attempt(leased: LeasedSound, clip: Clip | None, http: httpx.Client) -> Outcome:
    """Return what came of playing one sound; a kind that raises leaves it unknown."""
    if clip is None:
        return Rejected("NO_PROMPT")
    try:
        made = registry.make(leased.kind, leased.settings, secret=leased.secret, allowed=site.SHOUWANG_WEBHOOK_ALLOW)
        return made.play(clip, http=http)
    except ModuleNotFoundError:
        return Rejected("KIND_UNKNOWN")
    except Exception as error:  # noqa: BLE001 - a kind is a plug-in: whatever it raises must not stop the others
        _log.error("loudspeaker kind %s raised %s for sound %d", leased.kind, type(error).__name__, leased.id)
        return Unknown("SPEAKER_BROKEN")


def look(checked: Checked, http: httpx.Client) -> Outcome:
    """Return what a check of one loudspeaker found; a kind that raises has failed."""
    try:
        made = registry.make(checked.kind, checked.settings, secret=checked.secret, allowed=site.SHOUWANG_WEBHOOK_ALLOW)
        return made.check(http=http)
    except Exception as error:  # noqa: BLE001 - see attempt
        _log.error("loudspeaker kind %s raised %s in a check", checked.kind, type(error).__name__)
        return Unknown("SPEAKER_BROKEN")


def clip_of(leased: LeasedSound, spoken: Spoken) -> Clip | None:
    """Return the sound as a device is given it: its own words where a voice can say them, else the recorded prompt.

    None where the prompt is missing from the package or cannot be read.
    """
    try:
        said = spoken.of(leased.said)
        samples = recorded(leased.prompt) if said is None else said
        return Clip(leased.key, leased.prompt, at_loudness(samples, leased.loudness), leased.loudness, said is not None, leased.was_cut)
    except Exception as error:  # noqa: BLE001 - a voice is a plug-in, a recording may be gone: the sound must end all the same
        _log.error("the sound %d cannot be made: %s", leased.id, type(error).__name__)
        return None


def _heard(back: Back, *, now: datetime, start_s: float, pace: float) -> Heard:
    began_at = None if back.began_s is None else now - timedelta(seconds=(start_s - back.began_s) * pace)
    return Heard(back.leased, back.outcome, began_at)


def _is_audible(kind: str) -> bool:
    manifest = registry.manifests().get(kind)
    return manifest is not None and manifest.checking == "TONE"
