"""An administrator registers a loudspeaker, hears that it sounds, and finds what is wrong; the device holds the tone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from shouwang.notify.rules.audio import loudness_of, seconds_of
from tests.browser.conftest import FIGURES, Demo, reader
from tests.notify.speakers.contract import PASSWORD, USER, serve
from tests.notify.speakers.horn.test_horn import Horn

pytestmark = pytest.mark.browser
MODES = [("light", "standard", 1366), ("dark", "standard", 1366), ("light", "elder", 390), ("light", "standard", 320)]


@pytest.fixture(scope="module", autouse=True)
def _allowed() -> Iterator[None]:
    """Let the demo reach devices on this machine: what a maintainer does for the cameras' network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOUWANG_WEBHOOK_ALLOW", "127.0.0.1")
        yield


@pytest.fixture
def horn() -> Iterator[Horn]:
    yield from serve(Horn())


def test_a_horn_is_registered_and_sounds(browser: Browser, _allowed: None, demo: Demo, horn: Horn, tmp_path: Path) -> None:
    with reader(browser, demo, demo.links["admin"]) as who, FIGURES.timed("loudspeaker registered"):
        who.open("/setup/")
        who.page.locator("main").get_by_role("link", name="喇叭").click()
        expect(who.page.get_by_text("还没有喇叭")).to_be_visible()
        who.check("no loudspeaker")
        who.page.get_by_role("link", name="登记喇叭").click()
        who.check("kinds")
        who.page.get_by_role("link", name="网络喇叭").click()
        who.check("form")
        for label, text in {"编号": "SK-DONG-01", "名称": "示范水库东岸音柱", "播放接口地址": f"{horn.url}/play", "用户名": USER, "密码或令牌": PASSWORD}.items():
            who.page.get_by_label(label).first.fill(text)
        who.page.get_by_label("地区", exact=True).fill("不存在的地方")
        who.expected.append("422")
        who.page.get_by_role("button", name="保存").click()
        expect(who.page.get_by_role("alert")).to_contain_text("没有找到唯一的区域")
        who.page.get_by_label("地区", exact=True).fill("371500")
        who.page.get_by_label("密码或令牌").fill(PASSWORD)
        who.page.get_by_role("button", name="保存").click()
        who.page.get_by_role("button", name="播放测试音").click()
        expect(who.page.get_by_text("喇叭已响")).to_be_visible()
        (taken,) = horn.taken
        assert taken.samples is not None
        assert (0.5, True) == (seconds_of(taken.samples), 0 < loudness_of(taken.samples) < 0.1)
        who.check("loudspeaker")
        address = who.page.url.removeprefix(demo.address)
    for theme, display, width in MODES:
        with reader(browser, demo, demo.links["admin"], theme=theme, display=display, width=width) as who:
            for path in (address, "/settings/speakers/", "/settings/speakers/new/"):
                who.open(path)
                who.check(f"{path} {theme} {display} {width}")
                who.page.screenshot(path=tmp_path / f"{path.strip('/').replace('/', '-')}-{theme}-{display}-{width}.png", full_page=True)
