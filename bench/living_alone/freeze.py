"""`python -m bench.living_alone.freeze`: derives the population that ships from the months to fit and to choose, and writes it.

Nothing of a home is in it: two profiles of the hours of the day, the weights of one logistic, and a price for each group.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from bench.living_alone import data_path, groups_of
from bench.living_alone.figures import ASKED, PRICES_H, clocks
from bench.living_alone.model import WARM_UP_H, Months, held_out
from bench.living_alone.reading import read_homes
from bench.living_alone.replay import learn, population_of
from shouwang.detectors.habits.frozen import PATH

SEED = 7


def main() -> int:
    """Write the population and return 0."""
    homes = read_homes(data_path() / "daiad_hourly.parquet", data_path() / "daiad_homes.csv", timezone="Europe/Madrid")
    hours, months = homes.hours_of_week(), Months.of(homes)
    known, new, _, _ = held_out(homes, hours, months=months, seed=SEED, note=lambda text: print(text, file=sys.stderr))
    everybody = np.ones(len(homes.ids), bool)
    population = population_of(homes, hours, np.flatnonzero(everybody), until=months.choose)
    choose = known.window(homes, begin=months.choose, end=months.judge)
    prices = {}
    for name, chosen in groups_of(homes, known, months=months).items():
        curve = clocks(choose, known.chance, chosen)
        prices[name] = {str(asked): round(float(PRICES_H[curve.nearest(asked)]), 1) for asked in ASKED}
    told = {
        "use": np.round(population.use, 4).tolist(), "after_silence": np.round(population.after_silence, 4).tolist(),
        "warm": np.round(learn(known.contexts, known.gaps, homes=everybody, begin=months.fit + WARM_UP_H, end=months.choose), 4).tolist(),
        "cold": np.round(learn(new.contexts, new.gaps, homes=everybody, begin=months.fit, end=months.choose), 4).tolist(), "prices_h": prices,
    }
    told = json.loads(json.dumps(told), parse_float=lambda text: round(float(text), 4))
    PATH.write_text(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
