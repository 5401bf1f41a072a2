"""The self-test of `mqtt`: a listener that acknowledges what it has only received. `python -m bench.mqtt.early PORT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import django

django.setup()

from shouwang.telemetry import listening  # noqa: E402 - after Django
from shouwang.telemetry.writing import Incoming  # noqa: E402

give, stored = listening.Hub.give, listening.Session.stored


def early(hub: listening.Hub, session: listening.Session, messages: Sequence[Incoming]) -> None:
    """Answer, then store."""
    session.write(b"".join(each.ticket[1] for each in messages))
    give(hub, session, [each._replace(ticket=(session, b"")) for each in messages])


def main(port: int) -> None:
    """Listen."""
    from shouwang.journal.clock import clock
    from shouwang.telemetry.sources import mqtt

    hub: Any = listening.Hub
    hub.give = early
    mqtt.serve(listening.Listening("127.0.0.1", port, lambda: clock().now()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
