"""G.711: 16-bit samples at 8 kHz as A-law and mu-law bytes, and back (ITU-T G.711, tables 1a to 2b). Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

_ULAW_BIAS = 132
_ULAW_MOST = 32_635
_ALAW_EVEN_BITS = 0x55


def to_alaw(samples: Samples) -> bytes:
    """Return one byte of A-law a sample; even bits are inverted, as the standard transmits them."""
    wide = samples.astype(np.int32)
    is_positive = wide >= 0
    size = np.where(is_positive, wide, ~wide) >> 4
    segment = np.maximum(_bits(size) - 4, 0)
    shifted = size >> np.maximum(segment - 1, 0)
    code = (segment << 4) | (shifted & 0x0F)
    return bytes(((code | np.where(is_positive, 0x80, 0)) ^ _ALAW_EVEN_BITS).astype(np.uint8))


def from_alaw(data: bytes) -> Samples:
    """Return the samples of A-law bytes: the middle of each step."""
    code = np.frombuffer(data, np.uint8).astype(np.int32) ^ _ALAW_EVEN_BITS
    segment, step = (code >> 4) & 7, code & 0x0F
    size = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def to_ulaw(samples: Samples) -> bytes:
    """Return one byte of mu-law a sample, all bits inverted."""
    wide = samples.astype(np.int32)
    size = np.minimum(np.abs(wide), _ULAW_MOST) + _ULAW_BIAS
    segment = _bits(size) - 8
    code = (segment << 4) | ((size >> (segment + 3)) & 0x0F)
    return bytes((~(code | np.where(wide < 0, 0x80, 0)) & 0xFF).astype(np.uint8))


def from_ulaw(data: bytes) -> Samples:
    """Return the samples of mu-law bytes: the middle of each step."""
    code = ~np.frombuffer(data, np.uint8).astype(np.int32) & 0xFF
    size = ((((code & 0x0F) << 3) + _ULAW_BIAS) << ((code >> 4) & 7)) - _ULAW_BIAS
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _bits(size: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return how many binary digits each number has: the exponent of frexp, exact below 2**53."""
    return np.frexp(size.astype(np.float64))[1].astype(np.int32)
