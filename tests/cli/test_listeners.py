"""The commands of sources say what is wrong before they begin."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shouwang.cli.main import app


@pytest.fixture(autouse=True)
def _same_signals() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def test_a_broker_that_is_not_set_up_is_told(settings: Any) -> None:
    settings.SHOUWANG_SOURCES = {}
    said = CliRunner().invoke(app, ["mqtt-client"])
    assert (1, True) == (said.exit_code, "[sources.mqtt_client] of shouwang.toml is wrong" in said.output)


def test_a_certificate_for_coap_is_told(tmp_path: Path) -> None:
    for name in ("cert", "key"):
        (tmp_path / name).touch()
    said = CliRunner().invoke(app, ["coap", "--cert", str(tmp_path / "cert"), "--key", str(tmp_path / "key")])
    assert (1, True) == (said.exit_code, "DTLS" in said.output)
