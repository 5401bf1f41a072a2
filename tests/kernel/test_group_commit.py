"""Group commit: everybody gets the own answer, nothing is done twice, and a mistake is paid for by whoever made it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.group_commit import GroupCommit

THREADS = 8


class Refused(ShouwangError):
    """What is asked for is negative."""

    zh = "{what} 是负数"
    en = "{what} is negative"


class Doing:
    """Doubles numbers, and notes the groups; the first group waits until all others have asked."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.groups.append(list(asked))
        self.go.wait(5)
        if bad := [number for number in asked if number < 0]:
            raise Refused(what=bad[0])
        if 13 in asked:
            raise OSError("the disk is full")
        return [2 * number for number in asked]


def asked_at_once(numbers: Sequence[int], *, most: int = 100) -> tuple[dict[int, object], list[list[int]]]:
    """Ask in a thread each, the first before the others; return each one's answer or error, and the groups."""
    doing = Doing()
    commit = GroupCommit(doing, most=most)
    answers: dict[int, object] = {}

    def ask(number: int) -> None:
        try:
            answers[number] = commit(number)
        except (Refused, OSError) as error:
            answers[number] = type(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    threads[0].start()
    while not doing.groups:
        pass
    for thread in threads[1:]:
        thread.start()
    while len(commit._waiting) < len(numbers) - 1:
        pass
    doing.go.set()
    for thread in threads:
        thread.join(5)
    return answers, doing.groups


def test_what_waits_is_done_together_and_each_gets_the_own_answer() -> None:
    answers, groups = asked_at_once(range(1, THREADS + 1))
    assert answers == {number: 2 * number for number in range(1, THREADS + 1)}
    assert [len(group) for group in groups] == [1, THREADS - 1]


def test_a_group_is_not_larger_than_it_may_be() -> None:
    answers, groups = asked_at_once(range(1, THREADS + 1), most=3)
    assert len(answers) == THREADS
    assert sorted(number for group in groups for number in group) == sorted(answers)
    assert max(map(len, groups)) == 3


def test_nobody_pays_for_anothers_mistake() -> None:
    answers, _ = asked_at_once([1, 2, -3, 4])
    assert answers == {1: 2, 2: 4, -3: Refused, 4: 8}


def test_what_the_database_refuses_is_refused_to_all_and_the_next_may_ask() -> None:
    answers, _ = asked_at_once([1, 2, 13])
    assert answers == {1: 2, 2: OSError, 13: OSError}
    assert GroupCommit(list, most=1)(7) == 7


def test_one_thing_larger_than_a_group_is_done_alone() -> None:
    commit = GroupCommit(lambda asked: [sum(asked)], most=2, size=lambda number: number)
    assert commit(5) == 5


def test_groups_begin_a_gap_apart_and_whoever_is_alone_waits_for_nobody() -> None:
    groups: list[int] = []

    def do(asked: Sequence[int]) -> Sequence[int]:
        groups.append(len(asked))
        return asked

    commit = GroupCommit(do, most=100, gap_s=0.2)
    began_s = time.monotonic()
    commit(0)
    assert time.monotonic() - began_s < 0.1
    threads = [threading.Thread(target=commit, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert groups == [1, THREADS]
    assert time.monotonic() - began_s >= 0.2


def test_an_answer_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        GroupCommit(lambda _: [], most=1)(1)
