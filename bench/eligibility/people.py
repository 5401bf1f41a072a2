"""Invented people: one array a fact, correlated as households are (age, schooling, income, disability, parents), of one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shouwang.eligibility import Library
from shouwang.eligibility.bulk import Column, Table

TWELVE = (1, 4, 6, 7, 11, 12, 15, 16, 17, 21, 26, 29)


@dataclass(frozen=True)
class Kind:
    """What sort of population: `poor` is the share of households far below the line, `old` of people over 60, `rural` of villages."""

    poor: float = 0.10
    old: float = 0.24
    rural: float = 0.55
    local: float = 0.93
    ill: float = 0.05


USUAL, SHIFTED = Kind(), Kind(poor=0.22, old=0.38, rural=0.8, local=0.85, ill=0.1)


def people(library: Library, count: int, *, seed: int, unknown: float = 0.0, kind: Kind = USUAL) -> Table:
    """Return `count` people with every fact of the library; `unknown` is the share of each fact that nobody has asked."""
    chance = np.random.default_rng(seed)
    drawn = Drawn(chance, count, kind)
    columns = {}
    for name, spec in library.facts.items():
        values = drawn.values(name)
        categories = tuple(str(each) for each in spec.choices) if spec.kind == "TEXT" else None
        known = chance.random(count, np.float32) >= unknown if unknown else None
        columns[name] = Column(values, known, categories=categories)
    drawn.end(set(library.facts))
    return Table(count, columns)


class Drawn:
    """The facts of one population, drawn once."""

    def __init__(self, chance: np.random.Generator, count: int, kind: Kind) -> None:
        self.chance, self.count = chance, count
        old = self.share(kind.old)
        self.age = np.where(old, chance.integers(60, 100, count), chance.integers(0, 60, count)).astype(np.int16)
        poor, near = self.share(kind.poor), self.share(0.2)
        income = np.where(poor, chance.gamma(4, 170, count), np.where(near, chance.gamma(9, 150, count), chance.gamma(6, 500, count)))
        self.income = np.round(income).astype(np.float32)
        self.level = np.where(self.share(0.08 + 0.1 * kind.old), chance.integers(1, 5, count), 0).astype(np.int8)
        self.ill, self.rural, self.kind = self.share(kind.ill), self.share(kind.rural), kind
        self.facts = self._facts()

    def share(self, chance: float) -> np.ndarray:
        return self.chance.random(self.count, np.float32) < chance

    def pick(self, shares: list[float]) -> np.ndarray:
        edges = np.cumsum(shares)[:-1] / np.sum(shares)
        return np.searchsorted(edges, self.chance.random(self.count)).astype(np.int8)

    def values(self, name: str) -> np.ndarray:
        return self.facts.pop(name)

    def end(self, names: set[str]) -> None:
        """Nothing may be drawn that no fact uses."""
        assert not self.facts, sorted(set(self.facts) - names)

    def _facts(self) -> dict[str, np.ndarray]:
        chance, count, age = self.chance, self.count, self.age
        yearly = (self.income * 12 * chance.integers(1, 5, count)).astype(np.float32)
        workless = self.share(0.12) & (age >= 16) & (age < 60)
        child = age < 18
        loss = child & self.share(0.03)
        parents = [np.where(loss, self.pick([2, 5, 1, 1, 1, 1, 1, 0.5, 0.2, 1, 0.2, 0.1]), np.where(child, self.pick([90, 3, 0.5, 1, 1, 1, 0.7, 0.3, 0.1, 1.5, 0.2, 0.1]), self.pick([60, 38, 0, 1, 1] + [0] * 7))) for _ in range(2)]
        school = np.select([age < 3, age < 6, age < 15, age < 18, age < 23], [0, 1, 2, 3 + self.share(0.4), np.where(self.share(0.5), 5, 0)], 0)
        return {
            "年龄": age, "性别": self.pick([1, 1]), "本地户籍": self.share(self.kind.local), "常住本地": self.share(0.9), "居住地": self.rural.astype(np.int8),
            "身故": self.share(0.004), "人均月收入": self.income, "财产符合规定": self.share(0.75) | (self.income < 700),
            "年刚性支出": (np.floor(yearly * np.where(self.ill, chance.gamma(3, 0.3, count), chance.gamma(2, 0.12, count))) + 0.5).astype(np.float32),
            "家庭年总收入": yearly, "必需支出骤增": self.share(0.02), "突发急难": self.share(0.01), "基本生活陷困": self.share(0.03), "生活无着": self.share(0.001),
            "残疾等级": self.level, "残疾类别": np.where(self.level > 0, 1 + self.pick([1, 1, 0.3, 4, 1, 1, 0.3]), 0).astype(np.int8), "孤独症": self.share(0.003),
            "需长期照护": (self.level == 1) | self.share(0.03), "自理失能项数": np.where(self.share(0.05), chance.integers(1, 7, count), 0).astype(np.int8),
            "评估失能等级": np.where(self.share(0.06), chance.integers(1, 4, count), 0).astype(np.int8), "重特大疾病": self.ill,
            "年自付医疗费": np.round(np.where(self.ill, chance.gamma(2, 9000, count), chance.gamma(1, 700, count))).astype(np.float32),
            "急重危伤": self.share(0.002), "身份不明": self.share(0.0005), "无力支付": self.share(0.01),
            "义务人情况": np.where(child, self.pick([0.01, 0.02, 0.97]), self.pick([0.05, 0.06, 0.89])).astype(np.int8),
            "父亲状况": parents[0].astype(np.int8), "母亲状况": parents[1].astype(np.int8), "独生子女光荣证": self.share(0.2), "子女伤残或死亡": self.share(0.01),
            "单亲抚养未成年人": self.share(0.03), "学段": school.astype(np.int8), "人均住房面积": chance.gamma(9, 4, count).astype(np.float32),
            "房屋等级": self.pick([60, 25, 9, 4, 2]), "已享危房改造": self.share(0.1), "登记失业": workless,
            "失业月数": np.where(workless, chance.integers(0, 30, count), 0).astype(np.int16), "零就业家庭": self.share(0.03), "失去土地": self.share(0.04) & self.rural,
            "签合同并缴社保": self.share(0.4), "已享补贴月数": chance.integers(0, 50, count).astype(np.int16), "距退休月数": np.maximum(0, (60 - age) * 12).astype(np.int16),
            "失业保险缴费年数": chance.integers(0, 20, count).astype(np.int16), "非自愿失业": self.share(0.5), "原低保户就业增收": self.share(0.01),
            "增收月数": chance.integers(0, 12, count).astype(np.int16), "受灾": self.share(0.02), "冬春口粮困难": self.share(0.03), "住房因灾倒损": self.share(0.003),
            "民主评议通过": self.share(0.5), "法律援助事项": self.share(0.02), "见义勇为": self.share(0.0005), "农村籍退役士兵": self.share(0.02) & self.rural,
            "重点优抚对象": self.share(0.01), "返贫监测对象": self.share(0.015), "慈善项目相符": self.share(0.01),
        }


def records(table: Table, rows: np.ndarray) -> list[dict[str, object]]:
    """Return a few rows as the facts that the interpreter takes; what is not known is left out."""
    columns = {name: (each.values[rows].tolist(), None if each.known is None else each.known[rows].tolist(), each.categories) for name, each in table.columns.items()}
    return [
        {name: (kinds[values[n]] if kinds else values[n]) for name, (values, known, kinds) in columns.items() if known is None or known[n]}
        for n in range(len(rows))
    ]
