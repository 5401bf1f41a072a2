"""Which text of a procedure holds where, and which versions there were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shouwang.cases.models import Case, ProcedureVersion
from shouwang.cases.rules.procedures import Procedure, decode
from shouwang.journal.sql import run
from shouwang.kernel.errors import NotFound

_procedures: dict[int, Procedure] = {}


def procedure_of(version_id: int) -> Procedure:
    """Return the procedure of a version; versions never change, so each is decoded once per process."""
    found = _procedures.get(version_id)
    if found is None:
        row = run("SELECT definition FROM cases_procedure WHERE id = %s", (version_id,)).fetchone()
        if row is None:
            raise NotFound(what=f"流程版本 {version_id}")
        found = decode(row[0])
        _procedures[version_id] = found
    return found


def forget() -> None:
    """Forget the procedures this process has decoded: another database has others."""
    _procedures.clear()


def is_published(code: str) -> bool:
    """Return whether there is a version of the procedure `code`."""
    return ProcedureVersion.objects.filter(code=code).exists()


def versions_in_force(code: str) -> dict[str, int]:
    """Return the id of the version in force at each path that has one of its own ("" for everywhere). Raises NotFound."""
    rows = run("SELECT path, id, definition = '' FROM cases_procedure WHERE code = %s ORDER BY number", (code,)).fetchall()
    newest = {path: (version_id, follows) for path, version_id, follows in rows}
    found = {path: version_id for path, (version_id, follows) in newest.items() if not follows}
    if not found:
        raise NotFound(what=f"流程 {code}")
    return found


def version_for(in_force: Mapping[str, int], path: str) -> int:
    """Return the version of the nearest area upwards of `path` that has one of its own. Raises KeyError."""
    return in_force[max((own for own in in_force if path.startswith(own)), key=len)]


def current_procedure(code: str, path: str = "") -> tuple[int, Procedure]:
    """Return the id and the text of the version in force at `path`. Raises NotFound."""
    version_id = version_for(versions_in_force(code), path)
    return version_id, procedure_of(version_id)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One published version; `procedure` is None where the area follows the one above again."""

    id: int
    code: str
    number: int
    path: str
    shipped: bool
    published_at: datetime
    published_by: int | None
    procedure: Procedure | None


def version_of_case(case_id: int) -> VersionRow:
    """Return the version that a case began with and keeps. Raises NotFound."""
    row = ProcedureVersion.objects.filter(pk__in=Case.objects.filter(pk=case_id).values("procedure_id")).first()
    if row is None:
        raise NotFound(what=f"事件 {case_id}")
    return VersionRow(row.pk, row.code, row.number, row.path, row.shipped, row.published_at, row.published_by, procedure_of(row.pk))


def versions(code: str = "") -> list[VersionRow]:
    """Return the published versions, of one procedure or of all, newest first."""
    rows = ProcedureVersion.objects.order_by("code", "-number")
    return [
        VersionRow(
            row.pk, row.code, row.number, row.path, row.shipped, row.published_at, row.published_by,
            procedure_of(row.pk) if row.definition else None,
        )
        for row in (rows.filter(code=code) if code else rows)
    ]
