"""What a process outside the installation writes down: JSON lines, on the disk before anything depends on them."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

ACKED, REQUESTS, TOLD, OPEN, KILLS = "acked", "requests", "told", "open", "kills"
GATEWAYS = KEYED, UNKEYED = "keyed", "unkeyed"
TAIL_BYTES = 16_384


class Record:
    """One file of JSON lines that the threads of one process append to."""

    def __init__(self, folder: Path, name: str, *, durable: bool = False) -> None:
        self._lock = threading.Lock()
        self._durable = durable
        self._file = os.open(path_of(folder, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, **row: Any) -> None:
        """Append one row; a durable record has it on the disk when this returns."""
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            os.write(self._file, line)
        if self._durable:
            os.fsync(self._file)


def path_of(folder: Path, name: str) -> Path:
    """Return the file of the record `name`; several processes may append to one."""
    return folder / f"{name}.jsonl"


def newest(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the last whole rows of a record, about TAIL_BYTES of them."""
    path = path_of(folder, name)
    if not path.exists():
        return []
    with path.open("rb") as file:
        begin = max(0, path.stat().st_size - TAIL_BYTES)
        file.seek(begin)
        lines = file.read().split(b"\n")
    return [json.loads(line) for line in lines[1 if begin else 0 : -1]]


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a record, none when nobody has begun it."""
    path = path_of(folder, name)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


class Tail:
    """Follows a record that another process writes."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = path_of(folder, name)
        self._read = 0

    def new_rows(self) -> list[dict[str, Any]]:
        """Return the rows that have come since the last call."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.splitlines()]


class Progress:
    """Counts how many things have been acknowledged so far: each alert, each batch of readings, each act of a person."""

    def __init__(self, folder: Path) -> None:
        self._tail = Tail(folder, ACKED)
        self._acked = 0

    def acked(self) -> int:
        """Return the count; the gateway's reports are not counted."""
        counts = {"alerts": lambda row: len(row["ids"]), "reports": lambda _: 0}
        self._acked += sum(counts.get(row["what"], lambda _: 1)(row) for row in self._tail.new_rows())
        return self._acked


class Backlog:
    """Counts how many posted alerts the slower of the two gateways has not told yet."""

    def __init__(self, folder: Path, *, streams: Collection[int]) -> None:
        self._tail = Tail(folder, TOLD)
        self._streams = frozenset(streams)
        self._posted = 0
        self._told: Counter[str] = Counter()

    def post(self, count: int) -> None:
        """Count alerts that are about to be posted."""
        self._posted += count

    def waiting(self) -> int:
        """Return how many have been posted and not told."""
        for row in self._tail.new_rows():
            first = not row["again"] and row["template"] != "TASK_ESCALATED"
            if first and (row["count"] > 1 or row["params"].get("datastream") in self._streams):
                self._told[row["gateway"]] += row["count"]
        return self._posted - min(self._told[gateway] for gateway in GATEWAYS)
