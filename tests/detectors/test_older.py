"""States that were stored before their figures were packed go on as they were."""

from __future__ import annotations

import numpy as np
import pytest

from shouwang.detectors.contract import State, dump, load
from shouwang.detectors.habits.memory import SHAPES, UNITS
from shouwang.detectors.habits.older import packed
from shouwang.detectors.habits.packed import LITRES, UNKNOWN
from shouwang.detectors.registry import detectors_found
from tests.detectors.test_contract import HOUR_US, START_US, Life, columns, told

CUT_H, END_H = 20 * 24 + 11, 23 * 24


def life(stream: int, *, stops_after: int) -> Life:
    register, rows = 1000.0, []
    for hour in range(END_H):
        register += 12.0 if hour % 24 in {7, 8, 12, 13, 18, 19, 21} and hour <= stops_after else 0.0
        rows.append((stream, START_US + hour * HOUR_US + 60_000_000 * stream, register))
    return rows


LIVES = [row for stream, stop in ((1, END_H), (2, CUT_H - 3), (3, CUT_H + 20)) for row in life(stream, stops_after=stop)]


def silence_before(state: State) -> State:
    """Return a state of `silence` in the form it had."""
    use_slot = state["use_slot"].astype(np.int64)
    rate = np.where(state["rate_ring"] == UNKNOWN, np.nan, LITRES[state["rate_ring"]]).astype(np.float32)
    slot = int(state["memory_slot"][0])
    litres = np.zeros((len(use_slot), 24), np.float32)
    for each in range(slot - 23, slot + 1):
        litres[:, each % 24] = np.nan_to_num(rate[:, each % 48])
    gone = {"used_ring", "rate_ring", "known_h", "dry_h", "wet_h", "unseen_h", "last_use", "silence_before", "due_h", "again", "open_h"}
    older = {name: array for name, array in state.items() if name not in gone}
    for name, shape in SHAPES.items():
        older[f"learnt_{name}"] = state[f"learnt_{name}"].astype(np.float32) / UNITS[name]
        older[f"week_{name}"] = np.zeros((len(use_slot), *shape), np.float32)
    older |= {name: state[name].astype(np.int64) for name in ("read_slot", "use_slot", "since_slot")}
    older["used_ring"] = np.unpackbits(np.ascontiguousarray(state["used_ring"]), axis=1, bitorder="little").astype(bool)
    due = np.where(state["due_h"] == 255, 1 << 40, use_slot[:, None] + state["due_h"])
    opened = np.where(state["open_h"] != 65_535, (use_slot[:, None] + state["open_h"] + 1) * HOUR_US, 0)
    return older | {
        "rate_ring": rate, "litres_ring": litres, "due": np.append(due, use_slot[:, None] + 24, axis=1),
        "again": state["again"] / 10, "open_us": opened,
    }


def silence_without_leaks(state: State) -> State:
    """Return a state of `silence` in the form it had before it knew since when a home has been dry."""
    return {name: array for name, array in state.items() if name not in {"dry_h", "wet_h", "unseen_h"}}


def high_use_before(state: State) -> State:
    """Return a state of `high_use` in the form it had."""
    older = {name: array for name, array in state.items() if name not in {"known_h", "open_slot"}}
    older |= {name: (state[name] / 10).astype(np.float32) for name in ("ring", "most", "week_most")}
    older |= {name: state[name].astype(np.int64) for name in ("read_slot", "since_slot")}
    return older | {"open_us": np.where(state["open_slot"] >= 0, (state["open_slot"].astype(np.int64) + 1) * HOUR_US, 0)}


def no_data_before(state: State) -> State:
    """Return a state of `no_data` in the form it had: the readings of a window."""
    count = len(state["stream"])
    at_us = np.full((count, 8), 1 << 62, np.int64)
    at_us[:, 0] = state["last_us"]
    older = {name: array for name, array in state.items() if name not in {"last_us", "open_min"}}
    return older | {
        "count": np.ones(count, np.int64), "due_us": state["last_us"], "at_us": at_us, "value": np.zeros((count, 8)),
        "begin": np.zeros((count, 8), np.int16), "WATER_NO_DATA": state["open_min"].astype(np.int64) * 60_000_000,
        "WATER_LOW_USE": np.zeros(count, np.int64), "WATER_HIGH_USE": np.zeros(count, np.int64),
    }


@pytest.mark.parametrize(("name", "before"), [("silence", silence_before), ("silence", silence_without_leaks), ("high_use", high_use_before), ("no_data", no_data_before)])
def test_a_state_of_the_older_form_finds_what_the_packed_one_does(name: str, before) -> None:
    detector = detectors_found()[name]
    cut_us = START_US + CUT_H * HOUR_US
    first, rest = [row for row in LIVES if row[1] <= cut_us], [row for row in LIVES if row[1] > cut_us and row[0] != 2]
    state, _ = told(detector, [(first, cut_us)], {})
    older = load(dump(before(state)))
    later = [(rest, START_US + (END_H + 9) * HOUR_US)]
    expected = told(detector, later, load(dump(state)))[1]
    assert expected or name == "high_use"
    assert expected == told(detector, later, older)[1]


def test_what_was_known_of_silence_is_kept() -> None:
    cut_us = START_US + CUT_H * HOUR_US
    state, _ = told(detectors_found()["silence"], [([row for row in LIVES if row[1] <= cut_us], cut_us)], {})
    for before in (silence_before, silence_without_leaks):
        again = packed(before(state))
        assert set(again) == set(state)
        for name in state:
            assert np.array_equal(again[name], state[name], equal_nan=array_is_float(state[name])), name


def array_is_float(array: np.ndarray) -> bool:
    return array.dtype.kind == "f"


def test_the_detectors_of_homes_hold_at_most_448_bytes_a_meter() -> None:
    held = 0.0
    for name in ("silence", "high_use", "no_data"):
        rows = [(stream, START_US + hour * HOUR_US, 100.0 + hour) for stream in range(400) for hour in range(3)]
        state, _ = detectors_found()[name].judge(
            columns(rows), {}, now_us=START_US + 9 * HOUR_US, watermark_us=START_US + 9 * HOUR_US, params=detectors_found()[name].params,
        )
        held += sum(array.nbytes for array in state.values()) / 400
    assert held <= 448
