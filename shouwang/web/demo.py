"""Whether this installation is a demo, and the entry link of each of its roles: a file that `shouwang demo` writes beside the data.

A setting alone makes no demo: the file names the database in use, and is begun only while that database is empty.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

MARKER = "demo.json"


class Role(msgspec.Struct, frozen=True):
    """One role of the demo and the address that enters it."""

    code: str
    zh: str
    en: str
    href: str


class _Marker(msgspec.Struct, frozen=True):
    database: str = ""
    roles: tuple[Role, ...] = ()


def mark_if_empty(folder: Path) -> None:
    """Write beside the data that the database in use holds a demo, unless something is in it already."""
    from shouwang.journal.queries import last_seq  # noqa: PLC0415 - needs Django started

    if last_seq() == 0:
        (folder / MARKER).write_text(json.dumps({"database": database_name()}), "utf-8")


def is_marked_as_demo(folder: Path) -> bool:
    """Return whether the folder says that the database in use holds a demo."""
    return _read(folder).database == database_name()


def keep_roles(folder: Path, roles: Sequence[Role]) -> None:
    """Write the roles of a marked demo beside its data, readable by its owner only: their links let anybody in."""
    if not is_marked_as_demo(folder):
        return
    path = folder / MARKER
    path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(_Marker(database_name(), tuple(roles))))


def roles() -> tuple[Role, ...]:
    """Return the roles of the demo that runs here; none where this is no demo."""
    from django.conf import settings  # noqa: PLC0415 - commands import this before Django is started

    if not settings.SHOUWANG_DEMO:
        return ()
    marker = _read(Path(settings.SHOUWANG_DATA_DIR))
    return marker.roles if marker.database == database_name() else ()


def database_name() -> str:
    """Return which database is in use, without its password."""
    from django.db import connection  # noqa: PLC0415 - needs Django started

    said = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(Path(str(said["NAME"])).resolve())
    return f"{said['HOST']}:{said['PORT']}/{said['NAME']}"


def _read(folder: Path) -> _Marker:
    """Return what the folder says; nothing where there is no such file, or one that cannot be read."""
    try:
        return msgspec.json.decode((folder / MARKER).read_bytes(), type=_Marker)
    except (FileNotFoundError, msgspec.DecodeError):
        return _Marker()
