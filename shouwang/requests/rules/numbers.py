"""The number a reporter is given: nine digits that say nothing, easy to read aloud, wrong when one is mistyped. Pure."""

from __future__ import annotations

import re

from shouwang.people.rules.lines import digits

LENGTH = 9
LEAST, END = 10_000_000, 100_000_000
"""From (inclusive) and until (exclusive) which the chance behind a number is drawn."""
_NUMBER = re.compile(r"[1-9][0-9]{8}", re.ASCII)


def number_of(drawn: int) -> str:
    """Return the number of eight drawn digits: they and a check digit (Luhn, ISO/IEC 7812-1)."""
    if not LEAST <= drawn < END:
        message = f"{drawn} has not eight digits"
        raise ValueError(message)
    return f"{drawn}{_check_digit(str(drawn))}"


def is_number(text: str) -> bool:
    """Return whether `text` is nine digits whose last one fits the others."""
    return _NUMBER.fullmatch(text) is not None and _check_digit(text[:-1]) == text[-1]


def tidy_number(text: str) -> str:
    """Return the digits of a number as people write it."""
    return digits(text)


def spoken(number: str) -> str:
    """Return a number in groups of three: 483 920 179."""
    return " ".join(number[at : at + 3] for at in range(0, len(number), 3))


def _check_digit(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
