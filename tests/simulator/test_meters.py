"""The demo's meters: what the seed stored of weeks goes on where the playing process begins."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from shouwang.simulator.meters import HISTORY_H, earlier, history, make_meters

IDS = ["WM00001", "WM00002"]


def test_the_earlier_readings_lead_to_those_that_the_meters_post_themselves(now: datetime) -> None:
    stored = earlier(make_meters(IDS, silent=0, now=now), days=3, now=now, chance=Random(1))
    posted = history(make_meters(IDS, silent=1, now=now), now=now, chance=Random(2))
    for meter in IDS:
        line = [(at, register) for each, at, register in stored if each == meter]
        line += [(datetime.fromisoformat(str(each["phenomenon_time"])), int(str(each["result"]))) for each in posted if each["device"] == meter]
        assert line[0][0] == now - timedelta(hours=HISTORY_H + 72)
        assert {after - before for (before, _), (after, _) in pairwise(line)} == {timedelta(hours=1)}
        used = [after - before for (_, before), (_, after) in pairwise(line)]
        assert min(used) == 0
        assert 0 < max(used) < 200
