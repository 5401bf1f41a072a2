"""Addresses of the figures."""

from __future__ import annotations

from django.urls import path

from shouwang.indicators import pages

app_name = "indicators"
urlpatterns = [
    path("figures/", pages.figures, name="figures"),
    path("figures/<slug:code>/", pages.behind, name="behind"),
]
