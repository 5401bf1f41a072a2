"""How a person's answer reaches the product: sent until it is acknowledged, then looked up; what is refused is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from bench.simulate.faults import Faults
from bench.simulate.stage import Stage
from shouwang.kernel.errors import ShouwangError

MOST_TRIES = 12
Then = Callable[[ShouwangError | None], None]


@dataclass
class Requests:
    """Sends actions as a phone or a browser does: once more after every answer that did not come."""

    stage: Stage
    faults: Faults
    dice: Random

    def send(self, name: str, action: Callable[[], object], *, then: Then = lambda _: None, tries: int = MOST_TRIES, **about: int | None) -> None:
        """Do `action` until it is answered, and tell `then` of the refusal, or None."""
        refusals: list[ShouwangError | None] = []

        def post() -> None:
            try:
                action()
            except ShouwangError as refusal:
                refusals.append(refusal)
            except Exception as error:  # noqa: BLE001 - whatever else an action raises is a defect
                self.stage.violate("an action answers", found=f"{name}: {type(error).__name__}: {error}"[:300], expected="done or refused", **about)
                refusals.append(ShouwangError(detail="failed"))
            else:
                refusals.append(None)

        answered = self.faults.attempt("web", post) and not self.faults.happens("lost_reply", 0.02)
        if not answered and tries > 1:
            again = timedelta(seconds=self.dice.uniform(20, 900))
            self.stage.after(again, lambda: self.send(name, action, then=then, tries=tries - 1, **about))
            return
        if answered:
            refusal = refusals[0]
            self.stage.log(name, answer=type(refusal).__name__ if refusal else "done", **about)
            self.stage.counts["refusals" if refusal else "answers"] += 1
            then(refusal)
