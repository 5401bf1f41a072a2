"""What comes with the software and an installation cannot work without: procedures and the watch of meters."""

from __future__ import annotations

from datetime import datetime

from shouwang.activities.actions import publish_shipped as publish_activities
from shouwang.requests.actions import publish_shipped as publish_requests
from shouwang.systems.drowning.actions import publish_shipped as publish_drowning
from shouwang.systems.living_alone.actions import publish_shipped as publish_living_alone
from shouwang.systems.living_alone.actions import watch_meters


def load_shipped(*, now: datetime) -> None:
    """Publish what is shipped where it is missing or newer; whatever the office has made its own stays. May be run again."""
    for publish in (publish_living_alone, publish_drowning, publish_requests, publish_activities):
        publish(now=now)
    watch_meters(now=now)
