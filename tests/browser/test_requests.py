"""Journeys of requests: a call that comes back as not solved, a resident without JavaScript, a grid worker without a network, a hotline's list."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from shouwang.places.rules.spelling import spelling
from shouwang.requests.rules.lines import EXAMPLE, HEADINGS
from tests.browser.conftest import FIGURES, Demo, reader
from tests.browser.hands import Hands, job

pytestmark = pytest.mark.browser
CALLER = "10000004321"
MODES = [("light", "standard"), ("dark", "standard"), ("light", "elder")]
LIAOCHENG = {"longitude": 115.98, "latitude": 36.45}


def photo(folder: Path) -> Path:
    """Return a picture in a file."""
    kept = folder / "photo.jpg"
    Image.new("RGB", (64, 48), "navy").save(kept, "JPEG")
    return kept


def village_of(browser: Browser, demo: Demo) -> tuple[str, str]:
    """Return the names of the grid worker's township and village, and the address of the village's form."""
    with reader(browser, demo, demo.links["grid"], width=390, height=844) as worker:
        worker.open("/field-report/")
        said = worker.page.locator("[data-place-said]").text_content() or ""
        township, name = said.rpartition("：")[2].split()[-2:]
    with reader(browser, demo, demo.links["duty"]) as officer:
        officer.open(f"/requests/posters/?place={township} {name}")
        found = re.search(r"/report/(\d+)/", officer.page.content())
        assert found is not None
        return f"{township} {name}", found.group(0)


def follow(page: Page, demo: Demo, number: str, *, hands: Hands | None = None) -> None:
    """Find a report by its number and the last four digits of the phone."""
    own = hands or Hands(page)
    page.goto(demo.address + "/progress/")
    page.get_by_label("编号").focus()
    own.write(number)
    page.get_by_label("电话后四位").focus()
    own.write(CALLER[-4:])
    own.click(page.get_by_role("button", name="查询"))
    expect(page.get_by_role("heading", name="经过")).to_be_visible()


@pytest.mark.jobs
def test_a_call_is_handled_comes_back_as_not_solved_and_is_opened_again_above(browser: Browser, demo: Demo) -> None:
    name, _ = village_of(browser, demo)
    with FIGURES.timed("call to not solved"):
        with reader(browser, demo, demo.links["duty"]) as operator:
            operator.open("/requests/new/")
            page = operator.page
            expect(page.get_by_label("来电号码")).to_be_focused()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            with job("telephone_entry", page) as hands:
                hands.write(CALLER)
                hands.press("Tab", "2", "Tab")  # 2 路灯、照明
                hands.write(" ".join(spelling(word).split()[1] for word in name.split()))
                expect(page.locator("#nearby label", has_text=name).get_by_role("radio")).to_be_checked(timeout=20_000)
                hands.press("Tab")
                hands.write("村委会门前")
                hands.press("Tab")
                hands.write("路灯三天不亮")
                hands.press("Enter")
                expect(page.get_by_role("heading", name="已登记")).to_be_visible()
            assert not any(CALLER in url for url in asked), "a phone never stands in an address"
            expect(page.get_by_role("link", name="再登记一件")).to_be_focused()
            number = (page.locator(".figure-value").text_content() or "").strip()
            FIGURES.telephone_entry_s = hands.counted()["seconds"]
            operator.check("receipt")
            page.keyboard.press("Enter")
            expect(page.get_by_label("来电号码")).to_be_focused()
            page.keyboard.type("10000008765")
            page.keyboard.press("Tab")
            page.keyboard.press("2")
            page.keyboard.press("Tab")
            page.keyboard.insert_text(name)
            doubles = page.get_by_role("group", name="附近相同的诉求")
            expect(doubles).to_contain_text("路灯三天不亮")  # before anything is saved
            operator.check("doubles")
            doubles.get_by_role("radio").nth(1).check()
            page.get_by_label("什么事").fill("我也看不清")
            page.get_by_label("什么事").press("Enter")
            expect(page.get_by_text("已有 2 人反映")).to_be_visible()
        with reader(browser, demo, demo.links["grid"], width=390, height=844) as worker:
            page = worker.page
            worker.open("/tasks/")
            page.locator("article", has_text="路灯").get_by_role("link", name="打开任务").click()
            expect(page.get_by_role("heading", name="路灯三天不亮")).to_be_visible()
            page.get_by_role("button", name="我去处置").click()
            expect(page.locator(f'a[href="tel:{CALLER}"]')).to_be_visible()
            worker.check("task of a request")
            page.get_by_text("已解决", exact=True).click()
            page.get_by_text("当场处理好").click()
            page.locator("details[open]").get_by_role("button", name="办结").click()
            expect(page.get_by_text("已办结，谢谢。")).to_be_visible()
        with reader(browser, demo, width=390, height=844) as resident, job("answer", resident.page) as hands:
            page = resident.page
            follow(page, demo, number, hands=hands)
            for _ in range(20):  # the worker tells the reporter within a moment
                if page.get_by_role("button", name="没有解决").count():
                    break
                page.wait_for_timeout(300)
                page.reload()
            resident.check("solved or not")
            page.get_by_label("哪里没解决").fill("还是不亮")
            hands.click(page.get_by_role("button", name="没有解决"))
            expect(page.get_by_text("上一级正在重新办理")).to_be_visible()
            expect(page.get_by_text("您说没有解决，已交上一级重新办理")).to_be_visible()
        with reader(browser, demo, demo.links["township"], width=390, height=844) as township:
            page = township.page
            township.open("/tasks/")
            page.locator("article", has_text="路灯").get_by_role("link", name="打开任务").click()
            expect(page.get_by_text("反映人说没有解决：还是不亮")).to_be_visible()


def test_a_resident_reports_without_javascript(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    _, address = village_of(browser, demo)
    with FIGURES.timed("resident without JavaScript"), reader(browser, demo, width=360, height=740, java_script_enabled=False) as resident:
        page = resident.page
        resident.open(address)
        assert page.locator("form .field:visible").count() == 5  # three questions, a phone, and photos for whoever has some
        expect(page.get_by_text("110")).to_be_visible()
        page.get_by_label("哪一类").select_option("WASTE")
        page.get_by_label("什么事").fill("垃圾三天没人收")
        page.get_by_label("具体在哪里").fill("小学西墙外")
        page.get_by_label("照片").set_input_files(photo(tmp_path))
        page.get_by_role("button", name="提交").click()  # the phone is missing: the browser itself says so
        assert page.url.endswith(address)
        page.get_by_label("您的电话").fill(CALLER)
        page.get_by_role("button", name="提交").click()
        expect(page.get_by_text("已收到。请记下编号。")).to_be_visible()
        expect(page.get_by_role("img", name="扫码查进度")).to_be_visible()
        number = (page.locator(".figure-value").text_content() or "").strip()
        follow(page, demo, number)
        expect(page.get_by_text("已交给网格员")).to_be_visible()


@pytest.mark.jobs
def test_a_grid_worker_reports_in_five_taps_without_a_network(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    place = {"geolocation": LIAOCHENG, "permissions": ["geolocation"]}
    with FIGURES.timed("report from the field"), reader(browser, demo, demo.links["grid"], width=390, height=844, **place) as worker:
        page = worker.page
        with job("field_report", page) as hands:
            hands.click(page.get_by_role("navigation").get_by_role("link", name="上报"))
            expect(page.locator("[data-place-said]")).to_contain_text("已取得现在的位置")
            hands.choose_file(page.get_by_label("照片"), photo(tmp_path))
            hands.click(page.get_by_label("什么事"))
            hands.write("电线杆倾斜，有危险")
            worker.set_offline(True)
            hands.click(page.get_by_role("button", name="上报", exact=True))
            expect(page.locator("[data-unsent-count]")).to_have_text("1 条未发送")
        page.get_by_label("什么事").fill("井盖丢了一个")
        page.get_by_role("button", name="上报", exact=True).click()
        expect(page.locator("[data-unsent-count]")).to_have_text("2 条未发送")
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            worker.set_offline(False)
        expect(page.locator("[data-unsent]")).to_be_hidden()
        page.reload()
        expect(page.get_by_role("heading", name="电线杆倾斜").or_(page.get_by_text("电线杆倾斜，有危险"))).to_be_visible()
        expect(page.get_by_text("井盖丢了一个")).to_be_visible()
        FIGURES.report_taps = hands.clicks


def test_a_hotline_list_gives_its_bad_rows_back(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    name, _ = village_of(browser, demo)
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append([names[0] for names in HEADINGS.values()])
    sheet.append([*EXAMPLE[:2], "垃圾、污水", name, *EXAMPLE[4:]])  # another kind than the call's
    sheet.append(["RX-0002", "昨天", "", "没有这个村", "", "下水道堵了", "", "12"])
    made.save(tmp_path / "hotline.xlsx")
    with FIGURES.timed("hotline list"), reader(browser, demo, demo.links["township"]) as officer:
        page = officer.page
        officer.open("/requests/")
        page.get_by_role("link", name="导入热线工单").click()
        page.get_by_label("文件").set_input_files(tmp_path / "hotline.xlsx")
        page.get_by_role("button", name="预览").click()
        expect(page.get_by_text("可以导入 1 件")).to_be_visible()
        officer.check("preview of a list")
        with page.expect_download() as download:
            page.get_by_role("link", name="下载问题行").click()
        bad = load_workbook(io.BytesIO(Path(download.value.path()).read_bytes())).active
        assert bad is not None
        assert [row[0] for row in bad.iter_rows(values_only=True)] == ["行号", "3"]
        page.get_by_role("button", name="导入 1 件").click()
        expect(page.get_by_text("新导入 1 件")).to_be_visible()
        page.get_by_role("link", name="查看诉求").click()
        expect(page.locator("main")).to_contain_text("热线转办")


@pytest.mark.parametrize(("theme", "display"), MODES)
def test_no_barrier_on_any_page_of_requests(browser: Browser, demo: Demo, theme: str, display: str) -> None:
    _, address = village_of(browser, demo)
    with reader(browser, demo, width=320, height=640, theme=theme, display=display) as resident:
        for path in ("/report/", address, "/progress/"):
            resident.open(path)
            resident.check(path)
        resident.open("/progress/")
        resident.expected.append("422")
        resident.page.get_by_label("编号").fill("123")
        resident.page.get_by_label("电话后四位").fill("1")
        resident.page.get_by_role("button", name="查询").click()
        resident.page.wait_for_load_state("load")
        resident.check("progress with errors")
        resident.open(address)
        resident.page.get_by_label("什么事").fill("路面有坑")
        resident.page.get_by_label("您的电话").fill(CALLER)
        resident.page.get_by_role("button", name="提交").click()
        expect(resident.page.get_by_role("heading", name="经过")).to_be_visible()
        resident.check("follow")
    with reader(browser, demo, demo.links["duty"], theme=theme, display=display) as officer:
        for path in ("/requests/", "/requests/new/", "/requests/import/", "/requests/posters/"):
            officer.open(path)
            officer.check(path)
        officer.open("/requests/")
        officer.page.locator("tbody a").first.click()
        officer.page.wait_for_load_state("load")
        officer.page.get_by_text("查看电话").first.click()
        officer.check("one request")
    with reader(browser, demo, demo.links["grid"], width=320, height=640, theme=theme, display=display) as worker:
        worker.open("/field-report/")
        worker.check("field report")
