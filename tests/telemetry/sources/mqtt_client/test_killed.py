"""Killed by signal 9 between commit and PUBACK, the real command loses nothing and stores nothing twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from shouwang.telemetry.models import Observation
from tests.telemetry.sources.mqtt_client.broker import Broker
from tests.telemetry.sources.mqtt_client.line import following, settings_for
from tests.telemetry.sources.mqtt_client.test_follow import reading, token

__all__ = ["token"]
MESSAGES = 40


def database_in_use() -> str:
    """Return the address of the tests' own database."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite://{name}"
    return urlsplit(os.environ["SHOUWANG_DATABASE"])._replace(path=f"/{name}").geturl()


def killed(broker: Broker, token_file: Path, *, sent: int) -> int:
    """Run the command until it kills itself and return how it ended."""
    topics = [{"topic": "meters/{device}/up"}]
    said = {"address": f"mqtt://127.0.0.1:{broker.port}", "token_file": str(token_file), "topics": topics}
    environment = {**os.environ, "SHOUWANG_DATABASE": database_in_use(), "SHOUWANG_SOURCES": json.dumps({"mqtt_client": said})}
    command = [sys.executable, "-m", "tests.telemetry.sources.mqtt_client.dying", str(sent)]
    return subprocess.run(command, env=environment, check=False, timeout=120).returncode


def test_a_kill_between_commit_and_acknowledgement_loses_nothing(token: Path, now: datetime) -> None:
    assert now
    with Broker() as broker:
        for n in range(MESSAGES):
            broker.publish("meters/M1/up", reading(n))
        assert killed(broker, token, sent=0) == -signal.SIGKILL
        assert Observation.objects.count() > 0
        assert broker.acked == []
        assert killed(broker, token, sent=1) == -signal.SIGKILL
        with following(settings_for(broker, token)):
            assert broker.wait(lambda: len(broker.acked) == MESSAGES)
        assert (len(broker.connects), broker.stray) == (3, [])
    assert Observation.objects.count() == MESSAGES
