"""Invented names. Any likeness to a living person is chance."""

from __future__ import annotations

from random import Random

SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗"
GIVEN = ("志强", "秀英", "建国", "桂兰", "海燕", "文博", "玉珍", "长河", "春梅", "立新", "凤霞", "永福", "晓东", "淑华", "德顺", "金枝")


def name(chance: Random) -> str:
    """Return an invented name."""
    return chance.choice(SURNAMES) + chance.choice(GIVEN)


def phone(number: int) -> str:
    """Return a telephone number that cannot exist: it begins with 100."""
    return f"100{number:08d}"
