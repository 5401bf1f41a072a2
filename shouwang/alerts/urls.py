"""Addresses of the alerts room."""

from __future__ import annotations

from django.urls import path

from shouwang.alerts import api, pages

app_name = "alerts"
urlpatterns = [
    path("api/v1/alerts", api.receive, name="receive"),
    path("feeds/alerts.atom", pages.alerts_feed, name="feed"),
    path("feeds/alerts/<int:alert_id>.xml", pages.alert_message, name="message"),
]
