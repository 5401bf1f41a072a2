"""Reads the states of silence and high use that were stored before their figures were packed (2.8 kB a home). New states pass as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import State
from shouwang.detectors.habits.leak import DRY_H, LEAK_H, MOST_WET_H
from shouwang.detectors.habits.memory import KINDS, SHAPES, UNITS
from shouwang.detectors.habits.packed import LITRES, MOST_COUNT, UNKNOWN, code_of
from shouwang.detectors.habits.spans import AHEAD_H, RING_H

HOUR_US = 3_600_000_000
NEVER_H, CLOSED = 255, 65_535


def packed(state: State) -> State:
    """Return a state of `silence` as it is kept now; the very same object where it is so already."""
    if "week_hours" in state:
        state = _narrowed(state)
    if "rate_ring" in state and "wet_h" not in state:
        state = {**state, **_running(state)}
    return state


def _running(state: State) -> State:
    """Return since when a home has been dry or not, from its litres of two days; that no use was unseen."""
    read_slot, ring = state["read_slot"].astype(np.int64), state["rate_ring"].astype(np.uint8)
    codes = np.take_along_axis(ring, (read_slot[:, None] - np.arange(LEAK_H)) % LEAK_H, axis=1)
    is_dry: NDArray[np.bool_] = codes == 0
    dry_h = np.where(is_dry.all(axis=1), LEAK_H, (~is_dry).argmax(axis=1))
    runs = is_dry[:, 2:] & is_dry[:, 1:-1] & is_dry[:, :-2]
    return {
        "dry_h": np.minimum(dry_h, DRY_H).astype(np.uint8), "wet_h": np.where(runs.any(axis=1), runs.argmax(axis=1), MOST_WET_H).astype(np.uint8),
        "known_h": (codes != UNKNOWN).sum(axis=1).astype(np.uint8), "unseen_h": np.zeros(len(read_slot), np.uint8),
    }


def _narrowed(state: State) -> State:
    kept = {name: array for name, array in state.items() if not name.startswith(("week_", "learnt_")) and name not in {"litres_ring", "due", "open_us"}}
    for name in SHAPES:
        counts = (state[f"learnt_{name}"].astype(np.float32) + state[f"week_{name}"].astype(np.float32)) * UNITS[name]
        kept[f"learnt_{name}"] = (np.rint(counts).clip(0, MOST_COUNT) if KINDS[name] is np.uint8 else counts).astype(KINDS[name])
    kept |= {name: state[name].astype(np.int32) for name in ("read_slot", "use_slot", "since_slot")}
    kept["used_ring"] = np.packbits(state["used_ring"].astype(bool), axis=1, bitorder="little")
    rate = state["rate_ring"].astype(np.float32)
    kept["rate_ring"] = np.where(np.isfinite(rate), code_of(np.nan_to_num(rate)), UNKNOWN).astype(np.uint8)
    return kept | _last_use(kept, np.minimum(state["litres_ring"].astype(np.float32), LITRES[-2])) | _clocks(state)


def _last_use(kept: State, litres: NDArray[np.float32]) -> State:
    """Return the litres of the last use, 24 hours back at most, and the silence before it from the hours of the last week."""
    use_slot = kept["use_slot"].astype(np.int64)
    bits = np.unpackbits(kept["used_ring"].astype(np.uint8), axis=1, bitorder="little").astype(bool)
    homes, back = np.arange(len(use_slot)), np.arange(1, AHEAD_H + 1)
    earlier = bits[homes[:, None], (use_slot[:, None] - back) % RING_H]
    before = np.where(earlier.any(axis=1), earlier.argmax(axis=1) + 1, AHEAD_H)
    return {"last_use": code_of(litres[homes, use_slot % 24]), "silence_before": np.where(use_slot >= 0, before, 1).astype(np.uint8)}


def _clocks(state: State) -> State:
    use_slot = state["use_slot"].astype(np.int64)
    due_h = state["due"].astype(np.int64) - use_slot[:, None]
    open_us = state["open_us"].astype(np.int64)
    again = np.nan_to_num(state["again"].astype(np.float64))
    return {
        "due_h": np.where((due_h[:, :2] >= 0) & (due_h[:, :2] < NEVER_H), due_h[:, :2], NEVER_H).astype(np.uint8),
        "again": np.rint(again * 10).astype(np.uint16),
        "open_h": np.where(open_us > 0, np.clip(open_us // HOUR_US - 1 - use_slot[:, None], 0, CLOSED - 1), CLOSED).astype(np.uint16),
    }


assert RING_H % 8 == 0
assert LEAK_H >= 2 * 24
