"""Real H.264 of rendered banks, sent over HTTP as MPEG-TS in real time to many cameras at once; breaks connections when told to.

Encoded once, sent often: no encoder runs while the soak is measured.
"""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av

from bench.camera_vision.scenes import FPS, HEIGHT, WARM_FRAMES, WIDTH, Scene

GOP = 10
SEGMENT_S = 20
PHASES = 3
TICKS = 90_000
PEOPLE = 4


def packets(scene: Scene, *, skip: int) -> list[tuple[bytes, bool]]:
    """Return the frames of a scene after the first `skip` as H.264, each with whether it is a key frame."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.framerate, encoder.time_base, encoder.gop_size, encoder.max_b_frames = Fraction(int(FPS), 1), Fraction(1, int(FPS)), GOP, 0
    encoder.options = {"preset": "veryfast", "crf": "27", "sc_threshold": "0", "tune": "zerolatency"}
    encoder.thread_count = 1
    found = []
    for shot in scene.shots():
        if shot.number < skip:
            continue
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, content in zip(frame.planes, (shot.picture.luma, shot.picture.blue, shot.picture.red), strict=True):
            plane.update(content.tobytes() if plane.line_size == content.shape[1] else padded(content, plane.line_size))  # type: ignore[union-attr, arg-type]
        frame.pts = shot.number - skip
        found += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    return found + [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(None)]


def padded(content: object, line_size: int) -> bytes:
    """Return a plane's rows filled up to the length the encoder wants."""
    import numpy as np

    rows = np.zeros((content.shape[0], line_size), np.uint8)  # type: ignore[attr-defined]
    rows[:, : content.shape[1]] = content  # type: ignore[attr-defined]
    return rows.tobytes()


def both(kind: str, *, seed: int, clip: Path) -> tuple[list[tuple[bytes, bool]], list[tuple[bytes, bool]], Scene]:
    """Return SEGMENT_S of a crowded and of an idle bank, which look alike, and the scene."""
    frames = int(SEGMENT_S * FPS)
    crowded, idle = (Scene(kind, seed=seed, frames=frames + WARM_FRAMES, people=PEOPLE, clip=clip) for _ in range(2))
    idle.walkers = []
    return packets(crowded, skip=WARM_FRAMES), packets(idle, skip=WARM_FRAMES), crowded


def muxed(crowded: list[tuple[bytes, bool]], idle: list[tuple[bytes, bool]], *, seconds: int, phase: int) -> list[bytes]:
    """Return MPEG-TS cut at frames: idle, but crowded in every third segment, which of them by `phase`."""
    out = io.BytesIO()
    chunks, sent = [], 0
    with av.open(out, "w", format="mpegts", options={"flush_packets": "1", "pat_period": "0.4"}) as container:
        stream = container.add_stream("libx264", rate=int(FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        container.start_encoding()
        for number in range(int(seconds * FPS)):
            segment, place = divmod(number, int(SEGMENT_S * FPS))
            content, is_key = (crowded if segment % PHASES == phase else idle)[place]
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1, TICKS), round(number * TICKS / FPS), round(number * TICKS / FPS)
            packet.is_keyframe = is_key
            container.mux_one(packet)
            chunks.append(out.getvalue()[sent:])
            sent += len(chunks[-1])
    return chunks


@dataclass
class Streams:
    """The server. `/PHASE/NAME` is a stream; `started` holds when each began, on the machine's monotonic clock."""

    phases: list[list[bytes]]
    started: dict[str, float] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        streams = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _, phase, name = self.path.split("/")
                if name in streams.refused:
                    self.send_error(503)
                    return
                self.send_response(200)
                self.end_headers()
                streams.send(self.wfile, streams.phases[int(phase)], name)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def send(self, out: object, chunks: list[bytes], name: str) -> None:
        """Send a stream in real time until it ends, the reader goes, or the name is refused."""
        begun = self.started[name] = time.monotonic()
        for number, chunk in enumerate(chunks):
            time.sleep(max(0.0, begun + number / FPS - time.monotonic()))
            if name in self.refused:
                return
            try:
                out.write(chunk)  # type: ignore[attr-defined]
            except OSError:
                return
