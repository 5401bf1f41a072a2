"""Addresses of telemetry."""

from __future__ import annotations

from django.urls import path

from shouwang.telemetry import pages

app_name = "telemetry"
urlpatterns = [
    path("things/", pages.things, name="things"),
    path("things/import/", pages.bring_in, name="import"),
    path("things/import/<int:upload_id>/", pages.preview, name="preview"),
    path("things/import/<int:upload_id>/decide/", pages.decide, name="decide"),
    path("things/import/<int:upload_id>/progress/", pages.progress, name="progress"),
    path("things/import/<int:upload_id>/bad.xlsx", pages.bad, name="bad"),
    path("things/quarantine/", pages.quarantine, name="quarantine"),
    path("things/quarantine/<int:quarantine_id>/release/", pages.release_quarantine, name="release"),
]
