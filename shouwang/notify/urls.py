"""Addresses of the notify room."""

from __future__ import annotations

from django.urls import path

from shouwang.notify import pages

app_name = "notify"
urlpatterns = [
    path("settings/channels/", pages.channels, name="channels"),
    path("settings/channels/<slug:code>/", pages.save, name="save_channel"),
    path("settings/channels/<slug:code>/test/", pages.test, name="test_channel"),
]
