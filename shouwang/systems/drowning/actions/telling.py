"""Telling whoever is on duty that something was not done in time, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shouwang.kernel.severity import Severity
from shouwang.notify.actions import NewMessage, queue
from shouwang.notify.queries import plans_of
from shouwang.notify.rules import INBOX
from shouwang.people.queries import Who, answerable

TOWNSHIP = ("TOWNSHIP_DUTY", "TOWNSHIP")
COUNTY = ("COUNTY_DUTY", "COUNTY")
CITY = ("CITY_DUTY", "PREFECTURE")
FROM_TOWNSHIP, ABOVE_TOWNSHIP = (TOWNSHIP, COUNTY, CITY), (COUNTY, CITY)


def tell_duty(
    path: str, duties: Sequence[tuple[str, str]], *, template: str, key: str, params: Mapping[str, Any], case_id: int | None = None, now: datetime,
) -> int | None:
    """Tell the first of these duties at a place that somebody is on; return who, None where nobody is. In the caller's transaction."""
    asked = answerable([Who(area_path=path, duty=duty, level=level) for duty, level in duties], at=now)
    person = next((each for each in asked if each is not None), None)
    if person is None:
        return None
    channels = (INBOX, *plans_of([person])[person].first)
    queue([NewMessage(person, channel, template, key, Severity.YELLOW, params, case_id=case_id) for channel in channels], now=now)
    return person
