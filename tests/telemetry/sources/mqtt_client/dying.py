"""The command `shouwang mqtt-client`, killed by signal 9 between a commit and its PUBACKs: `python -m …dying HOW_MANY_TO_SEND`."""

from __future__ import annotations

import os
import signal
import sys

from shouwang.cli.app import start_django
from shouwang.cli.main import app


def main(sent: int) -> None:
    """Run it; it sends `sent` PUBACKs of the first group that is committed."""
    start_django()
    from shouwang.telemetry.sources.mqtt_client.follow import Link, Ticket  # noqa: PLC0415 - needs Django started

    acknowledge = Link.acknowledge

    def die(link: Link, tickets: list[Ticket]) -> None:
        if tickets:
            acknowledge(link, tickets[:sent])
            os.kill(os.getpid(), signal.SIGKILL)

    Link.acknowledge = die  # type: ignore[method-assign]
    app(["mqtt-client"])


if __name__ == "__main__":
    main(int(sys.argv[1]))
