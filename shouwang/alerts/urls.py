"""Addresses of the alerts room."""

from __future__ import annotations

from django.urls import path

from shouwang.alerts import api

app_name = "alerts"
urlpatterns = [path("api/v1/alerts", api.receive, name="receive")]
