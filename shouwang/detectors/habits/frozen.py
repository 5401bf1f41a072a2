"""The population as it ships: usual chances of use, weights and prices, derived by `python -m bench.living_alone.freeze`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.habits.contexts import Population

PATH = Path(__file__).parent / "population.json"


@dataclass(frozen=True)
class Frozen:
    """Weights for known and new homes, and per group and asked false alarms a home-year the price in hours of a needless visit."""

    population: Population
    warm: NDArray[np.float64]
    cold: NDArray[np.float64]
    prices_h: Mapping[str, Mapping[str, float]]


@cache
def frozen() -> Frozen:
    """Return the population that ships."""
    told = json.loads(PATH.read_text())
    population = Population(np.array(told["use"], np.float32), np.array(told["after_silence"], np.float32))
    return Frozen(population, np.array(told["warm"]), np.array(told["cold"]), told["prices_h"])
