"""Fixtures every room's tests share; the database is the one `SHOUWANG_DATABASE` names, SQLite by default."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime

import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")
os.environ.setdefault("SHOUWANG_DATA_DIR", tempfile.mkdtemp(prefix="shouwang-test-"))

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """Return the moment tests happen at: a Thursday, 10:00 in Liaocheng."""
    return NOW
