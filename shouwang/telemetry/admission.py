"""Whose token it is that a source was given, and whether it may write."""

from __future__ import annotations

from datetime import datetime

from django.db import close_old_connections

from shouwang.kernel.errors import Refused
from shouwang.people.queries import scope_of_token
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.telemetry.receiving import RIGHT
from shouwang.telemetry.writing import Key
from shouwang.ui.answers import TokenInvalid
from shouwang.ui.outage import outage_of


def key_of(token: str, *, at: datetime) -> Key:
    """Return the token a device or an integration goes on with; reads the database.

    Raises TokenInvalid, Refused where the token may not write readings, StorageAway and StorageFull.
    """
    try:
        found = [(kind, scope_of_token(token, kind, at)) for kind in (DEVICE, INTEGRATION)]
    except Exception as error:
        close_old_connections()
        raise outage_of(error) or error from error
    for kind, scope in found:
        if scope is not None and RIGHT in scope.rights:
            return Key(token, kind)
    if any(scope is not None for _, scope in found):
        raise Refused(right=RIGHT)
    raise TokenInvalid
