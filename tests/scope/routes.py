"""Every address of the site, read from the URL configuration, filled with the ids of one county or the other."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import product
from pathlib import Path
from urllib.parse import urlencode

from django.urls import URLPattern, URLResolver, get_resolver

from tests.scope.world import Side, World

ROOT = Path(__file__).parents[2] / "shouwang"
TRIED = 2
"""How many of the other county's ids are tried in each place, by those who try all."""
FORMATS = ("xlsx", "print")
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_ASKED = re.compile(r"""GET(?:\.get)?[(\[]["'](\w+)["']|(?<![\w.])Filter\(["'](\w+)["']""")
_POSTED = re.compile(r"""POST(?:\.get|\.getlist)?[(\[]["'](\w+)["']|post(?:\.get)?[(\[]["'](\w+)["']|cleaned_data\[["'](\w+)["']\]""")
_COMPARED = re.compile(r'what == "(\w+)"')
_LISTED = re.compile(r"what in \{([^}]*)\}")
_NAMED = re.compile(r"what (?:not )?in (_?[A-Z][A-Z_]*)")
_NEUTRAL = frozenset({"format", "q", "page", "sort", "next", "do"})


@dataclass(frozen=True)
class Route:
    """One address: a template, the parameters in it as (name, converter), and the module of its page."""

    template: str
    parameters: tuple[tuple[str, str], ...]
    module: str = ""

    def addresses(self, world: World, *, own: Side, other: Side, tried: int = TRIED) -> list[str]:
        """Return the address with every mixture of own ids and the last `tried` of the other county's."""
        choices = [
            verbs(self.module) if name == "what" else _values(name, converter, world, own=own, other=other, tried=tried)
            for name, converter in self.parameters
        ]
        return sorted({self.fill(each) for each in product(*choices)})

    def fill(self, values: Sequence[str]) -> str:
        """Return the address with these values."""
        rest = iter(values)
        return "/" + _PARAMETER.sub(lambda _: next(rest), self.template)


@cache
def routes() -> tuple[Route, ...]:
    """Return every address of the URL configuration."""
    return tuple(
        Route(template, tuple((name, converter or "str") for converter, name in _PARAMETER.findall(template)), module)
        for template, module in _templates(get_resolver().url_patterns)
    )


def _templates(patterns: Sequence[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, str]]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from _templates(each.url_patterns, prefix + str(each.pattern))
        else:
            yield prefix + str(each.pattern), each.callback.__module__


@cache
def verbs(module: str) -> list[str]:
    """Return what can be done at `<slug:what>` of a page, as its source compares it, and one that cannot. Fails where it compares nothing."""
    page = import_module(module)
    source = inspect.getsource(page)
    found = {*_COMPARED.findall(source), *(each for listed in _LISTED.findall(source) for each in re.findall(r'"(\w+)"', listed))}
    found |= {each for name in _NAMED.findall(source) for each in getattr(page, name)}
    assert found, f"{module} has an address with <slug:what>, and nothing is found in its source that it can be"
    return [*sorted(found), "x"]


def _values(name: str, converter: str, world: World, *, own: Side, other: Side, tried: int) -> list[str]:
    """Return what a parameter may be: one of the own county, some of the other. Fails for one that nobody can fill."""
    if name == "code":
        return [*own.codes[:1], *other.codes[:1], *sorted(set(own.codes[1:]))]
    if name == "token":
        return ["x", own.link.strip("/").rpartition("/")[2]]
    if name.endswith("_id"):
        label = _model_of(name.removesuffix("_id"), {**world.nobodys, **own.ids})
        return [str(pk) for pk in (*own.ids.get(label, ())[:1], *other.ids.get(label, ())[-tried:], *world.nobodys.get(label, ())[:1])]
    return ["1"] if converter == "int" else ["x"]


def _model_of(stem: str, ids: Mapping[str, Sequence[int]]) -> str:
    """Return the kind of thing that `<stem>_id` names: the model of that name, or whose name ends with it."""
    if stem in ids:
        return stem
    named = {label: re.sub(r"(?<!^)(?=[A-Z])", "_", label.rpartition(".")[2]).lower() for label in ids}
    found = [label for label, name in named.items() if name == stem] or [label for label, name in named.items() if name.endswith(f"_{stem}")]
    assert found, f"tests/scope/world.py holds nothing that {stem}_id could name: add a row of it to both counties"
    return found[0]


@cache
def words(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Return the names that the pages' sources ask for with `pattern`."""
    found = {
        name for path in ROOT.rglob("*.py") for groups in pattern.findall(path.read_text("utf-8"))
        for name in ((groups,) if isinstance(groups, str) else groups) if name
    }
    return tuple(sorted(found - _NEUTRAL))


def queries(other: Side, *, thorough: bool) -> list[str]:
    """Return the query strings a page is asked with: as it is, exported, searched, and with every name pointing at the other county."""
    found = ["", *("?" + urlencode({"format": each}) for each in FORMATS), "?" + urlencode({"q": f"{other.tag}雀"})]
    return [*found, *("?" + urlencode(form) for form in _pointing(words(_ASKED), other))] if thorough else found[:2]


def forms(other: Side) -> list[dict[str, str]]:
    """Return what is posted: nothing, and every name that any page reads, pointing at the other county."""
    return [{}, *_pointing(words(_POSTED), other)]


def _pointing(names: Sequence[str], other: Side) -> list[dict[str, str]]:
    """Return every name with what it probably names in the other county, and with the id of a person there."""
    person = str(other.ids["people.Person"][0])
    return [{name: _named(name, other) for name in names}, dict.fromkeys(names, person)]


def _named(name: str, other: Side) -> str:
    if name in {"area", "place"}:
        return f"{other.tag}村"
    for stem in ("task", "case", "household", "person", "report", "activity", "area"):
        if stem in name:
            return str(other.ids[_model_of(stem, other.ids)][0])
    return str(other.ids["places.Area"][0])
