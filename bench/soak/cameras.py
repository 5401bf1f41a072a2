"""One process of cameras, as `shouwang watch-camera` looks at each, with what it cost and how late it was; run by the soak."""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np

from bench.camera_vision.scenes import FPS
from bench.soak.streams import PHASES, SEGMENT_S
from shouwang.vision.camera import Camera
from shouwang.vision.detecting import Detector, load
from shouwang.vision.sources import AvStream, Opened, Source
from shouwang.vision.watching import Watcher
from shouwang.vision.zones import Plan


class Looked:
    """One camera and what was measured of it: seconds of CPU, frames, when each was done with and which frame it was."""

    def __init__(self, name: str, address: str, plan: Plan, models: tuple[Detector, Detector], beside: ThreadPoolExecutor) -> None:
        self.name, self.phase = name, int(address.split("/")[-2])
        self.source = Source(lambda: self._opened(address), least_gap_s=1 / FPS * 0.9)
        self.letters = 0
        self.camera = Camera(Watcher(plan, *models), name, self._put, NOW, later=beside.submit)  # type: ignore[arg-type]
        self.seen: list[tuple[float, float, int]] = []
        self.cpu = {True: [0.0, 0], False: [0.0, 0]}
        self.first_stream_s: list[float] = []

    def _opened(self, address: str) -> Opened:
        stream = AvStream(address)
        self.first_stream_s.append(-1.0)
        return stream

    def _put(self, _: object) -> None:
        self.letters += 1

    def look(self, until_s: float) -> None:
        """Look until a moment of the monotonic clock."""
        self.source.start()
        while time.monotonic() < until_s:
            frame = self.source.newest.take(0.5)
            if frame is None:
                continue
            begun = time.thread_time()
            self.camera.see(frame.picture, at_s=frame.received_s)
            spent, opened = time.thread_time() - begun, len(self.first_stream_s)
            if self.first_stream_s[-1] < 0:
                self.first_stream_s[-1] = frame.stream_s
            since = frame.stream_s - self.first_stream_s[-1]
            self.seen.append((time.monotonic(), since, opened))
            cost = self.cpu[int(since // SEGMENT_S) % PHASES == self.phase]
            cost[0] += spent
            cost[1] += 1


def NOW() -> object:  # noqa: N802 - stands for a clock
    """Return the moment."""
    from datetime import UTC, datetime

    return datetime.now(UTC)


def main(told: dict[str, object]) -> dict[str, object]:
    """Look at all cameras of this process and return what was measured."""
    folder = Path(str(told["models"]))
    models = load(folder / "light_person_192.onnx"), load(folder / "yolox_nano_416.onnx")
    beside = ThreadPoolExecutor(1)
    plan = msgspec.convert(told["plan"], Plan)
    cameras = [Looked(name, address, plan, models, beside) for name, address in dict(told["cameras"]).items()]  # type: ignore[call-overload]
    until_s = float(str(told["until_s"]))
    threads = [threading.Thread(target=each.look, args=(until_s,)) for each in cameras]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cameras": {
            each.name: {
                "seen": [[round(at_s, 4), round(since_s, 3), opened] for at_s, since_s, opened in each.seen], "frames": each.source.counts.frames,
                "dropped": each.source.counts.dropped, "opened": each.source.counts.opened, "letters": each.letters, "crowded": each.cpu[True], "idle": each.cpu[False],
            } for each in cameras
        },
        "cpu_s": round(used.ru_utime + used.ru_stime, 2), "rss_mb": round(used.ru_maxrss / 1024), "numpy": np.__version__,
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.stdin.read()))))
    sys.stdout.flush()
