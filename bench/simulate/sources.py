"""What is sensed: meters that post their registers through the HTTP source, and other systems' alerts.

Whoever posts asks for an answer and posts again until there is one; batches come late, twice, out of order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

import msgspec

from bench.simulate.county import County, Home
from bench.simulate.faults import INGRESS, Faults
from bench.simulate.procedures import WATERLOGGED
from bench.simulate.stage import Stage
from shouwang.alerts import actions as alerts
from shouwang.alerts.rules import FoundFinding
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import local, to_us
from shouwang.people.queries import scope_of_token
from shouwang.systems.living_alone.actions import announce_absence
from shouwang.telemetry.sources import http

POST_EVERY = timedelta(hours=8)
HOURS = 8
EXERCISE = 1


@dataclass
class Spell:
    """Something unusual at a home: no water used, too much, or no readings."""

    kind: str
    start: datetime
    end: datetime
    announced: bool = False


@dataclass
class Meters:
    """The meters of the county and the integration that posts for them."""

    stage: Stage
    faults: Faults
    dice: Random
    county: County
    registers: dict[int, int] = field(default_factory=dict)
    spells: dict[int, list[Spell]] = field(default_factory=dict)
    acknowledged: dict[tuple[int, int], float] = field(default_factory=dict)

    def begin(self) -> None:
        """Throw each meter's spells, then post every few hours."""
        for home in self.county.homes:
            self.registers[home.datastream] = self.dice.randint(10_000, 300_000)
            self.spells[home.datastream] = self._spells(home)
        self.stage.every(POST_EVERY, self._post)

    def _spells(self, home: Home) -> list[Spell]:
        spells, at = [], self.stage.start + timedelta(hours=self.dice.uniform(30, 120))
        while at < self.stage.end - timedelta(hours=40):
            kind = self.dice.choices(("SILENT", "FLOOD", "NO_DATA"), (5, 3, 2))[0]
            hours = self.dice.uniform(50, 70) if kind == "SILENT" else self.dice.uniform(12, 24)
            spell = Spell(kind, at, at + timedelta(hours=hours), announced=kind == "SILENT" and self.dice.random() < 0.15)
            if spell.announced:
                self.stage.after(spell.start - self.stage.true, lambda spell=spell: self._announce(home, spell))  # type: ignore[misc]
            spells.append(spell)
            at = spell.end + timedelta(hours=self.dice.uniform(48, 160))
        return spells

    def _announce(self, home: Home, spell: Spell) -> None:
        until = self.stage.wall() + (spell.end - self.stage.true)
        if not self.faults.attempt("web", lambda: announce_absence(home.household, until=until, by=None, now=self.stage.wall())):
            self.stage.after(timedelta(minutes=5), lambda: self._announce(home, spell))

    def _use(self, home: Home, at: datetime) -> bool:
        """Let a home use water for the hour up to `at`; return whether the meter tells of it."""
        spell = next((each for each in self.spells[home.datastream] if each.start <= at < each.end), None)
        kind = spell.kind if spell else ""
        litres = 0.0 if kind == "SILENT" else 90.0 if kind == "FLOOD" else self.dice.uniform(4, 14) if 6 <= local(at).hour < 22 else 1.0
        self.registers[home.datastream] += round(litres)
        return kind != "NO_DATA"

    def _post(self) -> None:
        readings = []
        for hour in range(HOURS, 0, -1):
            at = self.stage.true.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hour - 1)
            readings += [(home, at, self.registers[home.datastream]) for home in self.county.homes if self._use(home, at)]
        late = timedelta(minutes=self.dice.uniform(0, 15))
        if self.faults.happens("reorder", 0.05):
            self.dice.shuffle(readings)
        if self.faults.happens("delay", 0.04):
            late = timedelta(minutes=self.dice.uniform(20, 80))
        if self.faults.happens("duplicate", 0.04):
            self.stage.after(late + timedelta(minutes=self.dice.uniform(1, 200)), lambda: self._send(readings))
        self.stage.after(late, lambda: self._send(readings))

    def _send(self, readings: Sequence[tuple[Home, datetime, int]]) -> None:
        """Post a batch until it is acknowledged."""
        if self.faults.happens("drop", 0.03):
            self.stage.after(timedelta(minutes=self.dice.uniform(1, 20)), lambda: self._send(readings))
            return
        body = msgspec.json.encode({"readings": [
            {"device": home.meter, "datastream": "register_l", "phenomenon_time": at.isoformat(), "result": value}
            for home, at, value in readings
        ]})
        answered: list[int] = []

        def post() -> None:
            now = self.stage.wall()
            answered.append(http.receive(body, scope_of_token(self.county.token, "INTEGRATION", now), now=now).status)

        if not self.faults.attempt("ingress", post, INGRESS) or self.faults.happens("lost_reply", 0.03):
            self.stage.after(timedelta(minutes=self.dice.uniform(1, 30)), lambda: self._send(readings))
            return
        if answered != [200]:
            self.stage.violate("I1 readings are taken", found=str(answered), expected="[200]")
        for home, at, value in readings:
            self.acknowledged[home.datastream, to_us(at)] = value


@dataclass
class Posted:
    """One alert that another system has posted and been answered."""

    finding: FoundFinding
    at: datetime
    done_at: datetime


@dataclass
class OtherSystems:
    """Systems that post alerts of their own, in bursts: about homes, and about water in the streets."""

    stage: Stage
    faults: Faults
    dice: Random
    county: County
    bursts_per_day: float
    acknowledged: list[Posted] = field(default_factory=list)

    def begin(self) -> None:
        """Post the first burst after a while."""
        self._wait()

    def _wait(self) -> None:
        self.stage.after(timedelta(hours=self.dice.expovariate(self.bursts_per_day) * 24), self._burst)

    def _burst(self) -> None:
        if self.stage.true < self.stage.end:
            town = self.dice.choice(self.county.townships)
            count = self.dice.choices((1, 2, 3, 6), (4, 3, 2, 1))[0]
            findings = [self._finding(town) for _ in range(count)]
            self._send(findings, began=self.stage.true)
            if self.faults.happens("duplicate", 0.06):
                began = self.stage.true
                self.stage.after(timedelta(minutes=self.dice.uniform(1, 90)), lambda: self._send(findings, began=began))
            self._wait()

    def _finding(self, town: int) -> FoundFinding:
        now_us = to_us(self.stage.wall())
        exercise = EXERCISE if self.dice.random() < 0.08 else None
        severity = self.dice.choices((1, 2, 3, 4), (2, 4, 3, 1))[0]
        if self.dice.random() < 0.3:
            here = [area for area in self.county.villages if self.county.paths[area].startswith(self.county.paths[town])]
            return FoundFinding(
                WATERLOGGED, "area", self.dice.choice(here), now_us, "OPEN", severity, now_us, "SIM_WATERLOGGED_OPEN",
                {"depth_cm": self.dice.randint(5, 60)}, exercise_id=exercise,
            )
        home = self.dice.choice(self.county.homes)
        kind = self.dice.choice(("WATER_HIGH_USE", "WATER_LOW_USE"))
        params = {"used_l": 3.0, "window_h": 24, "limit_l": 10}
        return FoundFinding(kind, "datastream", home.datastream, now_us, "OPEN", severity, now_us, f"{kind}_OPEN", params, exercise_id=exercise)

    def _send(self, findings: Sequence[FoundFinding], *, began: datetime) -> None:
        """Post a burst until it is acknowledged; the same burst again opens nothing new."""

        def post() -> None:
            now = self.stage.wall()
            stamped = [replace(finding, at_us=to_us(now)) for finding in findings]
            try:
                alerts.take_findings(stamped, now=now)
            except ShouwangError as error:
                self.stage.violate("I1 alerts are taken", found=repr(error), expected="an answer")

        if not self.faults.attempt("web", post) or self.faults.happens("lost_reply", 0.03):
            self.stage.after(timedelta(minutes=self.dice.uniform(1, 20)), lambda: self._send(findings, began=began))
            return
        self.acknowledged += [Posted(finding, began, self.stage.true) for finding in findings]
