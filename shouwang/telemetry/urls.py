"""Addresses of telemetry."""

from __future__ import annotations

from django.urls import path

from shouwang.telemetry import pages

app_name = "telemetry"
urlpatterns = [
    path("things/", pages.things, name="things"),
    path("things/quarantine/", pages.quarantine, name="quarantine"),
    path("things/quarantine/<int:quarantine_id>/release/", pages.release_quarantine, name="release"),
]
