"""Writes of requests: take a report in, answer, merge, keep within limits, import a list, publish what is shipped."""

from __future__ import annotations

from shouwang.requests.actions.answering import answer
from shouwang.requests.actions.importing import check_upload, import_portion
from shouwang.requests.actions.intake import Taken, receive, report_as_resident, report_from_field, take_call
from shouwang.requests.actions.limiting import spend
from shouwang.requests.actions.publishing import publish_shipped
from shouwang.requests.actions.telling import follow_merge, follow_split, tell_done

__all__ = [
    "Taken", "answer", "check_upload", "follow_merge", "follow_split", "import_portion", "publish_shipped", "receive", "report_as_resident",
    "report_from_field", "spend", "take_call", "tell_done",
]
