"""`shouwang first-run`: a real empty installation prints an address once nobody is there, and refuses afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKE = """
import django; django.setup()
from shouwang.journal.clock import clock
from shouwang.people.actions import FirstAdministrator, NewRoot, make_first_administrator
first = FirstAdministrator("管一凡", "guan", "麦子黄了我们就开镰", NewRoot("试验市", "PREFECTURE"))
make_first_administrator("TOKEN", first, now=clock().now())
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ, "SHOUWANG_DATA_DIR": str(folder), "SHOUWANG_DATABASE": "", "SHOUWANG_ADDRESS": "https://watch.example", "NO_COLOR": "1",
        "DJANGO_SETTINGS_MODULE": "shouwang.config.settings",
    }
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environ, check=False, capture_output=True, text=True)


def test_the_printed_address_makes_the_first_administrator_and_then_there_is_none(tmp_path: Path) -> None:
    said = run(tmp_path, "-m", "shouwang.cli.main", "first-run").stdout
    token = re.findall(r"https://watch\.example/first-run/(\S+)/$", said, re.MULTILINE)
    assert len(token) == 1, said
    made = run(tmp_path, "-c", MAKE.replace("TOKEN", token[0]))
    assert made.returncode == 0, made.stderr
    again = run(tmp_path, "-m", "shouwang.cli.main", "first-run")
    assert (again.returncode, "不再有首次设置" in again.stdout.replace("\n", "")) == (1, True)
