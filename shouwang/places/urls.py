"""Addresses of places."""

from __future__ import annotations

from django.urls import path

from shouwang.places import pages

app_name = "places"
urlpatterns = [
    path("places/", pages.areas, name="tree"),
    path("places/import/", pages.bring_in, name="import"),
    path("places/import/template.xlsx", pages.template, name="template"),
    path("places/import/<int:upload_id>/", pages.preview, name="preview"),
    path("places/import/<int:upload_id>/decide/", pages.decide, name="decide"),
    path("places/import/<int:upload_id>/progress/", pages.progress, name="progress"),
    path("places/import/<int:upload_id>/bad.xlsx", pages.bad_rows, name="bad_rows"),
    path("places/<int:area_id>/", pages.areas, name="area"),
    path("places/<int:area_id>/settings/", pages.settings, name="settings"),
    path("places/<int:area_id>/<slug:what>/", pages.change, name="change"),
]
