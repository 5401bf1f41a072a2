"""Addresses of the watch."""

from __future__ import annotations

from django.urls import path

from shouwang.watch import pages

app_name = "watch"
urlpatterns = [
    path("settings/thresholds/", pages.thresholds, name="thresholds"),
    path("settings/thresholds/<slug:code>/", pages.change, name="change"),
]
