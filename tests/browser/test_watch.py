"""The watch is handed over from one to the other; and whoever looks at the demo by its practices comes to each running loop."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import FIGURES, Demo, reader

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("theme", "display"), [("light", "standard"), ("dark", "standard"), ("light", "elder")])
def test_the_watch_is_handed_over_and_both_sign(browser: Browser, demo: Demo, theme: str, display: str) -> None:
    with FIGURES.timed("shift hand-over"), reader(browser, demo, demo.links["duty"], theme=theme, display=display) as giver:
        giver.page.get_by_role("link", name="交班", exact=True).click()
        expect(giver.page.get_by_role("heading", name="未办结")).to_be_visible()
        assert giver.page.locator(".log a[href^='/cases/']").count() > 0, "what is open is listed"
        giver.check("hand-over")
        to = giver.page.get_by_label("接班人")
        person = to.locator("option:not([value=''])").first.get_attribute("value") or ""
        to.select_option(person)
        giver.page.get_by_label("交代事项").fill("下午给张家老人回电，备用钥匙在村委")
        giver.page.get_by_role("button", name="签名交班").click()
        giver.page.wait_for_url("**/handover/*/")
        expect(giver.page.get_by_text("等待签名")).to_be_visible()
        giver.check("hand-over given")
        path = giver.page.url.removeprefix(demo.address)
        with reader(browser, demo, demo.step("enter", int(person))["address"], theme=theme, display=display) as taker:
            taker.open(path)
            expect(taker.page.get_by_text("备用钥匙在村委")).to_be_visible()
            taker.check("hand-over to take")
            taker.page.get_by_role("button", name="签名接班").click()
            expect(taker.page.get_by_text("等待签名")).to_have_count(0)
            taker.open(f"{path}?format=print")
            expect(taker.page.get_by_text("备用钥匙在村委")).to_be_visible()
        giver.page.reload()
        expect(giver.page.get_by_text("等待签名")).to_have_count(0)
        expect(giver.page.get_by_role("button", name="签名接班")).to_have_count(0)


@pytest.mark.parametrize(("theme", "display"), [("light", "standard"), ("dark", "standard"), ("light", "elder")])
def test_each_card_of_the_tour_opens_its_running_loop(browser: Browser, demo: Demo, theme: str, display: str) -> None:
    with FIGURES.timed("tour"), reader(browser, demo, theme=theme, display=display) as guest:
        guest.open("/")
        expect(guest.page.get_by_role("heading", name="按实践看系统")).to_be_visible()
        guest.check("tour")
        opens = [link.get_attribute("href") or "" for link in guest.page.locator("[data-opens]").all()]
        rows = [link.get_attribute("href") or "" for link in guest.page.locator(".tour-figures a").all()]
        assert len(opens) >= 3
        assert len(rows) >= 7
        for way in [*opens, *rows]:
            guest.open(way)
            expect(guest.page.locator("h1, h2").first).to_be_visible()
            assert "/sign-in/" not in guest.page.url, way
