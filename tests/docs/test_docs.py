"""Nothing is undocumented: rooms, settings, commands, sources, channels, loudspeakers, words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from shouwang.cli.main import app
from shouwang.config.environment import DEFAULTS

ROOT = Path(__file__).parents[2]
REFERENCE = "\n".join(page.read_text("utf-8") for page in sorted((ROOT / "docs/reference").glob("*.md")))
GLOSSARY = (ROOT / "docs/glossary.md").read_text("utf-8")
SOURCE = "\n".join(page.read_text("utf-8") for page in sorted((ROOT / "shouwang").rglob("*.py")))


def folders(path: str) -> list[str]:
    return sorted(each.name for each in (ROOT / path).iterdir() if each.is_dir() and each.name[0] not in "_.")


@pytest.mark.parametrize("room", folders("shouwang") + folders("shouwang/systems"))
def test_every_room_is_documented(room: str) -> None:
    assert re.search(rf"\b{room}\b", REFERENCE)


@pytest.mark.parametrize("setting", sorted(DEFAULTS))
def test_every_setting_is_documented(setting: str) -> None:
    assert f"SHOUWANG_{setting.upper()}" in REFERENCE


@pytest.mark.parametrize("command", sorted(name for name, each in get_command(app).commands.items() if not each.hidden))  # type: ignore[attr-defined]
def test_every_command_is_documented(command: str) -> None:
    assert f"shouwang {command}" in REFERENCE


@pytest.mark.parametrize("plugin", folders("shouwang/telemetry/sources") + folders("shouwang/notify/channels") + folders("shouwang/notify/speakers"))
def test_every_source_channel_and_loudspeaker_is_documented(plugin: str) -> None:
    assert re.search(rf"\b{plugin}\b", REFERENCE)


@pytest.mark.parametrize("word", re.findall(r"^\| \S+ \| `(\w+)`", GLOSSARY, re.MULTILINE))
def test_every_word_of_the_glossary_is_used(word: str) -> None:
    assert re.search(rf"\b{word}\b", SOURCE)
