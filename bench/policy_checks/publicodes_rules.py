"""One set of publicodes rules in one situation, as nodes of our internal form."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, NamedTuple

from shouwang.eligibility import Judgement, exact
from shouwang.eligibility.checking import checked
from shouwang.eligibility.form import All, AnyOf, Arith, Call, Compare, Const, Fact, If, Node, Not, parts
from shouwang.eligibility.library import Entry, Library, Version
from shouwang.eligibility.values import truth_of

DAY = date(2026, 1, 1)
TIMES = re.compile(r"(?<!\w)(an|ans|mois|jour|jours|heure|heures|trimestre|k€)(?!\w)")
TOKEN = re.compile(r"\s*(?:(?P<number>\d[\d ]*(?:\.\d+)?)(?P<percent>\s*%)?(?P<unit>\s*(?!ou\b|et\b)[€$a-zA-Zé²]+(?:/[€$\w]+)*)?(?P<rate>/[€$\w]+)?|(?P<text>'[^']*'|\"[^\"]*\")|(?P<sign>\*\*|//|<=|>=|!=|[-+*/<>=()])|(?P<name>[^\W\d][\w'’²-]*(?: (?:\. )?[\w'’²-]+)*))")
NO = Const(value=False)
YES = Const(value=True)


class NotExpressible(Exception):
    """Our language has no words for this."""


class Value(NamedTuple):
    """Whether a rule applies, what it is then, and whether that is a percentage."""

    applies: Node
    node: Node
    percent: bool = False


class Rules:
    """The rules of one file in one situation; `name` is the rule that is asked."""

    def __init__(self, rules: dict[str, Any], situation: dict[str, Any], name: str) -> None:
        self.rules, self.name = {str(key): value for key, value in rules.items()}, name
        self.given: dict[str, Any] = {}
        self.times: set[str] = set()
        self.inside: list[str] = []
        if any(isinstance(each, dict) and set(each) & {"remplace", "rend non applicable"} for each in rules.values()):
            raise NotExpressible("remplace")
        for key, value in situation.items():
            if key not in self.rules:
                raise NotExpressible(key)
            kept = {part: self.rules[key][part] for part in ("unité",) if isinstance(self.rules[key], dict) and part in self.rules[key]}
            self.rules[key] = {"valeur": value, **kept}
        self.found = self.rule(name)
        if len(self.times) > 1:
            raise NotExpressible("units")
        entries = {"=value": Entry("=value", (Version(self.found.node),)), "=applies": Entry("=applies", (Version(self.found.applies),))}
        self.judgement = Judgement(checked(Library({}, {}, entries, {})).at(DAY), self.given)

    def value(self) -> Any:
        """Return the value, "null" where the rule does not apply, "undefined" where it is not known."""
        applies = truth_of(self.judgement.named("=applies"))
        if applies is False:
            return "null"
        found = self.judgement.named("=value")
        if applies is None or found is None or not isinstance(found, (bool, int, float, str)):
            return "undefined"
        return found * 100 if self.found.percent else found

    def missing(self) -> set[str]:
        """Return the facts that are not known and still bear on the value."""
        found = set(self.live(self.found.applies))
        return found if truth_of(self.judgement.value(self.found.applies)) is False else found | set(self.live(self.found.node))

    def live(self, node: Node) -> set[str]:
        """Return the open facts of a node that is not known."""
        if exact(self.judgement.value(node)):
            return set()
        if isinstance(node, Fact):
            return {node.name}
        if isinstance(node, If):
            test = truth_of(self.judgement.value(node.test))
            return self.live(node.test) if test is None else self.live(node.then if test else node.other)
        return set().union(*(self.live(each) for each in parts(node)))

    def rule(self, name: str) -> Value:
        """Return a rule. Raises NotExpressible."""
        if name in self.inside:
            raise NotExpressible("circle")
        raw = self.rules[name]
        self.inside.append(name)
        try:
            found = Value(YES, Fact(name)) if is_fact(raw) else self.part(raw)
        finally:
            self.inside.pop()
        if isinstance(raw, dict) and "unité" in raw:
            self.unit(raw["unité"])
            found = found._replace(percent=raw["unité"].strip() == "%" or found.percent)
            if raw["unité"].strip() == "%" and not is_fact(raw) and isinstance(found.node, Const) and isinstance(found.node.value, (int, float)) and not self.is_percent(raw):
                found = found._replace(node=Const(found.node.value / 100))
            elif raw["unité"].strip() == "%" and isinstance(found.node, Fact):
                raise NotExpressible("percent fact")
        parent = name.rpartition(" . ")[0]
        if parent in self.rules and not is_fact(self.rules[parent]):
            above = self.rule(parent)
            disabled = Not(above.node) if is_truth(above.node) else NO
            found = found._replace(applies=every(above.applies, Not(disabled), found.applies))
        return found

    def is_percent(self, raw: dict[str, Any]) -> bool:
        """Return whether a value is written with a percent sign."""
        return isinstance(raw.get("valeur"), str) and "%" in raw["valeur"]

    def unit(self, text: str) -> None:
        """Note the units of time of a text: two of them in one value would have to be converted."""
        self.times |= {each.rstrip("s") if each != "mois" else each for each in TIMES.findall(text)}

    def part(self, raw: Any) -> Value:
        """Return a value: a line, or a mechanism."""
        if isinstance(raw, str):
            return Line(self, raw).whole()
        if not isinstance(raw, dict):
            raise NotExpressible(str(type(raw)))
        found = self.mechanism(raw)
        applies = [found.applies]
        if "applicable si" in raw:
            applies.insert(0, self.holds(raw["applicable si"]))
        if "non applicable si" in raw:
            applies.insert(0, Not(self.holds(raw["non applicable si"])))
        for word, pick in (("plafond", "min"), ("plancher", "max")):
            if word in raw and "barème" not in raw:
                edge = self.part(raw[word])
                if is_truth(edge.node):
                    raise NotExpressible("plafond: non")
                found = found._replace(node=If(edge.applies, Call(pick, (found.node, edge.node)), found.node) if edge.applies != YES else Call(pick, (found.node, edge.node)))
        if "arrondi" in raw:
            found = self.rounded(found, raw["arrondi"])
        if "abattement" in raw:
            less = self.part(raw["abattement"])
            if less.percent or less.applies != YES:
                raise NotExpressible("abattement")
            found = found._replace(node=Call("max", (Arith("-", found.node, less.node), Const(0))))
        return found._replace(applies=every(*applies))

    def rounded(self, found: Value, raw: Any) -> Value:
        """Return a value rounded: oui, non, or a number of decimals."""
        if isinstance(raw, str) and raw in self.rules:
            raw = self.rules[raw] if isinstance(self.rules[raw], str) else self.rules[raw].get("valeur", "")
        places = re.fullmatch(r"(\d+) décimales?", str(raw))
        if raw == "non":
            return found
        if raw != "oui" and not places:
            raise NotExpressible("arrondi")
        scale = Const(10 ** (int(places[1]) if places else 0) * (100 if found.percent else 1))
        return found._replace(node=Arith("/", Call("round", (Arith("*", found.node, scale),)), scale))

    def mechanism(self, raw: dict[str, Any]) -> Value:
        """Return what the leading word of a mapping makes of its parts."""
        for word in ("avec", "contexte", "remplace", "rend non applicable", "inversion numérique", "texte", "durée", "une possibilité", "barème", "taux progressif", "constant",
                     "possiblement non applicable", "par défaut", "est défini", "est non défini", "résoudre la référence circulaire", "logarithme", "unité à convertir", "type"):
            if word in raw:
                raise NotExpressible(word)
        for word in ("valeur", "formule"):
            if word in raw:
                return self.part(raw[word])
        for word, make in MECHANISMS.items():
            if word in raw:
                return make(self, raw[word])
        if "applicable si" in raw or "non applicable si" in raw:
            return Value(YES, YES)
        raise NotExpressible(", ".join(raw))

    def holds(self, raw: Any) -> Node:
        """Return a condition: what does not apply does not hold."""
        found = self.part(raw)
        return every(found.applies, found.node)

    def listed(self, raw: Any) -> list[Value]:
        """Return the values of a list."""
        if not isinstance(raw, list):
            raise NotExpressible("list")
        return [self.part(each) for each in raw]

    def varied(self, raw: Any) -> Value:
        """Return variations: the first whose condition holds."""
        found = Value(NO, Const(0))
        values = []
        for each in reversed(raw):
            value = self.part(each["sinon"] if "sinon" in each else each["alors"])
            values.append(value)
            if "sinon" in each:
                found = value
            else:
                test = self.holds(each["si"])
                applies = If(test, value.applies, found.applies)
                found = Value(applies if (value.applies, found.applies) != (YES, YES) else YES, value.node if found == Value(NO, Const(0)) else If(test, value.node, found.node))
        return found._replace(percent=same_percent(values))

    def chosen(self, raw: Any) -> Value:
        """Return condition: si, alors, sinon."""
        return self.varied([{"si": raw["si"], "alors": raw["alors"]}, {"sinon": raw["sinon"]}])

    def grid(self, raw: Any) -> Value:
        """Return a grid: the amount of the first slice whose ceiling is not passed."""
        if set(raw) - {"assiette", "tranches"}:
            raise NotExpressible("multiplicateur")
        base = self.part(raw["assiette"])
        node: Node = Const(0)
        for each in reversed(raw["tranches"]):
            amount = self.part(each["montant"])
            node = amount.node if "plafond" not in each else If(Compare("<", base.node, self.part(each["plafond"]).node), amount.node, node)
        return Value(base.applies, node)


def is_fact(raw: Any) -> bool:
    """Return whether a rule has no formula: somebody must say what it is."""
    words = {"unité", "titre", "question", "description", "note"}
    return raw in ("", None) or (isinstance(raw, dict) and not set(raw) - words)


def is_truth(node: Node) -> bool:
    """Return whether a node is true or false."""
    return isinstance(node, (All, AnyOf, Not, Compare)) or (isinstance(node, Const) and isinstance(node.value, bool))


def same_percent(values: list[Value]) -> bool:
    """Return whether all are percentages. Raises NotExpressible when some are."""
    kinds = {each.percent for each in values}
    if len(kinds) > 1:
        raise NotExpressible("percent mixed")
    return kinds == {True}


def every(*nodes: Node) -> Node:
    """Return all nodes together, without those that always hold."""
    left = tuple(each for each in nodes if each not in (YES, Not(NO)))
    return YES if not left else left[0] if len(left) == 1 else All(left)


def added(_: Rules, values: list[Value]) -> Value:
    """Return a sum: what does not apply adds nothing."""
    total = values[0].node if values[0].applies == YES else If(values[0].applies, values[0].node, Const(0))
    percent = values[0].percent
    for each in values[1:]:
        part: Node = each.node if each.percent == percent else Arith("*", total, each.node)
        if percent and not each.percent:
            raise NotExpressible("percent + number")
        total = Arith("+", total, part if each.applies == YES else If(each.applies, part, Const(0)))
    return Value(YES, total, percent)


def subtracted(_: Rules, values: list[Value]) -> Value:
    """Return a difference: without the second the first stays, without the first nothing applies."""
    first, second = values
    if first.percent and not second.percent:
        raise NotExpressible("percent - number")
    part: Node = second.node if second.percent == first.percent else Arith("*", first.node, second.node)
    return Value(first.applies, Arith("-", first.node, part if second.applies == YES else If(second.applies, part, Const(0))), first.percent)


def times(_: Rules, values: list[Value]) -> Value:
    """Return a product: nothing where a factor is nothing, whatever the others are."""
    node = values[0].node
    for each in values[1:]:
        node = If(Compare("==", node, Const(0)), Const(0), If(Compare("==", each.node, Const(0)), Const(0), Arith("*", node, each.node)))
    return Value(every(*(each.applies for each in values)), node, all(each.percent for each in values))


def over(_: Rules, values: list[Value]) -> Value:
    """Return a quotient."""
    first, second = values
    if second.percent != first.percent:
        raise NotExpressible("number / percent")
    return Value(every(first.applies, second.applies), Arith("/", first.node, second.node))


def compare(op: str) -> Any:
    """Return a comparison; what does not apply is equal to no."""
    def made(_: Rules, values: list[Value]) -> Value:
        first, second = values
        if first.percent != second.percent:
            raise NotExpressible("number and percent")
        if op in {"==", "!="}:
            if first.applies != YES and is_truth(second.node):
                same: Node = every(first.applies, first.node) if second.node == YES else Not(every(first.applies, first.node))
                return Value(YES, same if op == "==" else Not(same))
            return Value(every(first.applies, second.applies), Compare(op, first.node, second.node))
        return Value(every(first.applies, second.applies), Compare(op, first.node, second.node))

    return made


def extreme(pick: str) -> Any:
    """Return the least or greatest of those that apply."""
    def made(rules: Rules, raw: Any) -> Value:
        values = rules.listed(raw)
        if any(each.applies != YES for each in values):
            raise NotExpressible("extreme of what may not apply")
        return Value(YES, Call(pick, tuple(each.node for each in values)), same_percent(values))

    return made


def mean(rules: Rules, raw: Any) -> Value:
    """Return the mean of those that apply."""
    values = rules.listed(raw)
    if any(each.applies != YES or is_truth(each.node) for each in values):
        raise NotExpressible("mean of what may not apply")
    return Value(YES, Arith("/", added(rules, values).node, Const(len(values))), same_percent(values))


def on_list(make: Any) -> Any:
    """Return a mechanism of a list."""
    return lambda rules, raw: make(rules, rules.listed(raw))


def group(kind: type[All | AnyOf]) -> Any:
    """Return all or any of a list of conditions."""
    return lambda rules, raw: Value(YES, kind(tuple(every(each.applies, each.node) for each in rules.listed(raw))))


MECHANISMS: dict[str, Any] = {
    "somme": on_list(added), "+": on_list(added), "-": on_list(subtracted), "*": on_list(times), "produit": on_list(times), "/": on_list(over),
    **{sign: on_list(compare(op)) for sign, op in (("<", "<"), ("<=", "<="), (">", ">"), (">=", ">="), ("=", "=="), ("!=", "!="))},
    "le maximum de": extreme("max"), "le minimum de": extreme("min"), "moyenne": mean, "toutes ces conditions": group(All), "une de ces conditions": group(AnyOf),
    "et": group(All), "ou": group(AnyOf), "variations": Rules.varied, "condition": Rules.chosen, "grille": Rules.grid,
    "est applicable": lambda rules, raw: Value(YES, rules.part(raw).applies), "est non applicable": lambda rules, raw: Value(YES, Not(rules.part(raw).applies)),
}
BINDING = {"ou": 0, "et": 1, "=": 2, "!=": 2, "<": 2, "<=": 2, ">": 2, ">=": 2, "+": 3, "-": 3, "*": 4, "/": 4}


class Line:
    """One publicodes line, read by binding strength."""

    def __init__(self, rules: Rules, text: str) -> None:
        self.rules, self.tokens, self.at = rules, [], 0
        if re.search(r"\d\d/\d{4}|\n", text):
            raise NotExpressible("date or text of several lines")
        text = re.sub(r"(?<=\S) (et|ou) (?=\S)", r" (\1) ", text.strip())
        text = text.replace("(et)", "&").replace("(ou)", "|")
        for piece in re.split(r"([&|])", text):
            place = 0
            while piece[place:].strip() and piece not in {"&", "|"}:
                match = TOKEN.match(piece, place)
                if match is None:
                    raise NotExpressible(text)
                self.tokens.append(match)
                place = match.end()
            if piece in {"&", "|"}:
                self.tokens.append({"&": "et", "|": "ou"}[piece])

    def sign(self) -> str | None:
        """Return the operator that stands next."""
        if self.at >= len(self.tokens):
            return None
        token = self.tokens[self.at]
        return token if isinstance(token, str) else token["sign"]

    def whole(self) -> Value:
        """Return the whole line."""
        found = self.read(0)
        if self.at < len(self.tokens):
            raise NotExpressible("rest")
        return found

    def read(self, least: int) -> Value:
        """Return an expression of operators that bind at least so tightly."""
        left = self.unit()
        while (sign := self.sign()) in BINDING and BINDING[sign] >= least:
            self.at += 1
            right = self.read(BINDING[sign] + 1)
            if sign in {"et", "ou"}:
                kind = All if sign == "et" else AnyOf
                left = Value(YES, kind((every(left.applies, left.node), every(right.applies, right.node))))
            else:
                left = MAKES[sign](self.rules, [left, right])
        return left

    def unit(self) -> Value:
        """Return a number, text, name or bracket."""
        sign = self.sign()
        if self.at >= len(self.tokens) or (sign is not None and sign not in {"(", "-"}):
            raise NotExpressible("line")
        token = self.tokens[self.at]
        self.at += 1
        if sign == "(":
            found = self.read(0)
            self.at += 1
            return found
        if sign == "-":
            inner = self.unit()
            return inner._replace(node=Arith("-", Const(0), inner.node))
        return self.leaf(token)

    def leaf(self, token: Any) -> Value:
        """Return a number, text or name."""
        if token["number"]:
            self.rules.unit((token["unit"] or "") + (token["rate"] or ""))
            number = float(token["number"].replace(" ", ""))
            return Value(YES, Const(number / 100 if token["percent"] else number), bool(token["percent"]))
        if token["text"]:
            return Value(YES, Const(token["text"][1:-1]))
        return self.named(token["name"].strip())

    def named(self, name: str) -> Value:
        """Return oui, non, non applicable, or another rule: the nearest of that name."""
        if name in {"oui", "non"}:
            return Value(YES, YES if name == "oui" else NO)
        if name == "non applicable":
            return Value(NO, Const(0))
        above = self.rules.inside[-1] if self.rules.inside else ""
        while True:
            full = f"{above} . {name}" if above else name
            if full in self.rules.rules and full not in self.rules.inside:
                return self.rules.rule(full)
            if not above:
                raise NotExpressible(name)
            above = above.rpartition(" . ")[0]


MAKES: dict[str, Any] = {
    "+": added, "-": subtracted, "*": times, "/": over, **{sign: compare(op) for sign, op in (("<", "<"), ("<=", "<="), (">", ">"), (">=", ">="), ("=", "=="), ("!=", "!="))},
}
