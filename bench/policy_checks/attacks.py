"""Lines and files that must be refused: code, SQL, templates, YAML tags, and what would cost without end."""

from __future__ import annotations

from typing import Any

from shouwang.eligibility import library_of
from shouwang.eligibility.errors import EligibilityError
from shouwang.eligibility.grammar import parsed

LINES = (
    "__import__('os').system('id')", "().__class__.__mro__[1].__subclasses__()", "a.__class__.__init__.__globals__", "open('/etc/passwd').read()", "eval('1')", "exec('1')",
    "compile('1','','eval')", "getattr(a, 'b')", "lambda: 1", "[x for x in a]", "{a: 1}", "f'{a}'", "a := 1", "a[0]", "a; b", "a\nimport os", "print(a)", "globals()", "breakpoint()",
    "a) union select password from users --", "'; drop table people; --", "a = 1 -- or so", "a /* x */ = 1", "read_csv('/etc/passwd')", "select 1", "${a}", "{{ a }}", "{% if a %}", "`id`", "$(id)",
    "a | b", "a & b", "a ^ b", "~a", "a ** 9 ** 9 ** 9", "a // b", "a @ b", "a if b", "a <", "< a", "any(any(member.a))(", "sum(a, b)", "min(", "a\x00", "a\u202eb c", "9" * 5_000, "(" * 500 + "a" + ")" * 500,
    "not " * 500 + "a", "-" * 500 + "1", "a" + " + a" * 2_000, "a.b.__c__", "__builtins__", "a__b__", "import os", "async a", "yield a", "*a", "**a", "@a", "a!", "a?b:c", "a->b", "a::int", "0x10 +", "1_0 a",
)
FILES = (
    "policies: {p: !!python/object/apply:os.system ['id']}", "policies: {p: !!python/name:os.system }", "policies: !!python/object/new:type {}", "policies: {p: a, p: b}", "policies: &a {p: {all: *a}}",
    "policies: &a [*a]", "policies: {p: {all: []}}", "policies: {p: {eval: a}}", "policies: {p: {test: a, code: b}}", "policies: {p: {test: {a: b}}}", "exec: 1", "policies: {p: {test: 'parameters.__class__ < 1'}}",
    "policies: {p: q, q: p}", "policies: {p: {test: 'member.a'}}", "policies: {p: {test: 'any(any(member.a))'}}", "policies: {p: {test: a, amount: 'open(1)'}}", "- 1", "policies: [", "\x00",
    "policies: {p: " + "{all: [" * 60 + "a" + "]}" * 60 + "}",
)


def run() -> dict[str, Any]:
    """Return how many of them are accepted."""
    accepted = [each[:60] for read, texts in ((parsed, LINES), (library_of, FILES)) for each in texts if takes(read, each)]
    return {"injections": len(LINES) + len(FILES), "injections_accepted": len(accepted), "accepted": accepted}


def takes(read: Any, text: str) -> bool:
    """Return whether a reader accepts a text. Anything but our own error is a defect and raises."""
    try:
        read(text)
    except EligibilityError:
        return False
    return True
