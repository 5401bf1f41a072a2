"""Group commit: what several threads ask for while one commits is done together, in the next transaction."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from shouwang.kernel.errors import ShouwangError

Asked = TypeVar("Asked")
Done = TypeVar("Done")


class GroupCommit(Generic[Asked, Done]):
    """Does things in groups: each caller waits for its own, and one of them does it for all that wait.

    A caller that is alone waits for nobody, but groups begin at least `gap_s` apart: many small commits would cost more time
    than the wait. `do` takes what was asked, oldest first, and returns as many answers, after
    its commit. What `size` says of everything in a group is at most `most`, unless it is one thing alone. When `do` refuses a group
    with a ShouwangError, each thing is done alone, so that nobody pays for another's mistake; another error is everybody's.
    """

    def __init__(
        self, do: Callable[[Sequence[Asked]], Sequence[Done]], *, most: int, size: Callable[[Asked], int] = lambda _: 1, gap_s: float = 0.0,
    ) -> None:
        self._do = do
        self._most = most
        self._size = size
        self._gap_s = gap_s
        self._next_s = 0.0
        self._waiting: deque[_Waiting[Asked, Done]] = deque()
        self._turn = threading.Lock()

    def __call__(self, asked: Asked) -> Done:
        """Return the answer to `asked` once it is committed. Raises what `do` raises for it."""
        mine: _Waiting[Asked, Done] = _Waiting(asked)
        self._waiting.append(mine)
        while not mine.is_done:
            with self._turn:
                if not mine.is_done:
                    time.sleep(max(0.0, self._next_s - time.monotonic()))
                    self._next_s = time.monotonic() + self._gap_s
                    self._do_all(self._next())
        return mine.answer()

    def _next(self) -> list[_Waiting[Asked, Done]]:
        """Take the oldest that wait and fit together; only whoever has the turn does."""
        group = [self._waiting.popleft()]
        size = self._size(group[0].asked)
        while self._waiting and size + self._size(self._waiting[0].asked) <= self._most:
            group.append(self._waiting.popleft())
            size += self._size(group[-1].asked)
        return group

    def _do_all(self, group: Sequence[_Waiting[Asked, Done]]) -> None:
        try:
            done = list(zip(group, self._do([each.asked for each in group]), strict=True))
        except ShouwangError as error:
            if len(group) == 1:
                group[0].end(error)
                return
            for each in group:
                self._do_all([each])
        except BaseException as error:
            for each in group:
                each.end(error)
            if not isinstance(error, Exception):
                raise
        else:
            for each, found in done:
                each.end(None, found)


class _Waiting(Generic[Asked, Done]):
    """What one caller asked for, and its answer once there is one."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.is_done = False
        self._found: list[Done] = []
        self._error: BaseException | None = None

    def end(self, error: BaseException | None, *found: Done) -> None:
        self._error, self._found = error, list(found)
        self.is_done = True

    def answer(self) -> Done:
        if self._error is not None:
            raise self._error
        return self._found[0]
