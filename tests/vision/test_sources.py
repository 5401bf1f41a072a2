"""Streams: the newest frame only, opened again with growing waits, closed when their time stands still; and real H.264 through PyAV."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import numpy as np
import pytest

from shouwang.vision.errors import StreamBroken
from shouwang.vision.picture import Picture
from shouwang.vision.sources import LONGEST_WAIT_S, AvStream, Frame, Newest, Source, Waits, named
from tests.vision.conftest import picture

WAIT_S = 20.0


class Fake:
    """A stream that yields times as told, then breaks; `held` makes it wait inside until it is closed."""

    def __init__(self, times: list[float], *, held: bool = False) -> None:
        self.times, self.held, self.closed = times, held, threading.Event()

    def frames(self) -> Iterator[tuple[Picture, float]]:
        for each in self.times:
            yield picture(32, 32), each
        if self.held:
            self.closed.wait(WAIT_S)
        raise StreamBroken(name="fake", found="end")

    def close(self) -> None:
        self.closed.set()


def test_the_newest_frame_is_kept_and_older_ones_are_counted_as_dropped() -> None:
    newest = Newest()
    frames = [Frame(picture(32, 32), float(n), float(n)) for n in range(3)]
    assert [newest.put(each) for each in frames] == [False, True, True]
    assert newest.take(0) is frames[2]
    assert newest.take(0) is None


def test_waits_double_to_the_longest_with_chance_and_begin_anew() -> None:
    waits = Waits(random.Random(1))
    taken = [waits.next_s() for _ in range(9)]
    assert all(0.5 * 2**n <= each <= 2**n for n, each in enumerate(taken[:5]))
    assert all(LONGEST_WAIT_S / 2 <= each <= LONGEST_WAIT_S for each in taken[5:])
    waits.steady()
    assert waits.next_s() <= 1.0


def test_a_broken_stream_is_opened_again() -> None:
    opened = [Fake([0.0, 0.2]), Fake([0.0, 0.2, 0.4], held=True)]
    source = Source(lambda: opened[min(source.counts.opened, 1)], chance=random.Random(1))
    source.start()
    try:
        assert wait_for(lambda: source.counts.opened == 2 and source.counts.frames == 5)
        assert source.counts.broken == 1
    finally:
        source.stop()


def wait_for(holds: object) -> bool:
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.02)):
        if holds():  # type: ignore[operator]
            return True
        pause.wait(0.02)
    return False


def test_a_stream_whose_time_stands_still_is_closed_and_opened_again() -> None:
    ticks = count()
    fake = Fake([0.0, 0.2, 0.2, 0.2], held=True)
    source = Source(lambda: fake, clock=lambda: float(next(ticks)) * 2)  # a clock that runs fast: ten seconds pass at once
    source.start()
    try:
        assert wait_for(lambda: source.counts.stalled >= 1)
        assert fake.closed.is_set()
    finally:
        source.stop()


def test_frames_nearer_than_the_gap_are_left_out_and_the_stream_s_clock_is_compared() -> None:
    fake = Fake([n / 25 for n in range(50)])
    source = Source(lambda: fake, least_gap_s=0.18, once=True, clock=lambda: 0.0)
    source.start()
    assert source.ended.wait(WAIT_S)
    source.stop()
    assert source.counts.frames == 10
    assert source.counts.skew_s == pytest.approx(49 / 25)


def test_a_name_holds_no_password_and_no_path() -> None:
    assert named("rtsp://admin:secret@10.0.0.7:554/Streaming/101?token=1") == "rtsp://10.0.0.7:554"
    assert named("/srv/clips/river.mp4") == "river.mp4"


def encoded(frames: int) -> bytes:
    """Return a short H.264 stream in MPEG-TS: a bright square that moves."""
    import av  # noqa: PLC0415 - the extra

    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(frames):
            image = np.full((180, 320, 3), 80, np.uint8)
            image[60:100, 8 * number : 8 * number + 40] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()


@pytest.mark.needs_vision
def test_h264_over_http_is_decoded_and_a_refused_connection_is_a_broken_stream() -> None:
    content = encoded(12)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/live.ts"
        shown = []
        with pytest.raises(StreamBroken):
            shown.extend(AvStream(address).frames())
        server.shutdown()
    assert len(shown) == 12
    assert shown[0][0].luma.shape == (180, 320)
    assert [round(b[1] - a[1], 3) for a, b in zip(shown, shown[1:], strict=False)] == [0.2] * 11
    with pytest.raises(StreamBroken) as broken:
        AvStream(address)
    assert "127.0.0.1" not in broken.value.params["found"]  # type: ignore[operator]
