"""Runs in the peers' environment: reads commands as JSON lines, answers with JSON lines. Knows nothing of the product."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import zen
from openfisca_core.entities import build_entity
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

PERIOD = "2026-01"


class Peers:
    """The three peers with the columns they were given."""

    def load(self, command):
        self.facts, self.asked, self.rules = command["facts"], command["asked"], command["rules"]
        self.sets = [{name: np.load(f"{place}-{name}.npy") for name in self.facts} for place in range(command["sets"])]
        known = [{name: np.load(f"{place}-{name}-known.npy") for name in self.facts} for place in range(command["sets"])]
        self.frames = [
            pl.DataFrame({name: pl.Series(columns[name]).zip_with(pl.Series(masks[name]), pl.Series([None], dtype=pl.Series(columns[name][:1]).dtype).new_from_index(0, len(masks[name]))) for name in self.facts})
            for columns, masks in zip(self.sets, known, strict=True)
        ]
        self.count = len(self.sets[0][self.facts[0]])
        self.system = self.openfisca_system()
        self.expressions = self.polars_expressions()
        self.people = [[{name: columns[name][n].item() for name in self.facts} for n in range(min(command["zen_people"], self.count))] for columns in self.sets]
        self.decision = self.zen_decision()
        return {}

    def openfisca_system(self):
        entity = build_entity("person", "people", "Person", is_person=True)
        system = TaxBenefitSystem([entity])
        types = {"b": bool, "f": float, "i": int}
        for name in self.facts:
            kind = types[self.sets[0][name].dtype.kind]
            system.add_variable(type(name, (Variable,), {"value_type": kind, "entity": entity, "definition_period": DateUnit.MONTH, "__module__": __name__}))
        for name, text in self.rules["numpy"]:
            used = sorted({*self.facts, *(rule for rule, _ in self.rules["numpy"])} & set(words(text)))
            source = "def formula(person, period):\n" + "".join(f"    {each} = person('{each}', period)\n" for each in used) + f"    return {text}\n"
            space = {"np": np}
            exec(source, space)
            system.add_variable(type(name, (Variable,), {
                "value_type": bool, "entity": entity, "definition_period": DateUnit.MONTH, "formula": space["formula"], "__module__": __name__,
            }))
        return system

    def polars_expressions(self):
        space = {name: pl.col(name) for name in self.facts}
        for name, text in self.rules["polars"]:
            space[name] = eval(text, {}, space)
        return [space[name].alias(name) for name in self.asked]

    def zen_decision(self):
        nodes = [
            {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
            {"id": "rules", "type": "expressionNode", "name": "rules", "position": {"x": 0, "y": 0}, "content": {
                "expressions": [{"id": name, "key": name, "value": text} for name, text in self.rules["zen"]],
            }},
            {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}},
        ]
        edges = [{"id": "a", "sourceId": "in", "targetId": "rules", "type": "edge"}, {"id": "b", "sourceId": "rules", "targetId": "out", "type": "edge"}]
        content = zen.ZenDecisionContent(json.dumps({"nodes": nodes, "edges": edges})) if hasattr(zen, "ZenDecisionContent") else json.dumps({"nodes": nodes, "edges": edges})
        return zen.ZenEngine({"loader": lambda _: content})

    def openfisca(self, place):
        simulation = SimulationBuilder().build_default_simulation(self.system, self.count)
        for name in self.facts:
            simulation.set_input(name, PERIOD, self.sets[place][name])
        return {name: simulation.calculate(name, PERIOD) for name in self.asked}

    def polars(self, place):
        found = self.frames[place].lazy().select(self.expressions).collect()
        return {name: found[name] for name in self.asked}

    def zen(self, place):
        return [self.decision.evaluate("rules", person)["result"] for person in self.people[place]]

    def run(self, command):
        work = getattr(self, command["peer"])
        wall, cpu = time.perf_counter(), time.process_time()
        found = work(command["place"])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if command["peer"] == "zen":
            scale = self.count / len(self.people[0])
            wall, cpu = wall * scale, cpu * scale
        if command.get("keep"):
            for name in self.asked:
                np.save(f"{command['peer']}-{name}.npy", self.kept(command["peer"], found, name))
        return {"wall_s": wall, "cpu_s": cpu}

    def kept(self, peer, found, name):
        if peer == "zen":
            return np.array([each[name] for each in found], bool)
        if peer == "polars":
            return found[name].cast(pl.Int8).fill_null(-1).to_numpy()
        return np.asarray(found[name])


def words(text):
    import re

    return re.findall(r"[xr]\d+", text)


def versions(_):
    return {
        "openfisca": f"OpenFisca-Core {importlib.metadata.version('OpenFisca-Core')}, one entity, arrays by set_input, one month, two-valued",
        "zen": f"zen-engine {importlib.metadata.version('zen-engine')}, one expression node, static loader, 2,000 people scaled up, two-valued",
        "polars": f"polars {pl.__version__}, lazy select on a frame with nulls, all threads",
    }


def main():
    peers = Peers()
    for line in sys.stdin:
        command = json.loads(line)
        answer = versions(command) if command["do"] == "versions" else getattr(peers, command["do"])(command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    sys.path = [each for each in sys.path if each != str(Path(__file__).parent)]
    main()
