"""Signed links: a message's address that opens one task for one person, until it expires."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.core import signing

from shouwang.cases.rules.errors import CaseError

DAY_S = 24 * 3600
VALID_S = 8 * DAY_S
_SALT = "shouwang.task-link"


class LinkInvalid(CaseError):
    """The link was changed, cut off or has expired."""

    zh = "这个链接已失效或不完整；请从最新的消息里重新打开。"
    en = "This link has expired or is incomplete; open it again from the latest message."
    status = 404


class _SignedByDay(signing.TimestampSigner):
    """Signs as of the beginning of the day (UTC): a message sent again carries the very same address, so its provider knows it."""

    def timestamp(self) -> str:
        """Return when today began."""
        return signing.b62_encode(int(time.time()) // DAY_S * DAY_S)


@dataclass(frozen=True)
class TaskLink:
    """Whom a link lets in, and to what."""

    task_id: int
    person_id: int


def task_link(task_id: int, person_id: int) -> str:
    """Return the address of a task for a person, valid for seven days and what is left of today."""
    return f"/t/{_SignedByDay(salt=_SALT).sign_object([task_id, person_id])}/"


def address_of_task(task_id: int, person_id: int) -> str:
    """Return the whole address of a task for a person, as a message carries it."""
    return f"{settings.SHOUWANG_ADDRESS}{task_link(task_id, person_id)}"


def address_of_tasks() -> str:
    """Return the whole address where whoever signs in finds the own tasks."""
    return f"{settings.SHOUWANG_ADDRESS}/tasks/"


def read_link(token: str) -> TaskLink:
    """Return what a link's token opens. Raises LinkInvalid."""
    try:
        task_id, person_id = signing.loads(token, salt=_SALT, max_age=VALID_S)
    except (signing.BadSignature, ValueError) as error:
        raise LinkInvalid from error
    return TaskLink(task_id, person_id)
