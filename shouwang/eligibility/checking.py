"""Settles what each name of a library means, in which order things are decided, and of which kind each fact is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from shouwang.eligibility.errors import KindClash, NameCircle, NameClash, OutlineInvalid
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
    Over,
    Param,
    Ref,
    parts,
    rebuilt,
    walk,
)
from shouwang.eligibility.library import Entry, Library, Version

SHOWN = {BOOLEAN: "是否 (bool)", NUMBER: "数值 (number)", TEXT: "文字 (text)"}


def checked(library: Library) -> Library:
    """Return the library with every name settled. Raises NameClash, OutlineInvalid, NameCircle, KindClash."""
    unique(library)
    named = replace(
        library, definitions={name: _named(each, library) for name, each in library.definitions.items()},
        policies={name: _named(each, library) for name, each in library.policies.items()},
    )
    kinds = Kinds(named)
    kinds.learn()
    return replace(named, order=tuple(in_order(named)), kinds=kinds.facts, member_kinds=kinds.of_members)


def members_inside(node: Node, where: str, *, inside: bool = False) -> None:
    """Raise OutlineInvalid for a fact of a member outside any(…), count(…) and the like, or for one of these inside another."""
    if (isinstance(node, Fact) and node.of_member and not inside) or (isinstance(node, Over) and inside):
        raise OutlineInvalid(
            where=where, found_zh="成员的事实不在任一(…)等之内，或任一(…)等套在一起", found_en="a member's fact outside any(…), or any(…) inside another",
            expected_zh="任一(成员.年龄 < 18) 这样的写法", expected_en="something like any(member.age < 18)",
        )
    for part in parts(node):
        members_inside(part, where, inside=inside or isinstance(node, Over))


def unique(library: Library) -> None:
    """Raise NameClash when a definition, a policy and a declared fact or parameter share a name."""
    seen: dict[str, str] = {}
    sections = (("定义 definition", library.definitions), ("政策 policy", library.policies), ("事实 fact", library.facts))
    for title, section in sections:
        for name in section:
            if name in seen:
                raise NameClash(name=name, first=seen[name], second=title)
            seen[name] = title


def _named(entry: Entry, library: Library) -> Entry:
    return replace(entry, versions=tuple(_version(each, library, entry.name) for each in entry.versions))


def _version(version: Version, library: Library, name: str) -> Version:
    for listed in (version.terms.excludes, version.terms.tops_up, version.terms.yields_to):
        for other in listed:
            if other not in library.policies or other == name:
                raise OutlineInvalid(where=name, found_zh=f"没有政策“{other}”", found_en=f"there is no policy “{other}”", expected_zh="另一项政策的名称", expected_en="the name of another policy")
    for node in (version.condition, *([version.amount] if version.amount is not None else [])):
        members_inside(node, name)
    amount = settled(version.amount, library, name) if version.amount is not None else None
    return replace(version, condition=settled(version.condition, library, name), amount=amount)


def settled(node: Node, library: Library, where: str) -> Node:
    """Return the node with each plain name as what it means: a definition, a policy, a declared fact, a parameter, else a fact."""
    if isinstance(node, Fact) and not node.of_member:
        if node.name in library.definitions or node.name in library.policies:
            return Ref(node.name, note=node.note)
        if node.name not in library.facts and node.name in library.parameters:
            return Param(node.name, note=node.note)
        return node
    if isinstance(node, Param) and node.name not in library.parameters:
        raise OutlineInvalid(
            where=where, found_zh=f"没有参数“{node.name}”", found_en=f"there is no parameter “{node.name}”",
            expected_zh="、".join(library.parameters) or "先写下参数", expected_en=", ".join(library.parameters) or "a parameter that is written down",
        )
    if isinstance(node, AmountOf) and node.name not in library.policies:
        return Fact(f"{node.name}.amount", note=node.note)
    return rebuilt(node, lambda each: settled(each, library, where))


def roots(entry: Entry) -> Iterator[Node]:
    """Yield the conditions and amounts of all versions."""
    for version in entry.versions:
        yield version.condition
        if version.amount is not None:
            yield version.amount


def in_order(library: Library) -> Iterator[str]:
    """Yield definitions and policies so that each refers only to earlier ones. Raises NameCircle."""
    entries = {**library.definitions, **library.policies}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> Iterator[str]:
        if name in path:
            raise NameCircle(path=" → ".join((*path[path.index(name):], name)))
        if name in done:
            return
        for root in roots(entries[name]):
            for each in walk(root):
                if isinstance(each, (Ref, AmountOf)):
                    yield from visit(each.name, (*path, name))
        done.add(name)
        yield name

    for name in entries:
        yield from visit(name, ())


@dataclass
class Kinds:
    """Learns of which kind each fact is from how it is used."""

    library: Library
    facts: dict[str, str | None] = field(default_factory=dict)
    of_members: dict[str, str | None] = field(default_factory=dict)

    def learn(self) -> None:
        """Go over everything twice: what is learnt late may settle what came early."""
        self.facts = {name: each.kind for name, each in self.library.facts.items()}
        for _ in range(2):
            for entry in self.library.definitions.values():
                for version in entry.versions:
                    self.visit(version.condition)
            for entry in self.library.policies.values():
                for version in entry.versions:
                    self.need(version.condition, BOOLEAN)
                    if version.amount is not None:
                        self.need(version.amount, NUMBER)

    def kind(self, node: Node, depth: int = 0) -> str | None:
        """Return the kind of a node, None while nobody knows."""
        if isinstance(node, (Const, Param)):
            return self.kind_of_values(node)
        if isinstance(node, Fact):
            return (self.of_members if node.of_member else self.facts).get(node.name)
        if isinstance(node, Ref):
            versions = self.library.definitions[node.name].versions if node.name in self.library.definitions else ()
            return self.kind(versions[0].condition, depth + 1) if versions and depth < 40 else BOOLEAN
        if isinstance(node, If):
            return self.kind(node.then, depth) or self.kind(node.other, depth)
        if isinstance(node, Over):
            return BOOLEAN if node.kind in {"any", "all"} else NUMBER
        return BOOLEAN if isinstance(node, (All, AnyOf, Not, Compare, Among)) else NUMBER

    def kind_of_values(self, node: Const | Param) -> str | None:
        """Return the kind of what a constant or parameter holds."""
        values = [node.value] if isinstance(node, Const) else [each.value for each in self.library.parameters[node.name].series]
        values = [item for each in values for item in (each if isinstance(each, tuple) else (each,))]
        kinds = {BOOLEAN if isinstance(each, bool) else TEXT if isinstance(each, str) else NUMBER for each in values if each is not None}
        if len(kinds) > 1:
            raise KindClash(name=getattr(node, "name", "值"), first=SHOWN[min(kinds)], second=SHOWN[max(kinds)])
        return kinds.pop() if kinds else None

    def need(self, node: Node, kind: str) -> None:
        """Note that a node must be of a kind. Raises KindClash."""
        if isinstance(node, Fact):
            known = self.of_members if node.of_member else self.facts
            if known.setdefault(node.name, kind) is None:
                known[node.name] = kind
        if isinstance(node, If):
            self.need(node.then, kind)
            self.need(node.other, kind)
        found = self.kind(node)
        if found is not None and found != kind:
            raise KindClash(name=getattr(node, "name", None) or node.note.text or type(node).__name__, first=SHOWN[found], second=SHOWN[kind])
        self.visit(node)

    def visit(self, node: Node) -> None:
        """Learn from everything inside a node."""
        if isinstance(node, Fact):
            (self.of_members if node.of_member else self.facts).setdefault(node.name, None)
        elif isinstance(node, (All, AnyOf, Not)):
            for item in parts(node):
                self.need(item, BOOLEAN)
        elif isinstance(node, (Arith, Call)):
            for item in parts(node):
                self.need(item, NUMBER)
        elif isinstance(node, (Compare, Among)):
            self.alike(list(parts(node)))
            self.ordered(node)
        elif isinstance(node, If):
            self.need(node.test, BOOLEAN)
            self.alike([node.then, node.other])
        elif isinstance(node, Over) and node.item is not None:
            self.need(node.item, BOOLEAN if node.kind in {"any", "all", "count"} else NUMBER)

    def ordered(self, node: Compare | Among) -> None:
        """Raise KindClash when truths are asked which is greater."""
        if isinstance(node, Compare) and node.op not in {"==", "!="} and BOOLEAN in {self.kind(node.left), self.kind(node.right)}:
            raise KindClash(name=getattr(node.left, "name", node.op), first=SHOWN[BOOLEAN], second=SHOWN[NUMBER])

    def alike(self, nodes: list[Node]) -> None:
        """Note that all nodes are of one kind."""
        kinds = [kind for each in nodes if (kind := self.kind(each))]
        for each in nodes:
            if kinds:
                self.need(each, kinds[0])
            else:
                self.visit(each)
