"""The worker with its two writes swapped: a message is recorded as sent and committed, and only then handed to the senders.

Only this process is changed. It is what `shouwang worker` runs in every other respect; a run of the faults must lose
messages with it, or it could not have noticed that the real worker loses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shouwang.cli.app import start_django


def swap() -> None:
    """Replace the leasing of messages by one that records them as sent at once."""
    from shouwang.notify import actions, jobs
    from shouwang.notify.contract import Sent
    from shouwang.notify.rules import Step

    lease_due = jobs._lease

    def record_then_send(due: Sequence[Any], **how: Any) -> list[actions.Leased]:
        leased = lease_due(due, **how)
        results = [actions.Result(each, Sent()) for each in leased if each.step == Step.SEND]
        actions.record_outcomes(results, now=how["now"], lease=how["lease"], traits=how["traits"], pace=how["pace"])
        return leased

    jobs._lease = record_then_send


if __name__ == "__main__":
    start_django()
    swap()
    from shouwang.config.wiring import run_worker

    run_worker()
