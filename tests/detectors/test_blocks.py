"""An hour of all homes in blocks remembers what one home after the other would; the quick chances and clocks are those of the slow ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from shouwang.detectors.habits import block
from shouwang.detectors.habits.chance import chances
from shouwang.detectors.habits.clock import alarm_hours, quick_alarms, silence
from shouwang.detectors.habits.frozen import frozen
from shouwang.detectors.habits.leak import leaked_l
from shouwang.detectors.habits.memory import Memory
from shouwang.detectors.habits.packed import LITRES, UNKNOWN, code_of, ring_bits
from shouwang.detectors.habits.quick import quick_chances, quick_silences

HOMES, HOURS = 60, 24 * 18


def registers(seed: int = 5) -> NDArray[np.float64]:
    """Return hourly registers of homes: some drip, some readings are lost, singly and by the day, and two meters are exchanged."""
    chance = np.random.default_rng(seed)
    hour = np.arange(HOURS)
    often = chance.uniform(0.02, 0.7, (HOMES, 1)) * np.where((hour % 24 > 6) & (hour % 24 < 23), 1, 0.1)
    litres = np.where(chance.random((HOMES, HOURS)) < often, chance.integers(1, 60, (HOMES, HOURS)), 0.0)
    litres[:20] += np.diff(np.floor(np.outer(chance.uniform(0.2, 4, 20), np.arange(HOURS + 1))), axis=1)
    found = 5_000 + np.cumsum(litres, axis=1)
    found[3, 200:] -= 4_000
    found[4, 300:] -= 2
    found[chance.random(found.shape) < 0.03] = np.nan
    found[10:14, 150:175] = found[15, :40] = np.nan
    return found


def passed(shown: NDArray[np.float64], *, by_block: bool) -> tuple[Memory, NDArray[np.bool_]]:
    memory, uses = Memory(HOMES), np.zeros(shown.shape, bool)
    for slot in range(HOURS):
        hours = ((slot + np.arange(37)) % 168).astype(np.int16)
        if by_block:
            used, _ = memory.step(slot, shown[:, slot], hours=hours)
        else:
            used = np.zeros(HOMES, bool)
            memory.turn(slot)
            for home in np.flatnonzero(np.isfinite(shown[:, slot])).tolist():
                one = np.array([home])
                used[one], _ = memory.take(slot, one, shown[one, slot], hour=int(hours[0]))
        memory.mark_used(slot, used)
        uses[:, slot] = used
    return memory, uses


def test_a_block_remembers_what_one_home_after_the_other_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "BLOCK", 7)
    one, many = passed(registers(), by_block=False), passed(registers(), by_block=True)
    assert np.array_equal(one[1], many[1])
    for name, array in one[0].arrays().items():
        assert np.array_equal(array, many[0].arrays()[name], equal_nan=array.dtype.kind == "f"), name


@pytest.fixture(scope="module")
def memory() -> Memory:
    return passed(registers(), by_block=True)[0]


@pytest.mark.parametrize("back_h", [3, 4, 9])
def test_quick_chances_and_clocks_are_the_slow_ones(memory: Memory, back_h: int) -> None:
    slot, ships = HOURS - back_h, frozen()
    hours = ((slot + np.arange(37)) % 168).astype(np.int16)
    contexts = memory.contexts(slot, memory.use_slot <= slot, hours=hours, population=ships.population)
    expected = chances(contexts, ships.warm, cold=ships.cold)
    assert np.abs(expected - quick_chances(contexts)).max() < 1e-4
    prices_h = [400.0, 2_000.0, 13_000.0]
    found, still = quick_alarms(quick_silences(contexts), prices_h=prices_h)
    assert np.abs(silence(expected).T - still).max() < 1e-4
    assert np.array_equal(alarm_hours(expected, prices_h=prices_h), found)


def test_bits_of_a_ring_come_newest_first() -> None:
    ring = np.zeros((2, 24), np.uint8, order="F")
    ring[1, 190 // 8] |= 1 << 190 % 8
    ring[1, 0] |= 1 << 3
    assert np.flatnonzero(ring_bits(ring, np.array([0, 1]), slot=192 + 4, hours=20)[:, 1]).tolist() == [1, 6]


@pytest.mark.parametrize(
    ("hourly", "gone_h", "expected"),
    [
        ([0] * 48, 1, 0.5),  # nothing runs
        ([0, 1] * 24, 1, 1.6),  # half a litre an hour
        ([0, 0, 1] * 16, 1, 1.6),  # a third
        ([0, 0, 0, 1] * 12, 1, 0.5),  # a quarter is dry for three hours
        ([1, 1, 0] * 16, 3, 3.9),  # over a hole of three hours
        ([1, 2] * 24, 1, 2.6),  # one and a half
        ([3] * 48, 1, 4.2),  # three
        ([20] * 48, 2, 48.5),  # twenty, uneven by a fifth
        ([0, 9, 0] * 16, 1, 0.5),  # toilets at night fit no drip
    ],
)
def test_what_a_leak_may_have_shown(hourly: list[float], gone_h: int, expected: float) -> None:
    codes = code_of(np.array(hourly, np.float32))[:, None]
    assert leaked_l(codes, gone_h=np.array([gone_h], np.int32))[0] == pytest.approx(expected, abs=0.1)


def test_hours_that_are_not_known_tell_nothing_of_a_leak() -> None:
    codes = np.append(np.full(20, UNKNOWN, np.uint8), code_of(np.tile([0, 1], 14).astype(np.float32)))[:, None]
    assert leaked_l(codes, gone_h=np.ones(1, np.int32))[0] == pytest.approx(1.57, abs=0.05)
    assert LITRES[UNKNOWN] == 0
