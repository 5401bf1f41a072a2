"""Pure words of the watch: its errors, when a tick is due, how findings are cut into transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import MINUTE_US, to_us

MAX_FINDINGS_PER_TRANSACTION = 500
MAX_BATCHES_PER_TICK = 64
TICK_US = MINUTE_US

Subject = TypeVar("Subject")
Found = TypeVar("Found")


class DetectorUnknown(ShouwangError):
    """A watch names a detector that is not installed, or another version of it."""

    zh = "监测 {watch} 使用检测器 {detector} 第 {version} 版，已安装的是 {found}；请升级该监测或安装对应版本。"
    en = "Watch {watch} uses detector {detector} version {version}, installed is {found}; upgrade the watch or install that version."
    status = 409


class ParameterUnknown(ShouwangError):
    """A watch sets a parameter its detector does not have."""

    zh = "监测参数有误：{detail}。"
    en = "The watch's parameters are wrong: {detail}."
    status = 422


@dataclass(frozen=True)
class Tick:
    """A recorded instant of judging: everything of the ingest log up to `upto_seq`, at the moment `at`."""

    id: int
    upto_seq: int
    at: datetime


@dataclass(frozen=True)
class Passed:
    """What one pass did; `leads` is False while another process holds the lease."""

    leads: bool
    ticks: int = 0
    rows: int = 0
    findings: int = 0
    behind: int = 0


def tick_due(last: Tick | None, *, now: datetime, upto_seq: int) -> bool:
    """Return whether to judge again: there are new batches, or the clock has entered another minute."""
    if last is None:
        return True
    return upto_seq > last.upto_seq or to_us(now) // TICK_US > to_us(last.at) // TICK_US


@dataclass(frozen=True)
class Portion(Generic[Subject, Found]):
    """What one transaction stores: findings, and the subjects whose findings are then all told."""

    findings: tuple[Found, ...]
    done: tuple[Subject, ...]


def portions(work: Sequence[tuple[Subject, Sequence[Found]]], *, limit: int) -> Iterator[Portion[Subject, Found]]:
    """Cut the findings of many subjects into transactions of at most `limit`, in order; a subject is done with its last."""
    findings: list[Found] = []
    done: list[Subject] = []
    for subject, found in work:
        rest = list(found)
        while len(findings) + len(rest) > limit:
            room = limit - len(findings)
            findings += rest[:room]
            rest = rest[room:]
            yield Portion(tuple(findings), tuple(done))
            findings, done = [], []
        findings += rest
        done.append(subject)
    if findings or done:
        yield Portion(tuple(findings), tuple(done))
