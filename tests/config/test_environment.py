"""The tests run where they say they run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.django_db
def test_the_run_for_postgresql_is_on_postgresql() -> None:
    asked = os.environ.get("SHOUWANG_TEST_POSTGRES") == "1"
    assert ("postgresql" if asked else "sqlite") == connection.vendor


def test_a_run_has_a_data_folder_of_its_own() -> None:
    assert Path(settings.SHOUWANG_DATA_DIR) == Path(os.environ["SHOUWANG_DATA_DIR"]).resolve()
    assert Path(settings.SHOUWANG_DATA_DIR) != Path("var").resolve()
