"""The ui room alone: its own addresses and middleware, no table and no other room."""

from __future__ import annotations

import types

import pytest
from django.test import Client
from django.urls import include, path

ADDRESSES = types.ModuleType("tests.ui.addresses")
ADDRESSES.urlpatterns = [path("", include("shouwang.ui.urls"))]  # type: ignore[attr-defined]
ADDRESSES.handler404 = "shouwang.ui.pages.not_found"  # type: ignore[attr-defined]
ADDRESSES.handler500 = "shouwang.ui.pages.broken"  # type: ignore[attr-defined]
MIDDLEWARE = [
    "shouwang.ui.middleware.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]


@pytest.fixture
def ui_settings(settings: pytest.FixtureRequest) -> None:
    """Serve the ui room alone."""
    settings.ROOT_URLCONF = ADDRESSES  # type: ignore[attr-defined]
    settings.MIDDLEWARE = MIDDLEWARE  # type: ignore[attr-defined]
    settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1"]  # type: ignore[attr-defined]


@pytest.fixture
def browser_client(ui_settings: None) -> Client:
    """Return a client that is held to CSRF like a browser."""
    return Client(enforce_csrf_checks=True)
