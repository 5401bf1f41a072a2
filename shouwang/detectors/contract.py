"""What every detector takes and returns, and how its state becomes bytes. NumPy only; no Django, clock or chance.

A detector is a module of this package that defines `NAME`, `VERSION`, `PARAMS` (its parameters with their defaults) and
`judge(columns, state, *, now_us, watermark_us, params) -> (state, findings)`. Its promises, tested for each in one suite:

- findings are the same however the rows are split or reordered, as long as every row arrives before the watermark passes it;
- a finding at moment t depends on no row after t;
- no rows and a later watermark are enough to raise what silence means;
- the state survives `dump` and `load`; the state given to `judge` is spent, its arrays may have been written on;
- `drop_streams` leaves nothing of a stream, and `take_streams(state, taken)` goes on with it in another state as if it had
  always been there.

An array of a state has one row a stream, in the order of `stream`, which ascends; those named `pending_…` have one row for
each reading that waits; those in `OF_ALL` are of the whole state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
State = dict[str, NDArray[np.generic]]
Params = Mapping[str, float]

OPEN: Literal["OPEN"] = "OPEN"
UPDATE: Literal["UPDATE"] = "UPDATE"
END: Literal["END"] = "END"
STATE_FORMAT = 1
OF_ALL = frozenset({"judged_us", "late", "next_slot", "memory_slot"})


@dataclass(frozen=True)
class Columns:
    """Readings as three arrays of one length: whose, when (µs since 1970 UTC) and how much."""

    stream: Int64s
    at_us: Int64s
    value: Float64s

    @classmethod
    def empty(cls) -> Columns:
        """Return columns without rows."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64))

    @classmethod
    def of(cls, parts: Sequence[Columns]) -> Columns:
        """Return the rows of all `parts`, in their order."""
        whole = parts or [cls.empty()]
        return cls(
            np.concatenate([part.stream for part in whole]), np.concatenate([part.at_us for part in whole]),
            np.concatenate([part.value for part in whole]),
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.stream)

    def where(self, mask: NDArray[np.bool_] | Int64s) -> Columns:
        """Return the rows that `mask` chooses."""
        return Columns(self.stream[mask], self.at_us[mask], self.value[mask])

    def joined(self, other: Columns) -> Columns:
        """Return these rows followed by the rows of `other`."""
        return Columns(
            np.concatenate((self.stream, other.stream)),
            np.concatenate((self.at_us, other.at_us)),
            np.concatenate((self.value, other.value)),
        )


@dataclass(frozen=True)
class Finding:
    """Something a detector found about one stream.

    `episode_us` is the moment the episode opened: with kind and stream it is the finding's key, the same in OPEN, UPDATE
    and END. `at_us` is the moment this became true, not when it was noticed. `reason_code` and `params` are rendered for
    the reader later.
    """

    kind: str
    stream: int
    episode_us: int
    phase: Literal["OPEN", "UPDATE", "END"]
    severity: int
    at_us: int
    reason_code: str
    params: Mapping[str, float | int] = field(default_factory=dict)


class Judge(Protocol):
    """The one function of a detector."""

    def __call__(
        self, columns: Columns, state: State, *, now_us: int, watermark_us: int, params: Params,
    ) -> tuple[State, list[Finding]]:
        """Return the state after these rows and the findings up to the watermark.

        Returns the very same `state` object when nothing changed.
        """
        ...


def fresh(start_us: int = 0) -> State:
    """Return the state of a detector that judges moments after `start_us`; earlier rows only serve as history."""
    return {"judged_us": np.array([start_us], np.int64)}


class TakeStreams(Protocol):
    """How a detector goes on with streams that another state of it has judged up to the same moment."""

    def __call__(self, state: State, taken: State) -> State:
        """Return `state` with the streams of `taken`, none of which it holds; both states are spent."""
        ...


def streams_of(state: State) -> Int64s:
    """Return every stream that `state` remembers, ascending, those of readings that wait included."""
    none = np.zeros(0, np.int64)
    return np.union1d(state.get("stream", none), state.get("pending_stream", none)).astype(np.int64)


def drop_streams(state: State, streams: Int64s) -> State:
    """Return `state` without these streams; the very same object where it holds none of them."""
    held = streams_of(state)
    return only_streams(state, held[~np.isin(held, streams)]) if np.isin(held, streams).any() else state


def only_streams(state: State, streams: Int64s) -> State:
    """Return `state` with these streams and no others."""
    none = np.zeros(0, np.int64)
    own, waits = (np.isin(state.get(name, none), streams) for name in ("stream", "pending_stream"))
    return {name: array if name in OF_ALL else array[waits if _waits(name) else own] for name, array in state.items()}


def join_streams(state: State, taken: State) -> State:
    """Return `state` with the rows of `taken`, for detectors whose rows mean the same in any state."""
    order = np.argsort(np.concatenate([each["stream"] for each in (state, taken) if "stream" in each] or [np.zeros(0, np.int64)]))
    joined: State = {}
    for name in {**taken, **state}:
        if name in OF_ALL:
            joined[name] = state.get(name, taken.get(name))  # type: ignore[assignment] # one of them has it
            continue
        rows = np.concatenate([each[name] for each in (state, taken) if name in each])
        joined[name] = rows if _waits(name) else rows[order]
    return joined


def _waits(name: str) -> bool:
    return name.startswith("pending_")


def dump(state: State) -> bytes:
    """Return `state` as bytes: MessagePack of raw little-endian arrays."""
    arrays = {name: (array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes()) for name, array in state.items()}
    return msgspec.msgpack.encode((STATE_FORMAT, arrays))


def load(blob: bytes) -> State:
    """Return the state that `dump` made into `blob`. Raises ValueError for another format."""
    number, arrays = msgspec.msgpack.decode(blob, type=tuple[int, dict[str, tuple[str, tuple[int, ...], bytes]]])
    if number != STATE_FORMAT:
        message = f"detector state has format {number}, expected {STATE_FORMAT}; rebuild it by replaying the ingest log"
        raise ValueError(message)
    return {name: np.frombuffer(raw, np.dtype(kind)).reshape(shape) for name, (kind, shape, raw) in arrays.items()}
