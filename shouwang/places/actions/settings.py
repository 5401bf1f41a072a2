"""Settings of areas."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.places import events, queries, registry
from shouwang.places.models import AreaSetting
from shouwang.places.rules.settings import check_value


def set_setting(area_id: int, key: str, value: Any, *, now: datetime) -> None:
    """Set `key` from this area downwards; None takes the area's own value away.

    Raises NotFound, SettingUnknown, SettingInvalid.
    """
    spec = registry.spec_of(key)
    if value is not None:
        check_value(spec, value)
    with transaction.atomic():
        queries.area(area_id)
        if value is None:
            AreaSetting.objects.filter(area_id=area_id, key=key).delete()
        else:
            text = msgspec.json.encode(value).decode()
            AreaSetting.objects.update_or_create(area_id=area_id, key=key, defaults={"value": text, "set_at": now})
        queries.forget()
        transaction.on_commit(queries.forget)
        append([NewEvent(events.SETTING_SET, area_id, {"key": key, "own": value is not None})], now=now)
