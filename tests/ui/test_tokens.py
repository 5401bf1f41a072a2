"""The design tokens: contrast by WCAG 2.2 AA in both themes, the same dark theme twice, the national colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "shouwang/ui/static/ui/shouwang.css").read_text("utf-8")
TEXT, SIGN = 4.5, 3.0
SURFACES = ("ground", "surface", "sunken", "accent-soft")
PAIRS = [
    *((ink, under, TEXT) for ink in ("ink", "ink-2", "accent-text", "red-text", "good-text") for under in SURFACES),
    *(
        (f"{name}-text", under, TEXT)
        for name in ("red", "orange", "yellow", "blue", "good")
        for under in (f"{name}-soft", "surface")
    ),
    *(("ink", f"{name}-soft", TEXT) for name in ("red", "orange", "yellow", "blue", "good")),
    *((f"{name}-ink", name, TEXT) for name in ("red", "orange", "yellow", "blue", "accent", "good", "head")),
    ("ink", "map-land", TEXT),
    *((line, "surface", SIGN) for line in ("line-strong", "focus", "accent", "plot-1", "plot-2", "plot-3", "plot-4", "plot-5")),
    ("focus", "ground", SIGN),
]


def block(opening: str) -> dict[str, str]:
    """Return the tokens of the first CSS block whose selector ends with `opening`."""
    body = CSS[CSS.index(opening) + len(opening) :]
    return dict(re.findall(r"--([a-z0-9-]+):\s*([^;]+);", body[: body.index("}")]))


LIGHT = block('[data-theme="light"] {')
DARK = block('[data-theme="dark"] {')
FIXED = block(":root {\n  --red:")
FIXED["red"] = re.search(r":root \{\s+--red: (#\w+)", CSS)[1]  # type: ignore[index]


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast of two #rrggbb colours."""
    bright, dull = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dull + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a #rrggbb colour."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "under", "least"), PAIRS)
def test_words_and_signs_stand_out(theme: dict[str, str], ink: str, under: str, least: float) -> None:
    tokens = {**FIXED, **theme}
    assert contrast(tokens[ink], tokens[under]) >= least


def test_the_dark_theme_of_the_system_is_the_dark_theme_of_the_switch() -> None:
    assert block(":root:not([data-theme]) {") == DARK


def test_both_themes_set_the_same_tokens() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_the_severity_colours_are_the_national_ones() -> None:
    assert [FIXED[name] for name in ("red", "orange", "yellow", "blue")] == ["#c9252d", "#c25700", "#f2c200", "#0b6bcb"]


def test_elder_controls_are_sixty_pixels_high() -> None:
    elder = block('[data-display="elder"] {')
    phone = block(".phone {")
    assert float(elder["text"].rstrip("%")) / 100 * 16 == 24
    assert float(elder["control"].removesuffix("rem")) * 24 >= 60
    assert float(phone["control"].removesuffix("rem")) * 18 >= 60
