"""A room's tables are its own: whoever else needs them asks its queries and actions (DESIGN's fifth contract)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import shouwang

ROOT = Path(shouwang.__file__).parent


def room_of(parts: tuple[str, ...]) -> str:
    return ".".join(parts[:2]) if parts[0] == "systems" else parts[0]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def strangers(path: Path, text: str) -> list[str]:
    """Return the tables of other rooms that a module imports."""
    own = room_of(path.relative_to(ROOT).parts)
    names = [name.split(".") for name in imported(ast.parse(text))]
    return [
        ".".join(name) for name in names
        if name[0] == "shouwang" and "models" in name[1:-1] + name[-1:] and room_of(tuple(name[1:])) != own
    ]


def test_no_room_imports_the_tables_of_another() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in sorted(ROOT.rglob("*.py"))
        if "migrations" not in path.parts and (names := strangers(path, path.read_text("utf-8")))
    }
    assert found == {}


def test_an_import_of_another_rooms_table_is_found() -> None:
    assert strangers(ROOT / "web" / "pages" / "x.py", "from shouwang.cases.models import Case") == ["shouwang.cases.models", "shouwang.cases.models.Case"]
    assert strangers(ROOT / "cases" / "actions" / "x.py", "from shouwang.cases.models import Case") == []
