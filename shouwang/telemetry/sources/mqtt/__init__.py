"""Readings over MQTT 3.1.1 from a listener of our own: a broker in front would acknowledge what it has not kept."""

from shouwang.telemetry.listening import Listening, run
from shouwang.telemetry.sources import sources_found
from shouwang.telemetry.sources.mqtt.listen import Client

SOURCE = "mqtt"

__all__ = ["SOURCE", "Client", "serve"]


def serve(options: Listening) -> None:
    """Listen until told to stop."""
    run(options, source=SOURCE, limits=sources_found()[SOURCE].limits, session=Client)
