"""What a grid worker has reported, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from shouwang.requests.models import Report
from shouwang.requests.queries.desk import RequestRow, rows_of


@dataclass(frozen=True, slots=True)
class OwnReport:
    """One own report; `asks` says whether an answer is waited for."""

    report_id: int
    row: RequestRow
    asks: bool


def own_reports(person_id: int, *, limit: int = 20) -> list[OwnReport]:
    """Return what a person has reported from the field; it is the person's own, wherever it lies."""
    reports = list(Report.objects.filter(person_id=person_id, channel="FIELD_REPORT").select_related("request").order_by("-pk")[:limit])
    rows = {row.id: row for row in rows_of([report.request for report in reports])}
    return [
        OwnReport(report.pk, rows[report.request_id], rows[report.request_id].state_code == "TO_ANSWER" and report.rounds > 0 and not report.answer)
        for report in reports
    ]
