"""Tests of publicodes (MIT): its rules become nodes of our internal form, our engine reckons the values and which facts are missing.

A publicodes value may be *not applicable*: each rule becomes a pair, whether it applies and what it is then. Rules without a formula are
facts; a plain value in a situation is given as a fact, a formula takes the rule's place. Texts with places, dates, conversions between units
and questions about definedness (which more knowledge would turn) count as not expressible, never as passed.
"""

from __future__ import annotations

import math
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bench.policy_checks.publicodes_rules import NotExpressible, Rules
from shouwang.eligibility.errors import EligibilityError

NOTHING: dict[str, Any] = {"publicodes_values": None, "missing_lists_failed": None}


def run(archive: Path, folder: Path) -> dict[str, Any]:
    """Return how many values and missing lists come out as expected, fail, or cannot be expressed."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "publicodes", filter="data")
    values, lists = Counter[str](), Counter[str]()
    failures = []
    for path in sorted((folder / "publicodes").rglob("mécanismes/*.yaml")):
        rules = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader) or {}
        for name, example in examples(rules):
            for counts, outcome in checks(rules, name, example, values, lists):
                counts[outcome] += 1
                if outcome == "failed":
                    failures.append(f"{path.stem} {name} {example.get('nom', '')} {'value' if counts is values else 'missing'}")
    return {
        "publicodes_values": values["passed"], "publicodes_values_failed": values["failed"], "publicodes_not_expressible": values["not_expressible"],
        "missing_lists": lists["passed"], "missing_lists_failed": lists["failed"], "missing_lists_not_expressible": lists["not_expressible"], "publicodes_failures": failures[:40],
    }


def examples(rules: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each example with the rule that it is of."""
    for name, rule in rules.items():
        listed = rule.get("exemples", []) if isinstance(rule, dict) else []
        for example in listed if isinstance(listed, list) else [listed]:
            yield name, example


def checks(rules: dict[str, Any], name: str, example: dict[str, Any], values: Counter[str], lists: Counter[str]) -> Iterator[tuple[Counter[str], str]]:
    """Yield the outcome of the value and of the missing list of one example."""
    has_value, has_list = "valeur attendue" in example, "variables manquantes" in example
    try:
        judged = Rules(rules, example.get("situation") or {}, name)
    except (NotExpressible, EligibilityError, RecursionError, TypeError, AttributeError):
        yield from ((counts, "not_expressible") for counts, has in ((values, has_value), (lists, has_list)) if has)
        return
    if has_value:
        yield values, "passed" if alike(example["valeur attendue"], judged.value()) else "failed"
    if has_list:
        yield lists, "passed" if sorted(example["variables manquantes"] or []) == sorted(judged.missing()) else "failed"


def alike(wanted: str, got: Any) -> bool:
    """Return whether a value is the expected one; `got` is "undefined" or "null" where it is not known or does not apply."""
    if isinstance(got, bool) or got in {"undefined", "null"}:
        return wanted == str(got).lower()
    if isinstance(got, str):
        return wanted == got
    try:
        return math.isclose(float(wanted), float(got), abs_tol=0.05, rel_tol=1e-4)
    except ValueError:
        return False
