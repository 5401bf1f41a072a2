"""Cases of the DMN conformance kit (TCK): FEEL lines become lines of our language, each rule of a table a policy, and our engine decides.

Only the hit policy of a table (which of the rules that hold gives the output) is reckoned here. What our language cannot say (dates, lists,
text functions, contexts) counts as not expressible, never as passed.
"""

from __future__ import annotations

import re
import tarfile
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from shouwang.eligibility import Judgement
from shouwang.eligibility.checking import checked
from shouwang.eligibility.errors import EligibilityError
from shouwang.eligibility.form import All, AnyOf, Const, Node, Not, rebuilt
from shouwang.eligibility.grammar import parsed
from shouwang.eligibility.library import Entry, Library, Version

DAY = date(2026, 1, 1)
TERNARY = ("0064", "0065", "0066", "0106", "0107")
OPAQUE = object()
NOTHING: dict[str, Any] = {"tck_nodes": None, "ternary_failed": None}
POWER = re.compile(r"(\([^()]*\)|[\d.]+)\s*\*\*\s*(-?\d+|\([^()]*\))")
COMPARED = re.compile(r"^(<=|>=|<|>|!=|=)\s*(.+)$")
SPAN = re.compile(r"^([\[\](])\s*(\S+?)\s*\.\.\s*(\S+?)\s*([\[\])])$")


class NotExpressible(Exception):
    """Our language has no words for this."""


def run(archive: Path, folder: Path) -> dict[str, Any]:
    """Return how many result nodes come out as expected, fail, or cannot be expressed."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "tck", filter="data")
    counts: Counter[str] = Counter()
    ternary, failed = Counter[str](), []
    for cases in sorted((folder / "tck").rglob("*-test-*.xml")):
        model = Model(plain(ET.parse(next(cases.parent.glob("*.dmn"))).getroot()))
        for case in plain(ET.parse(cases).getroot()).iter("testCase"):
            inputs = {each.get("name", ""): given(each) for each in case.findall("inputNode")}
            for node in case.findall("resultNode"):
                outcome = judged(model, node, inputs)
                counts[outcome] += 1
                if cases.parent.name[:4] in TERNARY:
                    ternary[outcome] += 1
                if outcome == "failed":
                    failed.append(f"{cases.parent.name} {case.get('id')} {node.get('name')}")
    return {
        "tck_nodes": counts["passed"], "tck_failed": counts["failed"], "tck_not_expressible": counts["not_expressible"], "tck_in_archive": sum(counts.values()),
        "ternary_nodes": sum(ternary.values()), "ternary_failed": sum(ternary.values()) - ternary["passed"], "tck_failures": failed[:20],
    }


def plain(root: ET.Element) -> ET.Element:
    """Return the tree without namespaces."""
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
    return root


def judged(model: Model, node: ET.Element, inputs: dict[str, Any]) -> str:
    """Return whether a decision comes out as expected."""
    expected = node.find("expected")
    try:
        wanted = given(expected) if expected is not None else None
        if wanted is OPAQUE:
            return "not_expressible"
        got = model.value(node.get("name", ""), inputs)
    except NotExpressible:
        return "not_expressible"
    return "passed" if alike(wanted, got) else "failed"


def alike(wanted: Any, got: Any) -> bool:
    """Return whether two values are the same."""
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(alike, wanted, got))
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(alike(each, got.get(name)) for name, each in wanted.items())
    if isinstance(wanted, bool) or wanted is None or isinstance(wanted, str):
        return wanted == got and type(wanted) is type(got)
    return not isinstance(got, (str, bool, type(None), list, dict)) and abs(wanted - got) <= 1e-8 * max(1.0, abs(wanted))


def given(element: ET.Element) -> Any:
    """Return the value that a case writes: a plain one, a list, or components. Dates and durations are opaque."""
    listed = element.find("list")
    if listed is not None:
        return [given(each) for each in listed.findall("item")]
    parts = element.findall("component")
    if parts:
        return {each.get("name", ""): given(each) for each in parts}
    value = element.find("value")
    if value is None or value.get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true":
        return None
    kind = value.get("{http://www.w3.org/2001/XMLSchema-instance}type", "").rpartition(":")[2]
    text = value.text or ""
    if kind == "boolean":
        return text == "true"
    if kind in {"decimal", "double", "integer", "int"}:
        return float(text)
    if kind in {"string", ""}:
        return text
    return OPAQUE


class Model:
    """The decisions of one DMN file."""

    def __init__(self, root: ET.Element) -> None:
        self.decisions = {each.get("name", ""): each for each in root.findall("decision")}
        self.functions = {each.get("name", ""): each for each in root.findall("businessKnowledgeModel")}
        names = [*self.decisions, *(each.get("name", "") for each in root.findall("inputData"))]
        self.names = {name: f"n{place}" for place, name in enumerate(sorted(names, key=len, reverse=True))}

    def value(self, name: str, inputs: dict[str, Any]) -> Any:
        """Return what a decision or input is."""
        if name in inputs:
            return inputs[name]
        decision = self.decisions.get(name)
        if decision is None:
            return None
        literal, table, relation = (decision.find(each) for each in ("literalExpression", "decisionTable", "relation"))
        if literal is not None:
            return self.line(text_in(literal), inputs)
        if table is not None:
            return self.table(table, inputs)
        if relation is not None:
            columns = [each.get("name", "") for each in relation.findall("column")]
            return [dict(zip(columns, (self.line(text_in(each), inputs) for each in row.findall("literalExpression")), strict=True)) for row in relation.findall("row")]
        raise NotExpressible(name)

    def line(self, text: str, inputs: dict[str, Any]) -> Any:
        """Return what one FEEL line is, as our engine reckons it."""
        wanted = re.fullmatch(r"(some|every)\s+(\w+)\s+in\s+(.+?)\s+satisfies\s+(.+)", text.strip(), re.DOTALL)
        if wanted:
            members = self.value(wanted[3].strip(), inputs)
            return self.over(wanted, members, inputs)
        node = self.node(text)
        return engine({"d": node}, self.facts(inputs, node), None)["d"]

    def over(self, wanted: re.Match[str], members: Any, inputs: dict[str, Any]) -> Any:
        """Return some or every of a list, its items as members."""
        if not isinstance(members, list):
            raise NotExpressible("list")
        inner = self.inlined(wanted[4])
        rows = [each if isinstance(each, dict) else {"it": each} for each in members]
        item = re.sub(rf"\b{wanted[2]}\b(?!\.)", "member.it", re.sub(rf"\b{wanted[2]}\.", "member.", inner))
        node = self.node(f"{'any' if wanted[1] == 'some' else 'all'}({item})")
        return engine({"d": node}, self.facts(inputs, node), rows)["d"]

    def inlined(self, text: str) -> str:
        """Return the line with functions of one expression written out."""
        for name, function in self.functions.items():
            logic = function.find("encapsulatedLogic")
            body = logic.find("literalExpression") if logic is not None else None
            if logic is None or body is None or f"{name}(" not in text:
                continue
            parameters = [each.get("name", "") for each in logic.findall("formalParameter")]

            def written(match: re.Match[str], parameters: list[str] = parameters, body: ET.Element = body) -> str:
                given_ = [each.strip() for each in match[1].split(",")]
                found = text_in(body)
                for parameter, value in zip(parameters, given_, strict=False):
                    found = re.sub(rf"\b{re.escape(parameter)}\b", f"({value})", found)
                return f"({found})"

            text = re.sub(rf"\b{re.escape(name)}\(([^()]*)\)", written, text)
        return text

    def node(self, text: str) -> Node:
        """Return a FEEL line as our internal form. Raises NotExpressible."""
        text = " ".join(self.inlined(text).split())
        for name, short in self.names.items():
            text = re.sub(rf"(?<![\w.\"]){re.escape(name)}(?![\w\"])", short, text)
        for _ in range(4):
            text = POWER.sub(multiplied, text)
        choice = re.fullmatch(r"if (.+?) then (.+?) else (.+)", text)
        if choice:
            text = f"({choice[2]}) if ({choice[1]}) else ({choice[3]})"
        if re.search(r"[=<>!]\s*null|null\s*[=<>!]", text):
            raise NotExpressible(text)
        try:
            return truths_only(parsed(text))
        except EligibilityError as error:
            raise NotExpressible(text) from error

    def facts(self, inputs: dict[str, Any], node: Node) -> dict[str, Any]:
        """Return the facts that a line reads, what other decisions say included."""
        found: dict[str, Any] = {}
        used = repr(node)
        for name, short in self.names.items():
            if not re.search(rf"name='{short}(\.[^']*)?'", used):
                continue
            value = self.value(name, inputs)
            if isinstance(value, dict):
                found |= {f"{short}.{key}": each for key, each in value.items()}
            elif isinstance(value, list) or value is OPAQUE:
                raise NotExpressible(name)
            else:
                found[short] = value
        return found

    def table(self, table: ET.Element, inputs: dict[str, Any]) -> Any:
        """Return the output of a table: each rule is decided by our engine, its hit policy picks among those that hold."""
        columns = [text_in(each.find("inputExpression")) for each in table.findall("input")]
        outputs = table.findall("output")
        rules = table.findall("rule")
        nodes: dict[str, Node] = {}
        for n, rule in enumerate(rules):
            cells = [self.cell(column, text_in(each)) for column, each in zip(columns, rule.findall("inputEntry"), strict=True)]
            nodes[f"r{n}"] = All(tuple(each for each in cells if each is not None)) if any(each is not None for each in cells) else Const(value=True)
        whole = All(tuple(nodes.values()))
        held = engine(nodes, self.facts(inputs, whole), None)
        hits = [[self.line(text_in(each), inputs) for each in rule.findall("outputEntry")] for n, rule in enumerate(rules) if held[f"r{n}"] is True]
        default = [each.find("defaultOutputEntry") for each in outputs]
        if not hits and default and all(each is not None for each in default):
            hits = [[self.line(text_in(each), inputs) for each in default]]
        return picked(table, [shaped(outputs, each) for each in hits], ranks(outputs))

    def cell(self, column: str, text: str) -> Node | None:
        """Return the condition of one cell: -, a value, a comparison, a span, several of these, or not(…)."""
        text = text.strip()
        if text in {"", "-"}:
            return None
        negated = re.fullmatch(r"not\s*\((.*)\)", text)
        if negated:
            inner = self.cell(column, negated[1])
            return Not(inner) if inner is not None else Const(value=False)
        tests = [self.test(column, each) for each in re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text)]
        return tests[0] if len(tests) == 1 else AnyOf(tuple(tests))

    def test(self, column: str, text: str) -> Node:
        """Return one test of a cell."""
        text = text.strip()
        compared, span = COMPARED.match(text), SPAN.match(text)
        if compared:
            return self.node(f"({column}) {compared[1]} ({compared[2]})")
        if span:
            low, high = ">=" if span[1] == "[" else ">", "<=" if span[4] == "]" else "<"
            return self.node(f"({column}) {low} {span[2]} and ({column}) {high} {span[3]}")
        return self.node(f"({column}) = ({text})")


def text_in(element: ET.Element | None) -> str:
    """Return the FEEL text of an element."""
    found = element.find("text") if element is not None else None
    return (found.text or "").strip() if found is not None else ""


def multiplied(match: re.Match[str]) -> str:
    """Return a power with a constant exponent as a product."""
    exponent = engine({"d": parsed(match[2])}, {}, None)["d"]
    if not isinstance(exponent, (int, float)) or not float(exponent).is_integer() or abs(exponent) > 30:
        raise NotExpressible(match[0])
    product = "(" + "*".join([match[1]] * int(abs(exponent))) + ")" if exponent else "1"
    return f"(1/{product})" if exponent < 0 else product


def truths_only(node: Node) -> Node:
    """Return the node with what is not true or false inside and, or, not as null: FEEL takes it for that."""
    node = rebuilt(node, truths_only)
    if isinstance(node, (All, AnyOf, Not)):
        return rebuilt(node, lambda each: Const(None) if isinstance(each, Const) and not isinstance(each.value, bool) else each)
    return node


def engine(nodes: dict[str, Node], facts: dict[str, Any], members: Any) -> dict[str, Any]:
    """Return what our engine makes of a few nodes."""
    try:
        program = checked(Library({}, {}, {name: Entry(name, (Version(node),)) for name, node in nodes.items()}, {})).at(DAY)
        judgement = Judgement(program, facts, members=members)
        return {name: judgement.named(name) for name in nodes}
    except (EligibilityError, TypeError) as error:
        raise NotExpressible(str(error)) from error


def shaped(outputs: list[ET.Element], values: list[Any]) -> Any:
    """Return one output, or several as components."""
    return values[0] if len(outputs) == 1 else dict(zip((each.get("name", "") for each in outputs), values, strict=True))


def ranks(outputs: list[ET.Element]) -> list[list[str]]:
    """Return the listed values of each output, the first of which goes before."""
    return [[part.strip().strip('"') for part in text_in(each.find("outputValues")).split(",")] for each in outputs]


def picked(table: ET.Element, hits: list[Any], order: list[list[str]]) -> Any:
    """Return what the hit policy makes of the rules that hold."""
    policy, aggregation = table.get("hitPolicy", "UNIQUE"), table.get("aggregation")
    if policy in {"OUTPUT ORDER", "PRIORITY"}:
        hits = sorted(hits, key=lambda hit: [place(value, listed) for value, listed in zip(hit.values() if isinstance(hit, dict) else [hit], order, strict=True)])
    if policy == "COLLECT" and aggregation == "COUNT":
        return float(len({repr(each) for each in hits}))
    if policy == "COLLECT" and aggregation:
        return {"SUM": sum, "MIN": min, "MAX": max}[aggregation](hits) if hits else None
    if policy in {"COLLECT", "RULE ORDER", "OUTPUT ORDER"}:
        return hits
    if policy == "UNIQUE" and len(hits) > 1:
        return None
    return hits[0] if hits else None


def place(value: Any, listed: list[str]) -> int:
    """Return where a value stands in a list of values."""
    return listed.index(str(value)) if str(value) in listed else len(listed)
