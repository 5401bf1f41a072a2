"""Readings from a broker that the county already has: a client that subscribes, and acknowledges what is committed."""

from shouwang.telemetry.following import Following
from shouwang.telemetry.sources import settings_of, sources_found
from shouwang.telemetry.sources.mqtt_client.follow import SOURCE, Follower
from shouwang.telemetry.sources.mqtt_client.said import MqttClientSettings

SETTINGS = MqttClientSettings

__all__ = ["SETTINGS", "SOURCE", "Follower", "serve"]


def serve(options: Following) -> None:
    """Follow the broker until told to stop. Raises SourceSettingsInvalid."""
    Follower(options, settings_of(SOURCE, MqttClientSettings), sources_found()[SOURCE].limits).run()
