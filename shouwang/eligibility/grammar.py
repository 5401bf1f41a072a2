"""Reads one line such as `人均月收入 < 低保线 且 年龄 >= 60` into the internal form. A closed grammar: what is not listed here is refused.

    line     := either [ "if" either "else" line ]
    either   := both { ("or" | "或" | "或者") both }         both    := turned { ("and" | "且" | "并且") turned }
    turned   := ("not" | "非" | "不是") turned | compared
    compared := sum { ("<" "<=" ">" ">=" "==" "!=") sum } | sum ["not"] ("in" | "属于") ( "(" constants ")" | "[" constants "]" | name )
    sum      := product { ("+" | "-") product }              product := unit { ("*" | "/") unit }
    unit     := number ["%"] | "text" | date | true | false | null | name | function "(" line { "," line } ")" | "(" line ")" | "-" unit

Nothing is evaluated here and nothing of the host language can be reached: a name becomes a fact, a function is one of twelve.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from shouwang.eligibility.errors import LineInvalid
from shouwang.eligibility.form import All, Among, AmountOf, AnyOf, Arith, Call, Compare, Const, Fact, If, Node, Not, Over, Param

MOST_CHARACTERS, MOST_DEPTH = 2_000, 40
WIDE = str.maketrans("（），＜＞＝！＋－＊／％“”＂．。", '(),<>=!+-*/%"""..')
TOKEN = re.compile(
    r"\s*(?:(?P<date>\d{4}-\d{2}-\d{2}(?!\d))|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<text>\"[^\"]*\"|'[^']*')|(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
    r"|(?P<sign><=|>=|==|!=|<>|[<>=≤≥≠+\-*/%(),×÷\[\]]))",
)
WORDS = {
    "and": "and", "且": "and", "并且": "and", "or": "or", "或": "or", "或者": "or", "not": "not", "非": "not", "不是": "not",
    "in": "in", "属于": "in", "if": "if", "如果": "if", "else": "else", "否则": "else",
}
CONSTANTS: dict[str, bool | None] = {
    "true": True, "True": True, "是": True, "false": False, "False": False, "否": False, "null": None, "None": None, "未知": None,
}
SIGNS = {"≤": "<=", "≥": ">=", "≠": "!=", "<>": "!=", "=": "==", "×": "*", "÷": "/"}
FUNCTIONS = {
    "min": "min", "最小": "min", "max": "max", "最大": "max", "abs": "abs", "绝对值": "abs", "round": "round", "取整": "round",
    "floor": "floor", "向下取整": "floor", "ceil": "ceil", "向上取整": "ceil",
}
OVER = {"any": "any", "任一": "any", "all": "all", "全部": "all", "count": "count", "人数": "count", "sum": "sum", "合计": "sum"}
PARAMETERS, MEMBERS, MEMBER, AMOUNT = {"parameters", "参数"}, {"members", "成员"}, {"member", "成员"}, {"amount", "金额"}
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a line and where it begins."""

    kind: str
    text: str
    at: int


def parsed(line: str) -> Node:
    """Return the internal form of one line. Raises LineInvalid with the place where it cannot go on."""
    return Reader(line).whole()


class Reader:
    """Goes over one line from left to right."""

    def __init__(self, line: str) -> None:
        self.line = line
        if len(line) > MOST_CHARACTERS:
            self.fail(MOST_CHARACTERS, f"{len(line)} 个字符", f"{len(line)} characters", f"不超过 {MOST_CHARACTERS}", f"at most {MOST_CHARACTERS}")
        self.tokens = self.cut(self.unwidened(line))
        self.at = self.depth = 0

    @staticmethod
    def unwidened(line: str) -> str:
        """Return the line with full-width signs as plain ones, texts in quotes excepted."""
        pieces = re.split(r"(\"[^\"]*\"|'[^']*'|“[^”]*”)", line)
        return "".join(each.translate(WIDE) if n % 2 == 0 else each.replace("“", '"').replace("”", '"') for n, each in enumerate(pieces))

    def cut(self, line: str) -> list[Token]:
        """Return the words of the line and an end."""
        found, at = [], 0
        while line[at:].strip():
            match = TOKEN.match(line, at)
            if match is None:
                at += len(line[at:]) - len(line[at:].lstrip())
                self.fail(at, f"不认识的字符 {line[at]}", f"unknown character {line[at]}", "名称、数字或运算符", "a name, a number or an operator")
            kind = str(match.lastgroup)
            text = match[kind]
            if kind == "name" and text in WORDS:
                kind, text = "word", WORDS[text]
            found.append(Token(kind, SIGNS.get(text, text) if kind == "sign" else text, match.start(str(match.lastgroup))))
            at = match.end()
        return [*found, Token("end", "", len(line))]

    def fail(self, at: int, found_zh: str, found_en: str, expected_zh: str, expected_en: str) -> NoReturn:
        """Say where and why the line cannot be read."""
        raise LineInvalid(line=self.line[:200], column=at + 1, found_zh=found_zh, found_en=found_en, expected_zh=expected_zh, expected_en=expected_en)

    def here(self, expected_zh: str, expected_en: str) -> NoReturn:
        """Say that the next word is not what could stand here."""
        token = self.tokens[self.at]
        shown = token.text
        self.fail(token.at, f"找到“{shown}”" if shown else "到此结束", f"found “{shown}”" if shown else "the line ends", expected_zh, expected_en)

    def took(self, *texts: str, kind: str = "sign") -> str | None:
        """Take the next word when it is one of `texts`."""
        token = self.tokens[self.at]
        if token.kind != kind or token.text not in texts:
            return None
        self.at += 1
        return token.text

    def need(self, text: str) -> None:
        """Take the sign that must stand here."""
        if self.took(text) is None:
            self.here(f"“{text}”", f"“{text}”")

    def whole(self) -> Node:
        """Return the whole line."""
        node = self.choice()
        if self.tokens[self.at].kind != "end":
            self.here("运算符或行尾", "an operator or the end")
        return node

    def choice(self) -> Node:
        """Read `a if test else b`."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            self.here(f"嵌套不超过 {MOST_DEPTH} 层", f"at most {MOST_DEPTH} levels")
        node = self.either()
        if self.took("if", kind="word"):
            test = self.either()
            if not self.took("else", kind="word"):
                self.here("“否则”", "“else”")
            node = If(test, node, self.choice())
        self.depth -= 1
        return node

    def either(self) -> Node:
        """Read `a or b or c`."""
        items = [self.both()]
        while self.took("or", kind="word"):
            items.append(self.both())
        return items[0] if len(items) == 1 else AnyOf(tuple(items))

    def both(self) -> Node:
        """Read `a and b and c`."""
        items = [self.turned()]
        while self.took("and", kind="word"):
            items.append(self.turned())
        return items[0] if len(items) == 1 else All(tuple(items))

    def turned(self) -> Node:
        """Read `not a`."""
        if not self.took("not", kind="word"):
            return self.compared()
        self.depth += 1
        if self.depth > MOST_DEPTH:
            self.here(f"嵌套不超过 {MOST_DEPTH} 层", f"at most {MOST_DEPTH} levels")
        node = Not(self.turned())
        self.depth -= 1
        return node

    def compared(self) -> Node:
        """Read a comparison, also a chain such as `60 <= 年龄 < 100`."""
        left, found = self.sum(), []
        while op := self.took(*COMPARISONS):
            right = self.sum()
            found.append(Compare(op, left, right))
            left = right
        if found:
            return found[0] if len(found) == 1 else All(tuple(found))
        negated = self.tokens[self.at].text == "not" and self.tokens[self.at + 1].text == "in"
        self.at += negated
        if self.took("in", kind="word"):
            left = Among(left, self.options())
        return Not(left) if negated else left

    def options(self) -> tuple[Node, ...]:
        """Read what stands after `in`."""
        opened = self.took("(", "[")
        if opened is None:
            return (self.unit(),)
        closing = ")" if opened == "(" else "]"
        found = [self.unit()]
        while self.took(","):
            if self.tokens[self.at].text == closing:
                break
            found.append(self.unit())
        self.need(closing)
        return tuple(found)

    def sum(self) -> Node:
        """Read `a + b - c`."""
        node = self.product()
        while op := self.took("+", "-"):
            node = Arith(op, node, self.product())
        return node

    def product(self) -> Node:
        """Read `a * b / c`."""
        node = self.unit()
        while op := self.took("*", "/"):
            node = Arith(op, node, self.unit())
        return node

    def unit(self) -> Node:
        """Read a number, a text, a name, a function or a bracket."""
        token = self.tokens[self.at]
        if self.took("-"):
            return self.negative()
        if self.took("("):
            node = self.choice()
            self.need(")")
            return node
        if token.kind not in {"number", "text", "name", "date"}:
            self.here("名称、数字、文字或括号", "a name, a number, a text or a bracket")
        self.at += 1
        if token.kind == "number":
            return Const(float(token.text) / 100 if self.took("%") else _number(token.text))
        if token.kind in {"text", "date"}:
            return Const(token.text[1:-1] if token.kind == "text" else token.text)
        return self.function(token) if self.tokens[self.at].text == "(" and self.tokens[self.at].kind == "sign" else self.name(token)

    def negative(self) -> Node:
        """Read what follows a minus sign."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            self.here(f"嵌套不超过 {MOST_DEPTH} 层", f"at most {MOST_DEPTH} levels")
        node = self.unit()
        self.depth -= 1
        return Const(-node.value) if isinstance(node, Const) and isinstance(node.value, (int, float)) else Arith("-", Const(0), node)

    def name(self, token: Token) -> Node:
        """Return what a name means by itself."""
        first, _, rest = token.text.partition(".")
        if token.text in CONSTANTS:
            return Const(CONSTANTS[token.text])
        if "__" in token.text:
            self.fail(token.at, f"名称“{token.text}”", f"the name “{token.text}”", "不含连续下划线的名称", "a name without double underscores")
        if not rest:
            return Fact(token.text)
        if first in PARAMETERS:
            return Param(rest)
        if first in MEMBER and "." not in rest:
            return Fact(rest, of_member=True)
        before, _, last = token.text.rpartition(".")
        return AmountOf(before) if last in AMOUNT else Fact(token.text)

    def function(self, token: Token) -> Node:
        """Read the arguments of a function."""
        if token.text not in FUNCTIONS and token.text not in OVER:
            self.fail(token.at, f"没有函数“{token.text}”", f"there is no function “{token.text}”", "、".join((*FUNCTIONS, *OVER)), ", ".join((*FUNCTIONS, *OVER)))
        self.need("(")
        if token.text in OVER and self.tokens[self.at].text in {*MEMBERS, ")"} and (self.tokens[self.at].text == ")" or self.tokens[self.at + 1].text == ")"):
            self.at += self.tokens[self.at].text != ")"
            self.need(")")
            if OVER[token.text] != "count":
                self.fail(token.at, f"“{token.text}”没有内容", f"“{token.text}” of nothing", "成员的条件或数", "a condition or number of a member")
            return Over("count", None)
        args = [self.choice()]
        while self.took(","):
            args.append(self.choice())
        self.need(")")
        return self.called(token, args)

    def called(self, token: Token, args: list[Node]) -> Node:
        """Return a function with its arguments."""
        if token.text in OVER:
            if len(args) != 1:
                self.fail(token.at, f"{len(args)} 个参数", f"{len(args)} arguments", "1 个", "one")
            return Over(OVER[token.text], args[0])
        name = FUNCTIONS[token.text]
        if name not in {"min", "max"} and len(args) != 1:
            self.fail(token.at, f"{len(args)} 个参数", f"{len(args)} arguments", "1 个", "one")
        return Call(name, tuple(args))


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)
