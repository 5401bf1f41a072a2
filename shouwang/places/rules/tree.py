"""The tree of areas: five levels, paths of ids, names and codes. Pure.

A path is "/1/5/77/": the ids from the root to the area itself. In C collation whatever lies at or below an area sorts
from its path up to, but not including, the path with its last "/" replaced by "0".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from shouwang.kernel.texts import Text
from shouwang.places.rules.errors import CodeInvalid, LevelInvalid, NameInvalid

PREFECTURE, COUNTY, TOWNSHIP, VILLAGE, GRID = LEVELS = ("PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE", "GRID")
LEVEL_NAMES: Mapping[str, Text] = {
    PREFECTURE: Text("市", "City"),
    COUNTY: Text("县（市、区）", "County"),
    TOWNSHIP: Text("乡镇（街道）", "Township"),
    VILLAGE: Text("村（社区）", "Village"),
    GRID: Text("网格", "Grid"),
}
NAME_LENGTH = 64
CODE_LENGTH = 12
PATH_LENGTH = 120
_CODE = re.compile(r"[0-9]{12}", re.ASCII)
_OFFICE = re.compile(r"(?P<community>社区)?(?P<village>村)?(?:居民委员会?|村民委员会?|居委会|村委会)$")


class Sight(Protocol):
    """What this room asks of a reader's scope; people's `Scope` is one."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths the reader sees, with everything below them."""

    def sees(self, path: str) -> bool:
        """Return whether `path` lies at or below one of them."""

    def may(self, right: str, path: str) -> bool:
        """Return whether the reader has `right` at `path`."""


def ancestors(path: str) -> list[int]:
    """Return the ids on `path`, nearest first: the area itself, then its parent, at last the root."""
    return [int(part) for part in reversed(path.split("/")) if part]


def path_of(parent_path: str, area_id: int) -> str:
    """Return the path of an area under `parent_path` ("" for a root)."""
    return f"{parent_path or '/'}{area_id}/"


def subtree(path: str) -> tuple[str, str]:
    """Return the half-open range of paths at or below `path`."""
    return path, path[:-1] + "0"


def depth(level: str) -> int:
    """Return 0 for a prefecture to 4 for a grid. Raises LevelInvalid."""
    if level not in LEVELS:
        raise LevelInvalid(found=level, parent="—")
    return LEVELS.index(level)


def level_below(level: str) -> str:
    """Return the level just below `level`; a grid has none, so LevelInvalid."""
    if level == GRID:
        raise LevelInvalid(found="—", parent=GRID)
    return LEVELS[depth(level) + 1]


def check_level(level: str, *, parent_level: str | None, parent_name: str) -> None:
    """Raise LevelInvalid unless an area of `level` may stand under the parent: any level below the parent's."""
    if depth(level) <= (-1 if parent_level is None else depth(parent_level)):
        raise LevelInvalid(found=LEVEL_NAMES[level], parent=parent_name)


def clean_name(name: str) -> str:
    """Return `name` without surrounding space. Raises NameInvalid."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= NAME_LENGTH:
        raise NameInvalid(found=cleaned[:NAME_LENGTH], limit=NAME_LENGTH)
    return cleaned


def is_code(code: str) -> bool:
    """Return whether `code` has the form of a division code: twelve digits."""
    return bool(_CODE.fullmatch(code))


def clean_code(code: str) -> str:
    """Return a code of twelve digits, or "" for none; shorter official forms of 2 to 9 digits are filled with zeros.

    Raises CodeInvalid.
    """
    code = code.strip()
    if code.isascii() and code.isdigit() and len(code) in {2, 4, 6, 9}:
        code = code.ljust(CODE_LENGTH, "0")
    if code and not is_code(code):
        raise CodeInvalid(found=code[:40])
    return code


def short_name(official: str) -> str:
    """Return the everyday name of a village from its committee's: 黄庙村村民委员会 → 黄庙村, 古城社区居委会 → 古城社区.

    A village whose committee's name has one 村 only keeps it: 陈庄村委会 → 陈庄村.
    """
    found = _OFFICE.search(official)
    if found is None or found.start() == 0:
        return official
    base, office = official[: found.start()], found.group()
    if found["community"]:
        return base + "社区"
    if found["village"] or office.startswith("村"):
        return base + "村"
    return base


def full_name(names: Sequence[tuple[str, str]]) -> str:
    """Return the names of (level, name) from the root down in one line, the prefecture left out: 莘县 张寨镇 黄庙村."""
    below = [name for level, name in names if level != PREFECTURE]
    return " ".join(below or [name for _, name in names])
