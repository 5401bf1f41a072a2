"""Addresses of the alerts room."""

from __future__ import annotations

from django.urls import path

from shouwang.alerts import pages

app_name = "alerts"
urlpatterns = [
    path("feeds/alerts.atom", pages.alerts_feed, name="feed"),
    path("feeds/alerts/<int:alert_id>.xml", pages.alert_message, name="message"),
]
