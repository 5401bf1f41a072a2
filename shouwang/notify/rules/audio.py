"""Sound as 16-bit mono samples at 8 kHz: read from and written as WAV, trimmed, levelled, measured. Pure."""

from __future__ import annotations

import io
import wave

import numpy as np

from shouwang.notify.rules.errors import AudioInvalid
from shouwang.notify.rules.g711 import Samples

RATE_HZ = 8_000
LONGEST_S = 30.0
FULL = 32_767
PEAK = 0.9
SILENT = 0.02
_KEPT_S = 0.03


def read_wav(data: bytes) -> Samples:
    """Return the samples of a 16-bit WAV, mixed to mono and brought to 8 kHz; at most LONGEST_S. Raises AudioInvalid."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            if width != 2 or not 4_000 <= rate <= 96_000 or channels not in (1, 2):
                raise AudioInvalid(found=f"{8 * width} bit, {rate} Hz, {channels}")
            frames = file.readframes(int(rate * LONGEST_S))
    except (wave.Error, EOFError) as error:
        raise AudioInvalid(found=type(error).__name__) from None
    whole = frames[: len(frames) // (2 * channels) * 2 * channels]
    return resampled(np.frombuffer(whole, "<i2").reshape(-1, channels).mean(axis=1), rate)


def write_wav(samples: Samples) -> bytes:
    """Return the samples as a WAV file."""
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
    return kept.getvalue()


def resampled(samples: np.ndarray, rate_hz: int) -> Samples:
    """Return samples of another rate at 8 kHz: what lies above 4 kHz is taken out first, else it would come back as noise."""
    count = round(len(samples) * RATE_HZ / rate_hz)
    if rate_hz == RATE_HZ or count == 0:
        return _whole(samples[: max(count, 0)])
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(count // 2 + 1, complex)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return _whole(np.fft.irfft(kept, count) * (count / len(samples)))


def trimmed(samples: Samples) -> Samples:
    """Return the samples without the silence before and after them."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > SILENT * FULL)
    if not len(loud):
        return samples[:0]
    margin = int(_KEPT_S * RATE_HZ)
    return samples[max(0, loud[0] - margin) : loud[-1] + 1 + margin]


def levelled(samples: Samples) -> Samples:
    """Return the samples as loud as they can be without being cut."""
    peak = int(np.abs(samples.astype(np.int32)).max(initial=0))
    return samples if peak == 0 else _whole(samples * (PEAK * FULL / peak))


def at_loudness(samples: Samples, percent: int) -> Samples:
    """Return the samples at `percent` of their amplitude."""
    return samples if percent >= 100 else _whole(samples * (max(percent, 0) / 100))


def seconds_of(samples: Samples) -> float:
    """Return how long the samples take to play."""
    return len(samples) / RATE_HZ


def loudness_of(samples: Samples) -> float:
    """Return the root mean square of the samples as a share of full scale, 0 for none."""
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))) / FULL) if len(samples) else 0.0


def tone(hertz: float, seconds: float, *, share: float) -> Samples:
    """Return a soft tone of `share` of full scale that swells and fades, so that it does not click."""
    at_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return _whole(np.sin(2 * np.pi * hertz * at_s) * np.sin(np.pi * at_s / seconds) ** 2 * (share * FULL))


def _whole(samples: np.ndarray) -> Samples:
    return np.clip(np.round(samples), -FULL, FULL).astype(np.int16)
