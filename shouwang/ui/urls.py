"""Addresses of the ui room."""

from __future__ import annotations

from django.urls import path

from shouwang.ui import pages

app_name = "ui"
urlpatterns = [
    path("ui/preferences/", pages.preferences, name="preferences"),
    path("ui/guide/", pages.guide, name="guide"),
    path("ui/guide/phone/", pages.guide_phone, name="guide_phone"),
    path("ui/guide/list/", pages.guide_list, name="guide_list"),
]
