"""Loudspeakers of the demo: network horns that take what they are sent and make no noise."""

from __future__ import annotations

import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shouwang.notify.actions import save_speaker
from shouwang.simulator.history import NEAR_CAMERAS, camera_code
from shouwang.simulator.world import everything
from shouwang.telemetry.queries import things

LARGEST_BYTES = 4_000_000


class _Horn(BaseHTTPRequestHandler):
    """Takes any sound and says that it plays."""

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "0")
        self.rfile.read(min(int(size) if size.isdigit() else 0, LARGEST_BYTES))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library names it
        """Say nothing."""


def serve(port: int) -> ThreadingHTTPServer:
    """Listen as horns on a port of this machine, in threads of their own, until shut down."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Horn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def seed_horns(port: int, *, now: datetime) -> int:
    """Give the first cameras of the demo a horn each; return how many."""
    found, _ = things(everything(), now=now, kind="CAMERA", limit=500)
    near = {camera_code(n) for n in range(1, NEAR_CAMERAS + 1)}
    chosen = [each for each in found if each.external_id in near]
    for each in chosen:
        save_speaker(
            None, code=f"HORN-{each.external_id}", kind="horn", name=f"{each.name}喇叭", settings={"url": f"http://127.0.0.1:{port}/play"},
            area_id=int(each.path.strip("/").split("/")[-1]), thing_id=each.id, now=now,
        )
    return len(chosen)
