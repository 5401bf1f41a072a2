"""Preferences, local paths and spoken spans."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.ui.rules import CHOICES, COOKIES, Reader, local_path, reader_of, time_ago, time_left

HERE = Path(__file__).parent
SPANS = json.loads((HERE / "spans.json").read_text("utf-8"))
SPANS_JS = HERE.parents[1] / "shouwang/ui/js/spans.js"


@pytest.mark.parametrize("row", SPANS, ids=lambda row: row["en"])
def test_a_deadline_is_spoken_in_its_two_largest_units(row: dict[str, object]) -> None:
    left = timedelta(milliseconds=int(str(row["left_ms"])))
    assert (time_left(left, "zh"), time_left(left, "en")) == (row["zh"], row["en"])


def test_the_browser_speaks_the_same_sentences() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("skipped: no node on this machine")
    program = f"""
import {{ readFileSync }} from "node:fs";
const source = "data:text/javascript," + encodeURIComponent(readFileSync({json.dumps(str(SPANS_JS))}, "utf8"));
const {{ timeLeft }} = await import(source);
const rows = JSON.parse(readFileSync({json.dumps(str(HERE / "spans.json"))}, "utf8"));
console.log(JSON.stringify(rows.map((row) => ({{ left_ms: row.left_ms, zh: timeLeft(row.left_ms, "zh"), en: timeLeft(row.left_ms, "en") }}))));
"""
    done = subprocess.run([node, "--input-type=module", "-e", program], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == SPANS


@pytest.mark.parametrize(
    ("past_s", "zh", "en"),
    [(-5, "刚刚", "just now"), (59, "刚刚", "just now"), (60, "1 分前", "1 min ago"), (7500, "2 小时 5 分前", "2 h 5 min ago")],
)
def test_the_past_is_spoken(past_s: int, zh: str, en: str) -> None:
    past = timedelta(seconds=past_s)
    assert (time_ago(past, "zh"), time_ago(past, "en")) == (zh, en)


@pytest.mark.parametrize(
    "path",
    [
        "",
        None,
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "/a\nb",
        "\t//x",
        "a/b",
    ],
)
def test_a_path_off_this_site_leads_home(path: str | None) -> None:
    assert local_path(path) == "/"


@given(st.text())
def test_every_path_stays_on_this_site(path: str) -> None:
    home = "https://here.example/x/"
    assert urlsplit(urljoin(home, local_path(path))).netloc == "here.example"


@given(st.dictionaries(st.sampled_from(sorted(COOKIES.values())), st.text(max_size=12)))
def test_any_cookie_gives_a_known_preference(cookies: dict[str, str]) -> None:
    reader = reader_of(cookies)
    assert all(getattr(reader, name) in choices for name, choices in CHOICES.items())


def test_the_cookie_outranks_the_persons_own_language() -> None:
    assert reader_of({}, language="en") == Reader(language="en")
    assert reader_of({"sw_language": "zh"}, language="en") == Reader(language="zh")
