"""A help day in the browser: two windows share the numbers out, residents without JavaScript, matters, counts; and no barrier anywhere."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from shouwang.kernel.moments import LOCAL_ZONE
from tests.browser.conftest import FIGURES, Demo, Reader, reader

pytestmark = pytest.mark.browser
MODES = [("light", "standard"), ("dark", "standard"), ("light", "elder")]
WORKED = ("", "windows/1/", "sign-ups/", "edit/", "copy/", "notice/", "sheet/")


def at(hours: int) -> str:
    """Return a moment so many hours from now, as a form takes it."""
    return f"{datetime.now(LOCAL_ZONE) + timedelta(hours=hours):%Y-%m-%dT%H:%M}"


def planned(officer: Reader, kind: str, title: str, **fields: str) -> str:
    """Plan an activity by the form, open and start it, and return its address."""
    page = officer.page
    officer.open("/activities/new/")
    page.get_by_role("link", name=kind).click()
    page.get_by_label("名称", exact=True).fill(title)
    page.get_by_label("地点").fill("文化广场")
    page.get_by_label("开始").fill(at(0))
    page.get_by_label("结束").fill(at(3))
    for label, value in fields.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="保存").click()
    page.get_by_role("button", name="发布").click()
    page.get_by_role("button", name="开始").click()
    expect(page.locator("h1")).to_contain_text("进行中")
    return page.url.removeprefix(officer.demo.address).partition("#")[0]


def public_of(page: Page, demo: Demo) -> str:
    """Return the public address that an activity's page shows as a code to scan."""
    return (page.locator(".qr-codes a").first.get_attribute("href") or "").removeprefix(demo.address)


def takes_a_number(browser: Browser, demo: Demo, public: str) -> str:
    """Take a number on a phone without JavaScript; return its page."""
    with reader(browser, demo, width=390, height=844, java_script_enabled=False) as resident:
        resident.open(public)
        resident.page.get_by_role("link", name="取号").click()
        resident.page.get_by_role("button", name="取号").click()
        expect(resident.page.locator(".called")).to_contain_text("号")
        return resident.page.url.removeprefix(demo.address)


def test_a_help_day_with_queue_numbers_two_windows_and_a_board(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("help day with queue numbers"), reader(browser, demo, demo.links["township"]) as one:
        address = planned(one, "集中帮办日", "示范帮办日", 窗口数="2")
        public = public_of(one.page, demo)
        first, second = (takes_a_number(browser, demo, public) for _ in range(2))
        assert (first[-3:], second[-3:]) == ("/1/", "/2/")
        one.page.get_by_role("button", name="给一个号").click()
        expect(one.page.locator("#messages")).to_contain_text("3 号")
        with reader(browser, demo, demo.links["county"]) as two, reader(browser, demo, f"{public}board/", width=1920, height=1080) as hall:
            one.open(f"{address}windows/1/")
            two.open(f"{address}windows/2/")
            one.page.keyboard.press("Enter")  # the first button has the focus
            two.page.get_by_role("button", name="下一位").click()
            expect(one.page.locator(".called")).to_have_text("1 号")
            expect(two.page.locator(".called")).to_have_text("2 号")
            expect(hall.page.locator(".board-last")).to_have_text("请 2 号到 2 号窗口")  # by itself
            expect(hall.page.locator(".board-number")).to_have_text(["1", "2"])
            hall.check("board")
            with reader(browser, demo, second, width=390, height=844, java_script_enabled=False) as resident:
                expect(resident.page.locator("main")).to_contain_text("请到 2 号窗口")
            one.page.get_by_text("政策咨询").click()
            one.page.get_by_role("button", name="当场办结").click()
            expect(one.page.locator("#messages")).to_contain_text("已登记")
            two.page.get_by_text("救助申请").click()
            two.page.get_by_text("转办时留联系方式").click()
            two.page.get_by_label("电话").fill("10000004444")
            two.page.get_by_role("button", name="转责任岗位").click()
            expect(two.page.locator("#messages")).to_contain_text("已登记")
            one.page.get_by_role("button", name="办好，下一位").click()
            expect(one.page.locator(".called")).to_have_text("3 号")
            two.page.get_by_role("button", name="没来，下一位").click()
            expect(two.page.locator("#messages")).to_contain_text("暂时无人等候")
            one.page.get_by_role("button", name="办好", exact=True).click()
            one.page.get_by_role("button", name="叫 2 号").click()  # who was passed over may come to any window
            expect(one.page.locator(".called")).to_have_text("2 号")
            expect(hall.page.locator(".board-number")).to_have_text(["2", "—"])
        one.open(address)
        one.page.get_by_role("button", name="+5", exact=True).click()
        expect(one.page.locator("#attendance")).to_contain_text("5 人次")
        one.page.get_by_label("共计（元）").fill("128.50")
        one.page.locator("#cost").get_by_role("button", name="保存").click()
        one.page.get_by_role("button", name="结束").click()
        expect(one.page.locator("h1")).to_contain_text("已结束")
        expect(one.page.locator("main .figures").first).to_contain_text("3已叫号办理")
        expect(one.page.locator("#matters")).to_contain_text("当场办结")
        expect(one.page.locator("#matters")).to_contain_text("转办中")
        with reader(browser, demo, f"{public}rate/", width=390, height=844, java_script_enabled=False) as resident:
            resident.page.get_by_role("button", name="非常满意").click()
            expect(resident.page.locator("main")).to_contain_text("谢谢您的评价")


def test_a_guardian_signs_a_child_up_without_javascript_and_takes_it_back_in_one_tap(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("sign-up with a guardian's consent"), reader(browser, demo, demo.links["township"]) as officer:
        address = planned(officer, "安全课", "防溺水安全课", 名额="20")
        public = public_of(officer.page, demo)
        with reader(browser, demo, public, width=390, height=844, java_script_enabled=False) as guardian:
            guardian.expected.append("422")
            page = guardian.page
            page.get_by_label("姓名", exact=True).fill("示例童")
            page.get_by_label("电话").fill("10000005555")
            page.get_by_text("未满 18 周岁", exact=True).click()
            page.get_by_role("button", name="报名").click()
            expect(page.locator(".error-summary")).to_contain_text("需要监护人同意")
            page.get_by_label("监护人姓名").fill("示例母")
            page.get_by_label("与参加者的关系").fill("母亲")
            page.get_by_text("我同意").click()
            page.get_by_role("button", name="报名").click()
            expect(page.locator("main")).to_contain_text("报名成功")
            officer.open(f"{address}sign-ups/")
            expect(officer.page.locator("table")).to_contain_text("示**（母亲） · 2026-1")
            page.get_by_role("button", name="取消报名并撤回同意").click()
            expect(page.locator("main")).to_contain_text("报名已取消")


@pytest.mark.parametrize(("theme", "display"), MODES)
def test_no_barrier_on_any_page_of_activities(browser: Browser, demo: Demo, theme: str, display: str) -> None:
    with reader(browser, demo, demo.links["township"], theme=theme, display=display) as officer:
        address = planned(officer, "志愿服务日", "示范服务日", 名额="1", 窗口数="2")
        public = public_of(officer.page, demo)
        officer.page.get_by_role("button", name="给一个号").click()
        officer.open(f"{address}sign-ups/")
        officer.page.get_by_label("姓名", exact=True).fill("示例甲")
        officer.page.get_by_label("电话").fill("10000006666")
        officer.page.get_by_role("button", name="报名").click()
        officer.open(f"{address}windows/1/")
        officer.page.get_by_role("button", name="下一位").click()
        for part in WORKED:
            officer.open(address + part)
            officer.check(f"activity {part}")
        for path in ("/activities/", "/activities/calendar/", "/activities/new/"):
            officer.open(path)
            officer.check(path)
        officer.open(address)
        officer.page.get_by_text("取消活动").first.click()
        officer.page.get_by_text("登记一件").click()
        officer.check("activity with its forms open")
    with reader(browser, demo, width=320, height=640, theme=theme, display=display) as resident:
        for part in ("", "number/", "number/1/", "rate/", "board/"):
            resident.open(public + part)
            resident.check(f"public {part}")
        resident.expected.append("422")
        resident.open(public)
        resident.page.get_by_role("button", name="报名").click()
        resident.page.wait_for_load_state("load")
        resident.check("public with corrections")
        resident.page.get_by_label("姓名", exact=True).fill("示例乙")
        resident.page.get_by_label("电话").fill("10000007777")
        resident.page.get_by_role("button", name="报名").click()
        expect(resident.page.locator("main")).to_contain_text("候补第 1 位")
        resident.check("own sign-up")
    with reader(browser, demo, demo.links["grid"], width=320, height=640, theme=theme, display=display) as worker:
        for path in ("/activities/", "/activities/calendar/", "/activities/new/", "/activities/new/?kind=SERVICE_DAY"):
            worker.open(path)
            worker.check(f"grid worker {path}")
