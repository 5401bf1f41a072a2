"""Publishing procedures, everywhere or for one area: a new text is a new version; open cases keep theirs."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.models import ProcedureVersion
from shouwang.cases.rules.errors import ProcedureNotOwn
from shouwang.cases.rules.procedures import Procedure, check, encode
from shouwang.journal.actions import append, lock_order
from shouwang.journal.rules import NewEvent

EVERYWHERE = ""


def publish_procedure(
    procedure: Procedure, *, shipped: bool, path: str = EVERYWHERE, by: int | None = None, now: datetime,
) -> int:
    """Publish `procedure` at `path` and below, and return the id of its version; the same text again changes nothing.

    A shipped template never replaces a text that the office itself has published. Raises ProcedureInvalid.
    """
    check(procedure)
    text = encode(procedure)
    with transaction.atomic():
        lock_order()
        latest = ProcedureVersion.objects.filter(code=procedure.code, path=path).order_by("-number").first()
        if latest is not None and (latest.definition == text or (shipped and not latest.shipped)):
            return latest.pk
        return _publish(procedure.code, text, shipped=shipped, path=path, by=by, now=now)


def inherit_procedure(code: str, *, path: str, by: int, now: datetime) -> None:
    """Let the area at `path` follow the procedure of the area above again. Raises ProcedureNotOwn."""
    with transaction.atomic():
        lock_order()
        latest = ProcedureVersion.objects.filter(code=code, path=path).order_by("-number").first()
        if path == EVERYWHERE or latest is None or not latest.definition:
            raise ProcedureNotOwn(procedure=code)
        _publish(code, "", shipped=False, path=path, by=by, now=now)


def _publish(code: str, text: str, *, shipped: bool, path: str, by: int | None, now: datetime) -> int:
    last = ProcedureVersion.objects.filter(code=code).order_by("-number").values_list("number", flat=True).first()
    version = ProcedureVersion.objects.create(
        code=code, number=(last or 0) + 1, path=path, definition=text, shipped=shipped, published_at=now, published_by=by,
    )
    payload = {"procedure": code, "number": version.number, "path": path, "by": by}
    append([NewEvent(kinds.PROCEDURE_PUBLISHED, None, payload)], now=now)
    return version.pk
