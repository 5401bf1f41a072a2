"""Publishing procedures: a new text is a new version; open cases keep theirs."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases.models import ProcedureVersion
from shouwang.cases.rules.procedures import Procedure, check, encode
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent


def publish_procedure(procedure: Procedure, *, shipped: bool, now: datetime) -> int:
    """Publish `procedure` and return the id of its version; the same text published again changes nothing.

    A shipped template never replaces a text that the office itself has published. Raises ProcedureInvalid.
    """
    check(procedure)
    text = encode(procedure)
    with transaction.atomic():
        latest = ProcedureVersion.objects.filter(code=procedure.code).order_by("-number").first()
        if latest is not None and (latest.definition == text or (shipped and not latest.shipped)):
            return latest.pk
        version = ProcedureVersion.objects.create(
            code=procedure.code, number=latest.number + 1 if latest else 1, definition=text, shipped=shipped,
            published_at=now,
        )
        append([NewEvent("case.procedure_published", None, {"procedure": procedure.code, "number": version.number})], now=now)
    return version.pk
