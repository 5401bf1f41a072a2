"""Reads of requests. Lists and pages of officers take a Scope; a reporter's own page takes the report the link names."""

from __future__ import annotations

from shouwang.requests.queries.desk import (
    Filters,
    ReportCard,
    RequestPage,
    RequestRow,
    about_case,
    list_requests,
    photo_in_scope,
    request_in_scope,
    request_page,
)
from shouwang.requests.queries.doubles import DoubleRow, listed_nearby, nearby
from shouwang.requests.queries.following import Followed, followed, known_keys, report_of_key, report_of_number
from shouwang.requests.queries.own import OwnReport, own_reports
from shouwang.requests.queries.reaching import reachable, will_be_told

__all__ = [
    "DoubleRow", "Filters", "Followed", "OwnReport", "ReportCard", "RequestPage", "RequestRow", "about_case", "followed", "known_keys", "list_requests",
    "listed_nearby", "nearby", "own_reports", "photo_in_scope", "reachable", "report_of_key", "report_of_number", "request_in_scope", "request_page",
    "will_be_told",
]
