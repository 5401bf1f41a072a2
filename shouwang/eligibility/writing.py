"""Writes conditions and libraries down again: one node as a line, a whole library as the YAML that reads back as the same library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import yaml

from shouwang.eligibility.form import (
    BOOLEAN,
    NUMBER,
    TEXT,
    All,
    Among,
    AmountOf,
    AnyOf,
    Arith,
    Call,
    Compare,
    Const,
    Fact,
    If,
    Node,
    Not,
    Note,
    Over,
    Param,
    is_outline,
)
from shouwang.eligibility.library import Dated, Entry, FactSpec, Library, Parameter, Terms, Version
from shouwang.eligibility.words import CHINESE

CHOICE, EITHER, BOTH, TURNED, COMPARED, SUM, PRODUCT, UNIT = range(8)
KIND_WORDS = {BOOLEAN: "是否", NUMBER: "数值", TEXT: "文字"}
OVER_WORDS = {"any": "任一", "all": "全部", "count": "人数", "sum": "合计"}


def line_of(node: Node) -> str:
    """Return a node as one line that reads back as the same node."""
    return _line(node, CHOICE)


def _line(node: Node, least: int) -> str:
    text, rank = _ranked(node)
    return text if rank >= least else f"({text})"


def _ranked(node: Node) -> tuple[str, int]:
    """Return the line of a node and how tightly it binds."""
    if isinstance(node, (AnyOf, All)):
        rank, word = (EITHER, " 或 ") if isinstance(node, AnyOf) else (BOTH, " 且 ")
        return word.join(_line(each, rank + 1) for each in node.items), rank if len(node.items) > 1 else UNIT
    if isinstance(node, (Not, If)):
        return _turned(node)
    if isinstance(node, Compare):
        return f"{_line(node.left, SUM)} {node.op} {_line(node.right, SUM)}", COMPARED
    if isinstance(node, Among):
        return f"{_line(node.item, SUM)} 属于 ({', '.join(_line(each, UNIT) for each in node.options)})", COMPARED
    if isinstance(node, Arith):
        rank = SUM if node.op in "+-" else PRODUCT
        return f"{_line(node.left, rank)} {node.op} {_line(node.right, rank + 1)}", rank
    return _unit(node), UNIT


def _turned(node: Not | If) -> tuple[str, int]:
    if isinstance(node, Not):
        return f"非 {_line(node.item, TURNED)}", TURNED
    return f"{_line(node.then, EITHER)} 如果 {_line(node.test, EITHER)} 否则 {_line(node.other, CHOICE)}", CHOICE


def _unit(node: Node) -> str:
    """Return the line of a node that binds by itself."""
    if isinstance(node, Const):
        return constant(node.value)
    if isinstance(node, Fact):
        return f"成员.{node.name}" if node.of_member else node.name
    if isinstance(node, Param):
        return f"参数.{node.name}"
    if isinstance(node, Over):
        return f"{OVER_WORDS[node.kind]}({'成员' if node.item is None else _line(node.item, CHOICE)})"
    if isinstance(node, Call):
        return f"{node.name}({', '.join(_line(each, CHOICE) for each in node.args)})"
    return f"{node.name}.金额" if isinstance(node, AmountOf) else str(getattr(node, "name", ""))


def constant(value: Any) -> str:
    """Return a constant as it is written in a line."""
    if value is None or isinstance(value, bool):
        return {True: "是", False: "否", None: "未知"}[value]
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return repr(value)


def written(library: Library) -> str:
    """Return the YAML of a library; `library_of` reads it back as the same library."""
    data: dict[str, dict[str, Any]] = {"事实": {}, "参数": {}, "定义": {}, "政策": {}}
    data["事实"] = {name: fact_data(each) for name, each in library.facts.items()}
    data["参数"] = {name: parameter_data(each) for name, each in library.parameters.items()}
    data["定义"] = {name: entry_data(each) for name, each in library.definitions.items()}
    data["政策"] = {name: entry_data(each) for name, each in library.policies.items()}
    return yaml.dump({key: each for key, each in data.items() if each}, allow_unicode=True, sort_keys=False, width=150, Dumper=yaml.SafeDumper)


def fact_data(spec: FactSpec) -> dict[str, Any]:
    """Return a fact as plain data."""
    found: dict[str, Any] = {"类型": KIND_WORDS[spec.kind]} if spec.kind else {}
    texts = {"名称": spec.title, "问": spec.question, "单位": spec.unit, "选项": list(spec.choices)}
    found |= {key: value for key, value in texts.items() if value}
    if not spec.mutable:
        found["可变"] = False
    if spec.cost != 1:
        found["代价"] = spec.cost
    found |= {key: value for key, value in (("最小", spec.low), ("最大", spec.high)) if value is not None}
    return {**note_data(spec.note), **found}


def parameter_data(parameter: Parameter) -> dict[str, Any]:
    """Return a parameter as plain data."""
    unit = {"单位": parameter.unit} if parameter.unit else {}
    return {**unit, **note_data(parameter.note), "版本": [dated_data(each) for each in parameter.series]}


def dated_data(one: Dated) -> dict[str, Any]:
    """Return one value of a parameter as plain data."""
    return {**_dates(one), "值": list(one.value) if isinstance(one.value, tuple) else one.value, **note_data(one.note)}


def _dates(one: Dated | Version) -> dict[str, Any]:
    return {key: value for key, value in (("自", one.since), ("至", one.until), ("地区", one.area)) if value is not None}


def note_data(note: Note) -> dict[str, Any]:
    """Return a note as plain data, without its text."""
    found: dict[str, Any] = {key: value for key, value in (("据", note.cite), ("说明", note.explain), ("材料", list(note.evidence))) if value}
    return {**found, "示例": True} if note.illustrative else found


def entry_data(entry: Entry) -> Any:
    """Return a policy or definition as plain data."""
    texts = [version_data(each) for each in entry.versions]
    return texts[0] if len(texts) == 1 else {"版本": texts}


def version_data(version: Version) -> dict[str, Any]:
    """Return one version as plain data."""
    title = {"名称": version.note.text} if version.note.text else {}
    explain = {} if version.note.explain != version.note.text else {"说明": None}
    note = {key: value for key, value in note_data(version.note).items() if key not in explain}
    found = {**title, **_dates(version), **terms_data(version.terms), **note, **condition_keys(version.condition)}
    return found if version.amount is None else {**found, "金额": amount_data(version.amount)}


def terms_data(terms: Terms) -> dict[str, Any]:
    """Return the terms of a policy as plain data, those that say something."""
    plain = Terms()
    values = {each.name: getattr(terms, each.name) for each in fields(Terms)}
    return {CHINESE[name]: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value != getattr(plain, name)}


def condition_keys(node: Node) -> dict[str, Any]:
    """Return a whole condition as keys; one with notes of its own is wrapped so that they stay its own."""
    data = condition_data(node)
    if isinstance(data, Mapping) and note_data(node.note) == {}:
        return dict(data)
    return {"全部": [data]} if isinstance(data, Mapping) else {"条": data}


def condition_data(node: Node) -> Any:
    """Return a condition as plain data: a line, or a mapping with its notes."""
    notes = note_data(node.note)
    if isinstance(node, (All, AnyOf)) and is_outline(node.items[0]):
        return {**notes, "全部" if isinstance(node, All) else "任一": [condition_data(each) for each in node.items]}
    if isinstance(node, Not) and is_outline(node.item):
        return {**notes, "非": condition_data(node.item)}
    line = line_data(node)
    return {"条": line, **notes} if notes else line


def line_data(node: Node) -> Any:
    """Return a line as YAML holds it: its own text, or the bare constant."""
    if isinstance(node, Const) and not isinstance(node.value, str):
        return node.value
    return node.note.text or line_of(node)


def amount_data(node: Node) -> Any:
    """Return an amount as plain data: a line, or steps."""
    if not isinstance(node, If) or is_outline(node):
        notes = note_data(node.note)
        return [{"值": line_data(node), **notes}] if notes else line_data(node)
    steps = []
    while isinstance(node, If) and not is_outline(node):
        data = condition_data(node.test)
        keys = dict(data) if isinstance(data, Mapping) and not note_data(node.test.note) else {"全部": [data]} if isinstance(data, Mapping) else {"条": data}
        steps.append({**keys, "值": line_data(node.then), **note_data(node.then.note)})
        node = node.other
    return [*steps, {"值": line_data(node), **note_data(node.note)}]
