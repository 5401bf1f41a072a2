"""What every detector takes and returns, and how its state becomes bytes. NumPy only; no Django, clock or chance.

A detector is a module of this package that defines `NAME`, `VERSION`, `PARAMS` (its parameters with their defaults) and
`judge(columns, state, *, now_us, watermark_us, params) -> (state, findings)`. Its promises, tested for each in one suite:

- findings are the same however the rows are split or reordered, as long as every row arrives before the watermark passes it;
- a finding at moment t depends on no row after t;
- no rows and a later watermark are enough to raise what silence means;
- the state survives `dump` and `load`; judging never changes the state it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
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
