"""An empty installation, served as an office would serve it, and the lists the office brings: invented people, some rows wrong on purpose."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from tests.browser.conftest import ROOT, START_S, Demo, environ_of, free_port

PASSWORD = "麦子黄了我们就开镰"
TREE = (
    ("名称*", "级别*", "上级*", "区划代码"),
    ("东县", "县", "试验市", ""), ("西县", "县（市、区）", "试验市", ""),
    ("东一村", "村", "东县 河口镇", ""), ("河口镇", "乡镇", "东县", ""),
    ("西一村", "村（社区）", "西县 山前镇", ""), ("山前镇", "乡镇", "西县", ""),
    ("东二村", "村", "没有这个镇", ""), ("东三村", "庄", "河口镇", ""),
)
PEOPLE = (
    ("姓名*", "电话", "地区*", "职责", "主备", "开始日期"),
    ("东方亮", "10000001001", "东县", "系统管理员", "主岗", "2026-01-01"),
    ("西门静", "10000001002", "西县", "系统管理员", "主岗", "2026-01-01"),
    ("东值班", "10000001003", "河口镇", "乡镇值班员", "主岗", "2026-01-01"),
    ("西值班", "10000001004", "山前镇", "乡镇值班员", "主岗", "2026-01-01"),
    ("东网格", "10000001005", "东一村", "网格员", "主岗", "2026-01-01"),
    ("西网格", "10000001006", "西一村", "网格员", "主岗", "2026-01-01"),
    ("错一", "12", "东一村", "网格员", "备岗", "2026-01-01"),
    ("错二", "10000001008", "天上村", "网格员", "备岗", "2026-01-01"),
)


@contextmanager
def served(folder: Path) -> Iterator[tuple[Demo, str]]:
    """Yield an empty installation that is served from a folder, and the path of its first run that the console printed."""
    said, port = folder / "said.txt", free_port()
    with said.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "shouwang.cli.main", "serve", "--port", str(port)], cwd=ROOT,
            env={**environ_of(folder), "COLUMNS": "300", "NO_COLOR": "1"}, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )
    try:
        yield Demo(f"http://127.0.0.1:{port}", {}, folder), _first_run(said, port, running)
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=30)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _first_run(said: Path, port: int, running: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + START_S
    while time.monotonic() < until and running.poll() is None:
        found = re.search(r"http://\S+(/first-run/\S+/)", said.read_text("utf-8"))
        if found is not None and _answers(port):
            return found.group(1)
        time.sleep(0.2)
    pytest.fail(f"no first run was printed: {said.read_text('utf-8')[-2000:]}")


def workbook(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """Write a workbook and return its path."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def mended(source: Path, target: Path, changes: dict[str, str]) -> Path:
    """Write a copy of a workbook in which cells that hold a key hold its value instead."""
    book = load_workbook(source)
    sheet = book.active
    assert sheet is not None
    for row in sheet.iter_rows(min_row=2, min_col=3):
        for cell in row:
            cell.value = changes.get(str(cell.value), cell.value)
    book.save(target)
    return target
