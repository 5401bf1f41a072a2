"""The list of homes to care for, carried along: it opens without a network, takes an absence in one tap, and sends it later."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cable import cable
from tests.browser.conftest import FIGURES, Demo, reader

pytestmark = pytest.mark.browser
KEPT = "caches.open('shouwang-care').then(kept => kept.keys()).then(all => all.map(each => new URL(each.url).pathname))"
PARTS = {"/living-alone/care/", "/static/ui/shouwang.css", "/static/ui/built/phone.js", "/static/living_alone/care.js"}
PATIENCE_S = 40
MODES = [("light", "standard"), ("dark", "standard"), ("light", "elder")]


def wait_until_kept(page: Page) -> None:
    """Wait until the service worker has kept the list with its parts."""
    until = time.monotonic() + PATIENCE_S
    while missing := PARTS - set(page.evaluate(KEPT)):
        assert time.monotonic() < until, f"not kept: {missing}"
        time.sleep(0.2)


def test_the_care_list_opens_without_a_network_and_an_absence_noted_there_is_sent_later(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("living alone: care list without a network"), cable(urlsplit(demo.address).port or 0) as line:
        wired = replace(demo, address=line.address)
        with reader(browser, wired, demo.links["grid"], width=390, height=844) as worker:
            page = worker.page
            worker.open("/living-alone/care/")
            wait_until_kept(page)
            expect(page.locator("[data-no-network]")).to_be_hidden()
            home = page.locator("article.task").filter(has=page.get_by_role("button", name="今晚不在家")).last
            where = home.locator("h2").inner_text() + " " + home.locator("h2 + p").inner_text().rpartition(" ")[2]
            worker.offline = True  # what fails meanwhile is no fault
            line.pull()
            page.reload()
            expect(page.locator("[data-no-network]")).to_contain_text("没有网络，这是")
            page.get_by_role("button", name=f"今晚不在家 {where}").click()
            expect(page.locator("[data-unsent-count]")).to_have_text("1 条未发送")
            page.reload()
            expect(page.locator("[data-unsent-count]")).to_have_text("1 条未发送")
            line.plug()
            page.get_by_role("button", name="现在发送").click()
            expect(page.locator("[data-unsent]")).to_be_hidden()
            worker.offline = False
            page.reload()
            expect(page.get_by_role("button", name=f"人已在家 {where}")).to_be_visible()
            expect(page.locator("[data-no-network]")).to_be_hidden()
            worker.check("care list")
            worker.open("/tasks/")
            page.get_by_role("button", name="退出登录").click()
            page.wait_for_url("**/sign-in/**")
            assert [] == page.evaluate("caches.keys()"), "whoever signs out leaves no list behind"


@pytest.mark.parametrize(("theme", "display"), MODES)
def test_the_care_list_reads_at_320_px(browser: Browser, demo: Demo, theme: str, display: str) -> None:
    with reader(browser, demo, demo.links["grid"], width=320, height=640, theme=theme, display=display) as worker:
        worker.open("/living-alone/care/")
        expect(worker.page.get_by_role("button", name="今晚不在家").first).to_be_visible()
        worker.check(f"care list {theme} {display}")
