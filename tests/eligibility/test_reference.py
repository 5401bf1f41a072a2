"""The examples of the reference are true, and every public name and word of the language stands in it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

import shouwang.eligibility as room
from shouwang.eligibility import blocking, cases_of, decide, differences, explain, library_of, shipped
from shouwang.eligibility.grammar import FUNCTIONS, OVER, WORDS
from shouwang.eligibility.words import SAME

PAGE = (Path(__file__).parents[2] / "docs/reference/eligibility.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_decides_its_own_cases() -> None:
    assert [] == differences(library_of(BLOCKS[0]), cases_of(BLOCKS[1]))


def test_the_first_lines_say_what_they_say() -> None:
    program = shipped().at(date(2026, 1, 1), area=("3715", "371502"))
    assert "Decision(policy='高龄津贴', outcome=True, amount=50)" == repr(decide(program, {"年龄": 85, "本地户籍": True})["高龄津贴"])
    assert ["本地户籍", "人均月收入 < 低保标准", "财产符合规定"] == [leaf.node.note.text for leaf in blocking(explain(program, "最低生活保障", {"人均月收入": 880}))]


@pytest.mark.parametrize("word", sorted({*SAME, *SAME.values(), *FUNCTIONS.values(), *OVER, *WORDS} - {"name", "label", "note", "values", "type", "绝对值", "最小", "最大", "取整", "向下取整", "向上取整", "或者", "并且", "不是", "如果", "否则"}))
def test_every_word_is_documented(word: str) -> None:
    assert word in PAGE


@pytest.mark.parametrize("name", sorted(set(room.__all__) - {"Case", "Change", "Difference", "Explanation", "Library", "Note", "Program", "Question", "Terms", "exact"}))
def test_every_public_name_is_documented(name: str) -> None:
    assert name in PAGE
