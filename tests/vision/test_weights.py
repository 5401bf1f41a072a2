"""Model files: fetched from a local server, checked, and refused when one bit differs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from shouwang.cli.main import app
from shouwang.vision import weights as room
from shouwang.vision.errors import ModelAbsent, ModelUnreachable, ModelWrong
from shouwang.vision.weights import Weights, address_of, fetch, manifest, path_of

CONTENT = bytes(range(256)) * 40


class Handler(BaseHTTPRequestHandler):
    """Gives CONTENT; with /wrong one bit is turned, with /long it does not end soon."""

    def do_GET(self) -> None:
        content = {"/wrong/m.onnx": CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]), "/long/m.onnx": CONTENT * 20, "/good/m.onnx": CONTENT}.get(self.path)
        self.send_response(404 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


@pytest.fixture
def model() -> Weights:
    return Weights(
        name="m", file="m.onnx", size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest(), licence="Apache-2.0", origin="invented", role="day",
        address_setting="SHOUWANG_MODEL_M_URL",
    )


def test_a_model_is_fetched_once(server: str, model: Weights, tmp_path: Path) -> None:
    seen: list[int] = []
    with httpx.Client() as client:
        assert fetch(model, tmp_path / "new", address=f"{server}/good/m.onnx", client=client, report=seen.append)
        assert not fetch(model, tmp_path / "new", address=f"{server}/good/m.onnx", client=client)
    assert (tmp_path / "new" / "m.onnx").read_bytes() == CONTENT
    assert sum(seen) == len(CONTENT)


@pytest.mark.parametrize(("part", "error"), [("wrong", ModelWrong), ("long", ModelUnreachable), ("none", ModelUnreachable)])
def test_what_is_wrong_is_refused_and_leaves_nothing(server: str, model: Weights, tmp_path: Path, part: str, error: type[Exception]) -> None:
    with httpx.Client() as client, pytest.raises(error):
        fetch(model, tmp_path, address=f"{server}/{part}/m.onnx", client=client)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_in_place_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Weights) -> None:
    monkeypatch.setattr(room, "manifest", lambda: {"m": model})
    with pytest.raises(ModelAbsent):
        path_of("m", tmp_path)
    (tmp_path / "m.onnx").write_bytes(CONTENT + b"x")
    with pytest.raises(ModelWrong):
        path_of("m", tmp_path)
    (tmp_path / "m.onnx").write_bytes(CONTENT)
    assert path_of("m", tmp_path).name == "m.onnx"


def test_the_manifest_names_what_lies_in_the_data(models: Path) -> None:
    for each in manifest().values():
        content = (models / each.file).read_bytes()
        assert (each.size, each.sha256, each.licence) == (len(content), hashlib.sha256(content).hexdigest(), "Apache-2.0")


def test_the_address_is_a_setting(model: Weights) -> None:
    assert address_of(model, {}) == ""
    assert address_of(model, {"SHOUWANG_MODELS_URL": "http://mirror/"}) == "http://mirror/m.onnx"
    assert address_of(model, {"SHOUWANG_MODELS_URL": "http://mirror/", "SHOUWANG_MODEL_M_URL": "http://own/x"}) == "http://own/x"


def test_the_command_fetches_all_and_refuses_a_wrong_one(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Weights) -> None:
    monkeypatch.setattr(room, "manifest", lambda: {"m": model})
    good = CliRunner().invoke(app, ["models", "fetch", "--models", str(tmp_path / "a"), "--from", f"{server}/good"])
    assert (good.exit_code, "m.onnx" in good.output) == (0, True)
    wrong = CliRunner().invoke(app, ["models", "fetch", "--models", str(tmp_path / "b"), "--from", f"{server}/wrong"])
    assert (wrong.exit_code, "SHA-256" in wrong.output) == (1, True)
    assert not (tmp_path / "b").exists()


def test_weights_without_an_address_say_which_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOUWANG_MODELS_URL", raising=False)
    answer = CliRunner().invoke(app, ["models", "fetch", "--models", str(tmp_path)])
    assert answer.exit_code == 1
    assert "SHOUWANG_MODEL_LIGHT_PERSON_URL" in answer.output.replace("\n", "")


def test_the_manifest_is_plain_json() -> None:
    assert {each.role for each in msgspec.json.decode(room.MANIFEST.read_bytes(), type=list[Weights])} == {"day", "second"}
