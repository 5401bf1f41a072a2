"""The hash chain, and the shapes that travel through the journal. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from shouwang.kernel.errors import ShouwangError

Json = Any
GENESIS = bytes(32)


class LogBroken(ShouwangError):
    """The hash chain does not hold at one event."""

    zh = "日志第 {seq} 条的校验值不符：{found}，应为 {expected}；请保留现场并从最近的备份核对。"
    en = "Event {seq} of the log has hash {found}, expected {expected}; keep the evidence and compare with the latest backup."


class LeaseLost(ShouwangError):
    """Another process has taken over the work this one was doing."""

    zh = "租约 {name} 已由他人接管（栅栏号 {fence} 已过期）；本进程停止此项工作。"
    en = "Lease {name} was taken over (fence {fence} is stale); this process stops that work."


@dataclass(frozen=True)
class NewEvent:
    """An event to append. `payload` holds ids and codes, never personal values."""

    kind: str
    subject_id: int | None = None
    payload: Mapping[str, Json] = field(default_factory=dict)
    exercise_id: int | None = None
    version: int = 1


class Event(msgspec.Struct, frozen=True):
    """An event as it stands in the log."""

    seq: int
    at: datetime
    kind: str
    version: int
    subject_id: int | None
    payload: dict[str, Json]
    exercise_id: int | None


@dataclass(frozen=True)
class NewTimer:
    """A timer to set: it replaces the live timer of the same kind and subject."""

    kind: str
    subject_id: int
    due_at: datetime


@dataclass(frozen=True)
class DueTimer:
    """A timer whose moment has come."""

    id: int
    kind: str
    subject_id: int
    due_at: datetime


@dataclass(frozen=True)
class Lease:
    """The right to do one kind of work, until another holds a higher fence."""

    name: str
    owner: str
    fence: int


def best_hash() -> str:
    """Return "sm3" where this Python offers it, else "sha256"."""
    return "sm3" if "sm3" in hashlib.algorithms_available else "sha256"


def chain_hash(
    algorithm: str, previous: bytes, *, seq: int, at_us: int, kind: str, version: int, subject_id: int | None,
    exercise_id: int | None, payload: str,
) -> bytes:
    """Return the 32-byte hash of an event: over the hash before it and every stored column, in MessagePack."""
    columns = (previous, seq, at_us, kind, version, subject_id, exercise_id, payload)
    return hashlib.new(algorithm, msgspec.msgpack.encode(columns)).digest()
