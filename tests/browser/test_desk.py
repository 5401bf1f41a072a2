"""The desk of a hall in the browser: search by keyboard, a saved view, the red bar and its tone, and a steady stream of events."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.relay import Relay
from tests.browser.conftest import FIGURES, ROOT, Demo, environ_of, reader

pytestmark = pytest.mark.browser
NEVER_STOPS_S = 3.0
NO_NETWORK_S = 30
AGAIN_MS = 40_000
# Counts the tones instead of playing them; as in a browser, nothing runs before a gesture.
COUNTED = """
window.tones = 0;
class Node { constructor() { this.frequency = {}; this.gain = {setValueAtTime() {}, exponentialRampToValueAtTime() {}}; }
  connect(to) { return to; } start() { window.tones += 1; } stop() {} }
window.AudioContext = class { constructor() { this.state = "suspended"; this.currentTime = 0; }
  createOscillator() { return new Node(); } createGain() { return new Node(); }
  async resume() { if (navigator.userActivation.hasBeenActive) { this.state = "running"; this.onstatechange?.(); } } };
"""


def tones(page: Page) -> int:
    return int(page.evaluate("window.tones"))


def test_the_search_is_used_by_keyboard_alone(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("search by keyboard"), reader(browser, demo, demo.links["county"]) as officer:
        page = officer.page
        page.keyboard.press("Control+k")
        field = page.get_by_role("textbox", name="搜索")
        expect(field).to_be_focused()
        page.keyboard.type("ysyc", delay=20)
        lines = page.locator(".search-found a")
        expect(lines.first).to_contain_text("独居老人用水异常")
        officer.check("search dialog")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(lines.nth(1)).to_be_focused()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        expect(field).to_be_focused()
        page.keyboard.press("Escape")
        expect(field).to_be_hidden()
        page.keyboard.press("/")
        expect(field).to_be_focused()
        page.keyboard.type("djga")
        page.keyboard.press("Enter")  # before the lines are there: the first is opened when they are
        page.wait_for_url("**/living-alone/")
        expect(page.locator("h1")).to_be_visible()
    with reader(browser, demo, demo.links["county"], java_script_enabled=False) as plain:
        plain.page.get_by_role("link", name="搜索").click()
        plain.page.get_by_role("searchbox").fill("ysyc")
        plain.page.get_by_role("button", name="搜索").click()
        expect(plain.page.get_by_role("link", name="独居老人用水异常").first).to_be_visible()


def test_a_view_is_saved_opened_and_its_deletion_taken_back(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("saved view"), reader(browser, demo, demo.links["county"]) as officer:
        page = officer.page
        page.get_by_text("筛选").first.click()
        page.get_by_label("业务").select_option("requests")
        page.get_by_role("button", name="筛选").click()
        expect(page.locator("#queue")).to_contain_text("这个视图里没有待处置预警")
        page.locator(".desk-bar summary").click()
        page.get_by_label("存为视图").fill("只看诉求")
        page.get_by_role("button", name="保存视图").click()
        view = page.get_by_role("link", name="只看诉求")
        expect(view).to_have_attribute("aria-current", "page")
        page.get_by_role("link", name="全部", exact=True).click()
        expect(page.locator("#queue li[data-point]").first).to_be_visible()
        view.click()
        expect(page.locator("#queue")).to_contain_text("这个视图里没有待处置预警")
        page.locator(".desk-bar summary").click()
        page.get_by_role("link", name="改名或删除视图").click()
        page.get_by_role("button", name="删除").click()
        page.get_by_role("button", name="撤销").click()
        officer.check("own views")
        expect(page.get_by_role("link", name="只看诉求")).to_be_visible()


def test_a_red_case_is_shown_and_heard_until_noted_from_one_tab_alone(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("sound on red"), reader(browser, demo) as officer:
        officer.context.add_init_script(COUNTED)
        officer.open(demo.links["county"])
        page = officer.page
        expect(page.get_by_role("region", name="红色预警")).to_be_hidden()
        page.get_by_role("button", name="红色提示音").click()
        expect(page.get_by_role("button", name="红色提示音")).to_have_text("红色提示音：开")
        heard = tones(page)
        assert heard == 3  # as a proof
        other = officer.context.new_page()
        other.goto(demo.address + "/desk/")
        expect(other.get_by_role("button", name="红色提示音")).to_have_text("红色提示音：点一下页面才能响")
        other.mouse.click(700, 5)
        expect(other.get_by_role("button", name="红色提示音")).to_have_text("红色提示音：开")
        first = demo.step("red", 1)["case"]
        bar = page.get_by_role("region", name="红色预警")
        expect(bar).to_contain_text(f"{first:05d}")
        expect(other.get_by_role("region", name="红色预警")).to_contain_text(f"{first:05d}")
        expect(page.get_by_role("button", name="1 条新预警")).to_be_visible()  # the queue itself did not move
        officer.check("red bar")
        page.wait_for_timeout(5000)
        rings = [tones(page) - heard, tones(other)]
        assert 0 in rings
        assert sum(rings) >= 6
        page.reload()
        expect(bar).to_be_visible()  # a reload is no answer
        page.get_by_role("button", name="知道了").click()
        expect(bar).to_be_hidden()
        expect(other.get_by_role("region", name="红色预警")).to_be_hidden()
        second = demo.step("red", 1)["case"]
        expect(bar).to_contain_text(f"{second:05d}")
        bar.get_by_role("button", name="打开").click()
        expect(page.locator("#drawer")).to_contain_text(f"{second:05d}")
        expect(bar).to_be_hidden()
        other.close()


def test_ten_events_a_second_do_not_keep_the_desk_from_being_renewed(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("steady stream"), reader(browser, demo, demo.links["county"]) as officer:
        renewed: list[datetime] = []
        officer.page.on("request", lambda request: renewed.append(datetime.now(UTC)) if "/desk/queue/" in request.url else None)
        expect(officer.page.locator("[data-connection]")).to_have_attribute("data-state", "live")
        told = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.steps", "notes", "1", "60"], cwd=ROOT, env=environ_of(demo.folder), stdout=subprocess.DEVNULL,
        )
        _until_ended(officer.page, told)
        assert 5 <= len(renewed) <= 14
        gaps = [(later - earlier).total_seconds() for earlier, later in zip(renewed, renewed[1:], strict=False)]
        assert max(gaps) < NEVER_STOPS_S


def _until_ended(page: Page, running: subprocess.Popen[bytes]) -> None:
    """Let the page work until a process has ended, at most 20 s."""
    for _ in range(200):
        if running.poll() is not None:
            return
        page.wait_for_timeout(100)
    running.kill()
    pytest.fail("the stream of events did not end")


def test_thirty_seconds_without_network_lose_nothing_and_say_so(browser: Browser, demo: Demo) -> None:
    with Relay(int(demo.address.rpartition(":")[2])) as relay:
        through = replace(demo, address=f"http://127.0.0.1:{relay.port}")
        with FIGURES.timed("thirty seconds without network"), reader(browser, through, demo.links["county"]) as officer:
            page, connection = officer.page, officer.page.locator("[data-connection]")
            expect(connection).to_have_attribute("data-state", "live")
            page.evaluate("window.heard = []; document.addEventListener('shouwang:case', ({detail}) => window.heard.push([detail.id, detail.kind]))")
            before = demo.step("red", 1)["case"]
            expect(page.get_by_role("button", name="1 条新预警")).to_be_visible()
            officer.offline = True
            relay.cut()
            expect(connection).to_have_attribute("data-state", "down")
            expect(connection).to_contain_text("连接中断，正在重连")
            missed = [demo.step("red", 1)["case"] for _ in range(3)]
            page.wait_for_timeout(NO_NETWORK_S * 1000)
            expect(connection).to_contain_text("最近数据")
            officer.check("desk without network")
            relay.mend()
            expect(connection).to_have_attribute("data-state", "live", timeout=AGAIN_MS)
            officer.offline = False
            expect(page.get_by_role("button", name="4 条新预警")).to_be_visible()
            expect(page.get_by_role("region", name="红色预警")).to_contain_text(f"{missed[-1]:05d}")
            heard = [case for case, kind in page.evaluate("window.heard") if kind == "case.opened"]
            assert heard == [before, *missed]  # each once, in order
            page.get_by_role("button", name="知道了").click()
