"""Addresses of the figures."""

from __future__ import annotations

from django.urls import path

from shouwang.indicators import pages

app_name = "indicators"
urlpatterns = [
    path("figures/", pages.figures, name="figures"),
    path("figures/areas/<int:area_id>/", pages.figures, name="area"),
    path("figures/published/<slug:code>/", pages.published, name="published"),
    path("figures/<slug:code>/", pages.behind, name="behind"),
    path("figures/<slug:code>/areas/<int:area_id>/", pages.behind, name="behind_area"),
]
