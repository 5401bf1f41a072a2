"""The one internal form of all conditions and amounts: a tree of a few kinds of node. All back ends read this and nothing else.

A node of the outline carries a `Note`: where it stands in law, why, what proves it. Notes do not take part in equality.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

BOOLEAN, NUMBER, TEXT = "BOOLEAN", "NUMBER", "TEXT"


@dataclass(frozen=True)
class Note:
    """What the outline says about a node besides its condition."""

    text: str = ""
    cite: str = ""
    explain: str = ""
    evidence: tuple[str, ...] = ()
    illustrative: bool = False


EMPTY = Note()


@dataclass(frozen=True)
class Node:
    """One node; `note` is empty inside a line."""

    note: Note = field(default=EMPTY, compare=False, kw_only=True)


@dataclass(frozen=True)
class Const(Node):
    """A value that the text itself gives; None is unknown."""

    value: Any


@dataclass(frozen=True)
class Fact(Node):
    """What is known of the household or person, or of one member of it."""

    name: str
    of_member: bool = False


@dataclass(frozen=True)
class Param(Node):
    """A parameter; `value` stands once the library is taken at a day and an area."""

    name: str
    value: Any = None


@dataclass(frozen=True)
class Ref(Node):
    """Another definition, or the outcome of another policy."""

    name: str


@dataclass(frozen=True)
class AmountOf(Node):
    """The amount of another policy."""

    name: str


@dataclass(frozen=True)
class All(Node):
    """True when every item is."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class AnyOf(Node):
    """True when at least one item is."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Not(Node):
    """True when the item is false."""

    item: Node


@dataclass(frozen=True)
class Compare(Node):
    """`left op right`, op one of < <= > >= == !=."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Among(Node):
    """True when the item is one of the options (constants or one parameter that lists them)."""

    item: Node
    options: tuple[Node, ...]


@dataclass(frozen=True)
class Arith(Node):
    """`left op right`, op one of + - * /."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call(Node):
    """`min`, `max`, `abs`, `round`, `floor` or `ceil` of numbers."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class If(Node):
    """`then` when the test holds, else `other`."""

    test: Node
    then: Node
    other: Node


@dataclass(frozen=True)
class Over(Node):
    """`any`, `all`, `count`, `sum`, `min` or `max` of an item over the members; count without an item counts the members."""

    kind: str
    item: Node | None


PLACES: dict[type[Node], tuple[str, ...]] = {
    Const: (), Fact: (), Param: (), Ref: (), AmountOf: (), All: ("items",), AnyOf: ("items",), Not: ("item",), Compare: ("left", "right"),
    Among: ("item", "options"), Arith: ("left", "right"), Call: ("args",), If: ("test", "then", "other"), Over: ("item",),
}


def parts(node: Node) -> Iterator[Node]:
    """Yield the nodes directly inside a node."""
    for name in PLACES[type(node)]:
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from value
        elif value is not None:
            yield value


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with `change` made to each node directly inside it; itself when nothing changes."""
    new: dict[str, Any] = {}
    for name in PLACES[type(node)]:
        value = getattr(node, name)
        if isinstance(value, Node):
            new[name] = change(value)
        elif isinstance(value, tuple):
            new[name] = tuple(change(item) for item in value)
    return replace(node, **new) if new else node


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything inside it, from the top."""
    yield node
    for part in parts(node):
        yield from walk(part)


def is_outline(node: Node) -> bool:
    """Return whether the node came from the outline and not from inside a line."""
    return bool(node.note.text)


def outline(node: Node) -> Iterator[Node]:
    """Yield the nodes of the outline, from the top."""
    yield node
    if isinstance(node, (All, AnyOf, Not)):
        for part in parts(node):
            if is_outline(part):
                yield from outline(part)
