"""The recorded prompts of the package, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from shouwang.notify.rules.audio import read_wav
from shouwang.notify.rules.g711 import Samples
from shouwang.notify.rules.prompts import PROMPTS

FOLDER = Path(__file__).parents[1] / "speakers" / "prompts"


@cache
def recorded(code: str) -> Samples:
    """Return the samples of the prompt `code`. Raises KeyError for one that there is not."""
    if code not in PROMPTS:
        raise KeyError(code)
    return read_wav((FOLDER / f"{code}.wav").read_bytes())
