"""`shouwang watch-camera` from a file to a server in this process: the person of the clip arrives once, with evidence, and signs of life."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shouwang.cli.main import app
from shouwang.cli.vision import EVENTS_PATH

PLAN = {"device": "cam-test", "rule": "bank", "zones": [{"id": "floor", "polygon": [[0.3, 0.75], [0.85, 0.75], [0.85, 0.99], [0.3, 0.99]]}]}


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return the address of a server that refuses the first record once, and what it took."""
    taken: list[dict[str, Any]] = []
    refused = iter([503])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = 200 if (self.path, self.headers["Authorization"]) == (EVENTS_PATH, "Bearer of-a-test") else 401
            status = next(refused, status)
            if status == 200:
                taken.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}", taken
        listening.shutdown()


def arguments(folder: Path, models: Path, server: str, address: str) -> list[str]:
    (folder / "zones.json").write_text(json.dumps(PLAN))
    (folder / "token").write_text("of-a-test\n")
    return [
        "watch-camera", address, "--zone", str(folder / "zones.json"), "--server", server, "--token-file", str(folder / "token"),
        "--models", str(models), "--once",
    ]


def cut(clip: Path, path: Path, *, first: int, last: int) -> Path:
    """Write some frames of the clip as a file of its own."""
    import av  # noqa: PLC0415 - the extra

    with av.open(str(clip)) as source, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 768, 432, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            if first <= number < last:
                fresh = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), format="yuv420p")
                fresh.pts = number - first
                out.mux(stream.encode(fresh))
            if number >= last:
                break
        out.mux(stream.encode())
    return path


@pytest.mark.needs_vision
def test_a_person_in_a_file_is_told_to_the_server(
    clip: Path, models: Path, server: tuple[str, list[dict[str, Any]]], tmp_path: Path,
) -> None:
    address, taken = server
    answer = CliRunner().invoke(app, arguments(tmp_path, models, address, str(cut(clip, tmp_path / "walk.mp4", first=40, last=170))))
    assert answer.exit_code == 0, answer.output
    entries = [each for each in taken if each.get("kind") == "ENTER" and each["state"] == "START" and each["object"] == "HUMAN"]
    assert [(each["device"], each["rule"], each["zone"]) for each in entries] == [("cam-test", "bank:floor", "floor")]
    x0, y0, x1, y1 = entries[0]["box"]
    assert 0 <= x0 < x1 <= 1
    assert y1 - y0 > 0.5
    assert {each["name"] for each in entries[0]["snapshots"]} >= {"entry.jpg", "entry.original.jpg"}
    assert base64.b64decode(entries[0]["snapshots"][0]["base64"])[:3] == b"\xff\xd8\xff"
    assert any("kind" not in each and each["health"]["opened"] >= 0 for each in taken)


@pytest.mark.needs_vision
def test_a_token_file_without_a_token_is_refused_in_words(models: Path, tmp_path: Path) -> None:
    told = arguments(tmp_path, models, "http://127.0.0.1:9", "none.mp4")
    (tmp_path / "token").write_text("\n")
    answer = CliRunner().invoke(app, told)
    assert answer.exit_code == 1
    assert "令牌" in answer.output


def test_a_zone_file_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    told = arguments(tmp_path, tmp_path, "http://127.0.0.1:9", "none.mp4")
    (tmp_path / "zones.json").write_text("{}")
    answer = CliRunner().invoke(app, told)
    assert answer.exit_code == 1
    assert "zones.json" in answer.output
