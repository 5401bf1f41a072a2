"""Reads one stream (RTSP, RTMP, HLS or a file) in a thread of its own: the newest frame only, opened again when it breaks or stalls.

The reader never waits for whoever looks: a frame that was not taken when the next one comes is dropped and counted.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from shouwang.vision.errors import StreamBroken
from shouwang.vision.extra import library
from shouwang.vision.picture import Picture, picture_of

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
OPEN_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 10.0
STALLED_S = 10.0
"""A stream whose time stands still for so long is opened again, even if packets come."""
STEADY_S = 10.0
"""After so long without a break the next wait begins at the shortest again."""


@dataclass(frozen=True)
class Frame:
    """A decoded frame: `stream_s` on the stream's own clock, `received_s` on this machine's monotonic clock."""

    picture: Picture
    stream_s: float
    received_s: float


@dataclass
class Counts:
    """What happened to a stream so far."""

    frames: int = 0
    dropped: int = 0
    opened: int = 0
    broken: int = 0
    stalled: int = 0
    last_error: str = ""
    skew_s: float = 0.0
    """How much the stream's clock has run ahead of this machine's since it was opened; below 0 it is behind."""


class Opened(Protocol):
    """An open stream."""

    def frames(self) -> Iterator[tuple[Picture, float]]:
        """Yield pictures with their time on the stream's clock. Raises StreamBroken."""
        ...

    def close(self) -> None:
        """Let the stream go; a reader that waits ends."""
        ...


@dataclass
class Newest:
    """A queue of one: whoever takes gets the newest frame, what nobody took is dropped."""

    _frame: Frame | None = None
    _ready: threading.Condition = field(default_factory=threading.Condition)

    def put(self, frame: Frame) -> bool:
        """Put a frame; return whether another was dropped for it."""
        with self._ready:
            dropped = self._frame is not None
            self._frame = frame
            self._ready.notify()
        return dropped

    def take(self, timeout_s: float) -> Frame | None:
        """Return the newest frame, waiting at most so long; None when none came."""
        with self._ready:
            if self._frame is None:
                self._ready.wait(timeout_s)
            frame, self._frame = self._frame, None
        return frame


class Waits:
    """How long to wait before opening a stream again: 1 s, doubling to 30 s, each between a half and the whole of it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._next_s = chance, FIRST_WAIT_S

    def next_s(self) -> float:
        """Return the next wait."""
        wait, self._next_s = self._next_s, min(LONGEST_WAIT_S, 2 * self._next_s)
        return wait * self._chance.uniform(0.5, 1.0)

    def steady(self) -> None:
        """Begin at the shortest again."""
        self._next_s = FIRST_WAIT_S


@dataclass
class Source:
    """One stream, read by a thread between `start` and `stop`; `newest.take` gives its frames."""

    open: Callable[[], Opened]
    chance: random.Random = field(default_factory=random.Random)
    clock: Callable[[], float] = time.monotonic
    least_gap_s: float = 0.0
    """Frames nearer than this on the stream's clock are left out, so that a camera of 25 frames a second costs what one of 5 does."""
    once: bool = False
    """Stop at the end instead of opening again: for files."""
    paced: bool = False
    """Hold frames back until their own time: a file is read as if it were a camera."""

    def __post_init__(self) -> None:
        self.newest, self.counts, self.ended = Newest(), Counts(), threading.Event()
        self._stopping, self._progress_s = threading.Event(), self.clock()
        self._stream: Opened | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to read."""
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._run, self._guard)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop reading; returns when the threads have ended, within the read time-out."""
        self._stopping.set()
        self._close()
        for thread in self._threads:
            thread.join(READ_TIMEOUT_S + OPEN_TIMEOUT_S)

    def _run(self) -> None:
        waits = Waits(self.chance)
        while not self._stopping.is_set():
            begun_s = self.clock()
            try:
                self._progress_s = self.clock()
                self._stream = stream = self.open()
                self.counts.opened += 1
                self._read(stream)
            except StreamBroken as error:
                self.counts.broken += 1
                self.counts.last_error = str(error.params.get("found", ""))
            self._close()
            if self.once:
                break
            if self.clock() - begun_s > STEADY_S:
                waits.steady()
            self._stopping.wait(waits.next_s())
        self.ended.set()

    def _read(self, stream: Opened) -> None:
        first: tuple[float, float] | None = None
        last_s = -1e18
        for picture, stream_s in stream.frames():
            if self._stopping.is_set():
                return
            first = first or (stream_s, self.clock())
            if self.paced:
                self._stopping.wait(max(0.0, min(STALLED_S / 2, first[1] + stream_s - first[0] - self.clock())))
            now_s = self.clock()
            if stream_s <= last_s:  # the stream's time stands still or runs back: no progress
                if last_s - stream_s > STALLED_S:
                    raise StreamBroken(name="", found="the stream's clock jumped back")
                continue
            self._progress_s = now_s
            self.counts.skew_s = (stream_s - first[0]) - (now_s - first[1])
            if stream_s - last_s + 1e-3 < self.least_gap_s:
                continue
            last_s = stream_s
            self.counts.frames += 1
            self.counts.dropped += self.newest.put(Frame(picture, stream_s, now_s))

    def _guard(self) -> None:
        """Close a stream that makes no progress: the reader may be waiting inside the library."""
        while not self._stopping.wait(1.0) and not self.ended.is_set():
            if self._stream is not None and self.clock() - self._progress_s > STALLED_S:
                self.counts.stalled += 1
                self._progress_s = self.clock()
                self._close()

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


class AvStream:
    """A stream opened with PyAV. Every wait in it has a limit; the address is never written anywhere, since it may hold a password."""

    def __init__(self, address: str) -> None:
        self.name = named(address)
        av = library("av")
        scheme = urlsplit(address).scheme.lower()
        options: dict[str, str] = {}
        if scheme in {"rtsp", "rtsps"}:
            options |= {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay", "timeout": str(int(READ_TIMEOUT_S * 1e6))}
        elif scheme in {"rtmp", "http", "https", "tcp"}:
            options |= {"rw_timeout": str(int(READ_TIMEOUT_S * 1e6))}
        try:
            self._container = av.open(address, options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S))
            self._video = self._container.streams.video[0]
        except (av.FFmpegError, IndexError, OSError, ValueError) as error:
            raise StreamBroken(name=self.name, found=type(error).__name__) from error
        self._video.codec_context.thread_count = 1
        self._closed = False

    def frames(self) -> Iterator[tuple[Picture, float]]:
        """Yield pictures with their time; damaged packets are passed over, at most MOST_DAMAGED in a row."""
        av = library("av")
        count, base = 0, self._video.time_base
        rate = float(self._video.average_rate or 5)
        damaged = 0
        try:
            for packet in self._container.demux(self._video):
                if self._closed:
                    return
                try:
                    decoded: list[Any] = list(packet.decode())
                    damaged = 0 if decoded else damaged
                except av.error.InvalidDataError:
                    damaged += 1
                    if damaged > MOST_DAMAGED:
                        raise
                    continue
                for frame in decoded:
                    count += 1
                    yield picture_of(frame), float(frame.pts * base) if frame.pts is not None and base else count / rate
        except (av.FFmpegError, OSError, ValueError) as error:
            raise StreamBroken(name=self.name, found=type(error).__name__) from error
        raise StreamBroken(name=self.name, found="end of stream")

    def close(self) -> None:
        """Let the stream go."""
        self._closed = True


MOST_DAMAGED = 50


def named(address: str) -> str:
    """Return an address without user, password, path or query: what may stand in a log."""
    parts = urlsplit(address)
    if not parts.scheme:
        return address.rpartition("/")[2]
    with suppress(ValueError):
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    return parts.scheme


def is_file(address: str) -> bool:
    """Return whether an address is a file on this machine."""
    return urlsplit(address).scheme in {"", "file"}


def stream_of(address: str) -> Callable[[], Opened]:
    """Return what opens `address` when called."""
    return lambda: AvStream(address)
