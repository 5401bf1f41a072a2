"""How figures of a home are kept in one byte: litres by a logarithm, counts in halves, uses of hours as bits.

A week's decay rounds counts up in as many weeks as their fraction says, by the golden ratio: no count sticks, none drifts.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

UNKNOWN = 255
MOST_CODE = 254
MOST_L = 1_000.0
CODES_A_NAT = np.float32(MOST_CODE / np.log(1 + MOST_L))
BIT = np.arange(8, dtype=np.uint8)
GOLDEN = 0.6180339887498949
MOST_COUNT = 240
LITRES = np.append(np.expm1(np.arange(MOST_CODE + 1) / (MOST_CODE / np.log(1 + MOST_L))), 0.0).astype(np.float32)
"""The litres of each code; nothing of the unknown."""


def code_of(litres: Floats) -> Bytes:
    """Return the codes of litres: to 2.8 %, exactly nothing for nothing, at most 1,000 L."""
    shown = np.log(np.minimum(litres, np.float32(MOST_L)) + np.float32(1))
    shown *= CODES_A_NAT
    shown += np.float32(0.5)
    code: Bytes = shown.astype(np.uint8)
    return code


@cache
def _decayed(factor: float) -> NDArray[np.float64]:
    return np.arange(256, dtype=np.float64) * np.float64(factor)


def decay(counts: Bytes, *, factor: float, week: int) -> None:
    """Multiply the counts (home, figure …) by `factor`, in place; what is rounded up depends on the week and the figure alone."""
    for figure, place in enumerate(np.ndindex(counts.shape[1:])):
        part = (GOLDEN * (week + 89 * figure)) % 1.0
        table = np.minimum(np.floor(_decayed(factor) + part), MOST_COUNT).astype(np.uint8)
        column = counts[:, *place]
        column[...] = table[column]


def ring_bits(ring: Bytes, homes: NDArray[np.int64], *, slot: int, hours: int) -> Bytes:
    """Return (hour, home) of rings with a bit for each hour (by its number modulo their size), back from `slot`, newest first."""
    packed = ring.T.take(homes, axis=1)
    bits = ((packed[:, None, :] >> BIT[:, None]) & np.uint8(1)).reshape(-1, len(homes))
    chosen: Bytes = bits[(slot - np.arange(hours)) % len(bits)]
    return chosen
