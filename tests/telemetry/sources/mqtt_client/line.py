"""A broker with messages of meters, and the client that follows it until all are acknowledged or it gives the connection up."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from shouwang.telemetry.following import Following
from shouwang.telemetry.sources import sources_found
from shouwang.telemetry.sources.mqtt_client import SOURCE, Follower, MqttClientSettings
from shouwang.telemetry.sources.mqtt_client.said import Topic
from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.http.line import Http
from tests.telemetry.sources.mqtt_client.broker import PATIENCE_S, Broker

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
SOON = {"retry_least_s": 0.02, "retry_most_s": 0.05}
TOPICS = (Topic("meters/{device}/up"), Topic("gateway/up"), Topic("radio/#", "wmbusmeters"))


def settings_for(broker: Broker, token_file: Path, **more: object) -> MqttClientSettings:
    return MqttClientSettings(**{"address": f"mqtt://127.0.0.1:{broker.port}", "token_file": str(token_file), "topics": TOPICS, **more})  # type: ignore[arg-type]


@contextmanager
def following(said: MqttClientSettings, **limits: float) -> Iterator[Following]:
    """Follow in a thread until the block is left."""
    options = Following(lambda: NOW, Random(1))
    follower = Follower(options, said, {**sources_found()[SOURCE].limits, **SOON, **limits})
    thread = threading.Thread(target=follower.run)
    thread.start()
    try:
        yield options
    finally:
        options.over.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


class MqttClient:
    def message(self, read: Read) -> bytes:
        return Http().message(read)

    def deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        del device
        with tempfile.TemporaryDirectory() as folder, Broker() as broker:
            path = Path(folder, "token")
            path.write_text(token, "utf-8")
            options = Following(lambda: NOW)
            follower = Follower(options, settings_for(broker, path), sources_found()[SOURCE].limits)
            for each in messages:
                broker.publish("gateway/up", each)
            ended = threading.Event()

            def once() -> None:
                follower.once()
                with broker.changed:
                    ended.set()
                    broker.changed.notify_all()

            thread = threading.Thread(target=once)
            thread.start()
            broker.wait(lambda: len(broker.acked) >= len(messages) or ended.is_set())
            options.over.set()
            thread.join(PATIENCE_S)
            follower.close()
            assert not thread.is_alive()
            return len(broker.acked)

    def names_device(self) -> bool:
        return True


LINE = MqttClient()
