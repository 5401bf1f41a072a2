"""The guide in a real browser: no accessibility violation in any theme and size, nothing wider than the screen, no error, no other host."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from shouwang.ui import assets

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
CHROMIUM = Path("/usr/bin/chromium")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Quiet(WSGIRequestHandler):
    """A request handler that keeps no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@pytest.fixture
def address(ui_settings: None) -> Iterator[str]:
    """Serve the ui room in a thread; yield its address."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a headless Chromium."""
    if not CHROMIUM.exists() or assets.missing() or not AXE.exists():
        pytest.skip(f"skipped: needs {CHROMIUM} and the built assets (python -m shouwang.ui.assets)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


def context_of(
    browser: Browser, address: str, *, width: int = 1366, language: str = "zh", theme: str = "light", display: str = "standard"
) -> BrowserContext:
    """Return a browser context of one reader."""
    context = browser.new_context(viewport={"width": width, "height": 2400}, locale="zh-CN")
    chosen = {"sw_language": language, "sw_theme": theme, "sw_display": display}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in chosen.items()])
    return context


def opened(context: BrowserContext, url: str) -> tuple[Page, list[str]]:
    """Open a page; return it and the list that errors and requests to other hosts are added to."""
    page, faults = context.new_page(), []
    host = re.match(r"http://[^/]+", url)
    page.on(
        "console",
        lambda message: (
            faults.append(message.text) if message.type == "error" and "no-stream" not in message.location["url"] else None
        ),
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: (
            faults.append(request.url) if host and not request.url.startswith((host[0], "data:", "blob:")) else None
        ),
    )
    page.goto(url)
    page.wait_for_load_state("load")
    return page, faults


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("display", ["standard", "large", "elder"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "width"),
    [("/ui/guide/", 1366), ("/ui/guide/", 320), ("/ui/guide/list/", 768), ("/ui/guide/phone/", 375), ("/ui/guide/phone/", 320)],
)
def test_no_barrier_no_overflow_no_fault(
    browser: Browser, address: str, path: str, width: int, theme: str, display: str, language: str
) -> None:
    context = context_of(browser, address, width=width, language=language, theme=theme, display=display)
    page, faults = opened(context, address + path)
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE.read_text("utf-8") + ";0"})
    violations = page.evaluate(
        "rules => axe.run({runOnly: rules}).then(found => found.violations.map(v => [v.id, ...v.nodes.map(n => n.html)]))",
        RULES,
    )
    assert violations == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []
    context.close()


def test_a_switch_works_under_the_sites_own_policies(browser: Browser, address: str) -> None:
    context = context_of(browser, address)
    page, faults = opened(context, address + "/ui/guide/list/")
    page.get_by_text("显示").click()
    page.get_by_role("button", name="深色").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert faults == []
    context.close()


def test_a_row_is_walked_to_by_key_and_keys_can_be_switched_off(browser: Browser, address: str) -> None:
    context = context_of(browser, address)
    page, _ = opened(context, address + "/ui/guide/list/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="411")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("searchbox").blur()
    page.keyboard.press("?")
    page.get_by_label("启用单键快捷键").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    context.close()


def test_what_could_not_be_sent_is_kept_counted_and_sent_once_the_network_is_back(browser: Browser, address: str) -> None:
    context = context_of(browser, address, width=375)
    page, _ = opened(context, address + "/ui/guide/phone/")
    context.set_offline(True)
    page.get_by_role("button", name="我去处置").first.click()
    expect(page.locator("[data-unsent-count]")).to_have_text("1 条未发送")
    expect(page.get_by_text("没有网络，已存在手机里")).to_be_visible()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    context.set_offline(False)
    expect(page.locator("[data-unsent]")).to_be_hidden()
    assert len(sent) == 1
    assert "guide-410" in sent[0]
    context.close()


def test_the_phone_works_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/ui/guide/phone/")
    page.get_by_role("button", name="我去处置").first.click()
    assert page.url == address + "/ui/guide/phone/"
    context.close()
