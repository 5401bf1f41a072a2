"""An office sets itself up from nothing: first run, tree, people, accounts, ladders; and no page leaves it without a next step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import FIGURES, Demo, Reader, reader
from tests.browser.office import PASSWORD, PEOPLE, TREE, mended, served, workbook

pytestmark = pytest.mark.browser
MODES = [("light", "standard"), ("dark", "standard"), ("light", "elder")]
PAGES_AT_MOST = 150
EVERY_OFFICE = {"/places/import/", "/people/import/", "/people/roster/", "/settings/channels/", "/settings/speakers/", "/waters/", "/setup/doctor/", "/setup/procedures/", "/settings/thresholds/", "/settings/texts/", "/requests/", "/figures/"}
NEEDS_NOTHING = ("/messages/", "/late/", "/things/quarantine/", "/figures/")
"""Where nothing to do is what one hopes to find, or a list lies behind a figure that is 0."""
NEXT_STEP = """() => [...document.querySelectorAll('.empty')].filter(empty => {
    const outside = [...document.querySelectorAll('main a.button, main button.button')].filter(each => !each.closest('.list-bar, .pager, dialog'));
    return !empty.querySelector('a, button') && !outside.length;
}).map(empty => empty.textContent.trim())"""
LINKS = """() => [...document.querySelectorAll('a[href]')].filter(each => !each.hasAttribute('download')).map(each => each.href)"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[Demo, str]]:
    """Yield an empty installation and the path of its first run."""
    with served(tmp_path) as found:
        yield found


def sign_in(who: Reader, username: str) -> None:
    """Sign in with user name and password."""
    who.open("/sign-in/")
    who.page.get_by_label("用户名").fill(username)
    who.page.get_by_label("密码").fill(PASSWORD)
    who.page.locator("main").get_by_role("button", name="登录").click()
    who.page.wait_for_load_state("load")


def walk(who: Reader, start: str) -> list[str]:
    """Open every page that can be reached by links, once for each shape of address; check each and return what was opened."""
    waiting, seen, opened = [start], {start}, []
    while waiting and len(opened) < PAGES_AT_MOST:
        path = waiting.pop(0)
        answer = who.page.goto(who.demo.address + path)
        who.page.wait_for_load_state("load")
        opened.append(path)
        if answer is None or answer.status != 200:
            who.faults.append(f"{path}: {answer and answer.status}")
        who.check(path)
        if not path.startswith(NEEDS_NOTHING):
            who.faults.extend(f"{path}: nothing to do next: {text}" for text in who.page.evaluate(NEXT_STEP))
        for href in who.page.evaluate(LINKS):
            found = urlsplit(href)
            if found.netloc != urlsplit(who.demo.address).netloc or found.query or found.path in seen or found.path.endswith((".xlsx", ".json")):
                continue
            seen.add(found.path)
            waiting.append(found.path)
    assert not waiting, f"more than {PAGES_AT_MOST} pages"
    return opened


def make_first(first: Reader, path: str) -> None:
    """Make the first administrator; the password is typed differently at first."""
    page = first.page
    first.open(path)
    for label, text in (("最上级地区的名称", "试验市"), ("您的姓名", "管一凡"), ("用户名", "guan"), ("密码", PASSWORD), ("再输一次密码", "别的")):
        page.get_by_label(label, exact=True).fill(text)
    first.expected.append("422")
    page.get_by_role("button", name="建立管理员").click()
    expect(page.get_by_role("alert")).to_contain_text("两次输入的密码不一样")
    first.check("first run with errors")
    for label in ("密码", "再输一次密码"):
        page.get_by_label(label, exact=True).fill(PASSWORD)
    page.get_by_role("button", name="建立管理员").click()
    expect(page.locator(".checklist > li[aria-current]")).to_contain_text("区划")


def test_an_empty_installation_leads_to_its_first_administrator_and_nowhere_to_a_dead_end(browser: Browser, office: tuple[Demo, str]) -> None:
    demo, first_run = office
    with FIGURES.timed("first run, every page"):
        for theme, display in MODES:
            with reader(browser, demo, theme=theme, display=display) as nobody:
                nobody.open("/")
                expect(nobody.page.get_by_role("heading", name="空白开始")).to_be_visible()
                expect(nobody.page.get_by_text("shouwang demo", exact=True)).to_be_visible()
                expect(nobody.page.get_by_label("密码", exact=True)).to_have_count(0)
                nobody.check("first run, to anybody")
                nobody.open(first_run)
                nobody.check("first run, with its token")
        with reader(browser, demo, width=320, height=640) as nobody:
            nobody.open(first_run)
            nobody.check("first run at 320 px")
        with reader(browser, demo) as first:
            make_first(first, first_run)
        with reader(browser, demo) as late:
            late.open(first_run)
            expect(late.page.get_by_role("heading", name="登录")).to_be_visible()
        for theme, display in MODES:
            with reader(browser, demo, theme=theme, display=display) as first:
                sign_in(first, "guan")
                opened = walk(first, "/setup/")
            assert EVERY_OFFICE <= set(opened)


def bring_in(who: Reader, link: str, source: Path, *, good: str, folder: Path) -> Path:
    """Upload a list, look at its preview, take the bad rows as a file, import the good ones; return the bad rows."""
    page = who.page
    who.open(link)
    page.get_by_label("文件", exact=False).first.set_input_files(source)
    if page.get_by_label("文件里没有经纬度").count():
        page.get_by_label("文件里没有经纬度").check()
    page.get_by_role("button", name="预览").click()
    expect(page.locator("td.wrong-cell").first).to_be_visible()
    who.check(f"preview of {source.name}")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载问题行").click()
    bad = folder / f"bad-{source.name}"
    download.value.save_as(bad)
    page.get_by_role("button", name=good).click()
    page.wait_for_load_state("load")
    return bad


def bring_mended(who: Reader, link: str, source: Path, *, good: str) -> None:
    """Upload mended rows, of which none is wrong any more, and import them."""
    page = who.page
    who.open(link)
    page.get_by_label("文件", exact=False).first.set_input_files(source)
    if page.get_by_label("文件里没有经纬度").count():
        page.get_by_label("文件里没有经纬度").check()
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_role("heading", name="预览")).to_be_visible()
    expect(page.locator("td.wrong-cell")).to_have_count(0)
    page.get_by_role("button", name=good).click()
    page.wait_for_load_state("load")


def open_account(browser: Browser, first: Reader, initials: str, username: str) -> None:
    """Open an account for the person found by initials; in a browser of the own, the person sets a password by the link."""
    page = first.page
    first.open(f"/people/?q={initials}")
    page.locator("tbody a").first.click()
    page.get_by_label("用户名").fill(username)
    page.get_by_role("button", name="开通账号").click()
    link = page.get_by_label("进入链接").input_value()
    first.check("an account that was just opened")
    with reader(browser, first.demo) as person:
        person.page.goto(link)
        person.page.get_by_role("button", name="进入").click()
        person.page.get_by_label("新密码").fill(PASSWORD)
        person.page.get_by_role("button", name="保存").click()
        person.page.wait_for_load_state("load")


def set_ladder(who: Reader, minutes: int, place: str) -> None:
    """Publish the procedure of residents' requests with other minutes for the own county."""
    page = who.page
    who.open("/setup/procedures/")
    row = page.locator("tr", has_text="群众诉求办理")
    expect(row).to_contain_text("随软件")
    row.get_by_role("link").click()
    page.get_by_label("村（社区） 网格员 签收时限（分钟）").first.fill(str(minutes))
    page.get_by_role("button", name=f"为{place}发布").click()
    expect(page.locator("main")).to_contain_text(f"来自：{place}")
    expect(page.locator("main")).to_contain_text("本地区自有")
    who.check("the own procedure")


def set_threshold(who: Reader, litres: int, place: str) -> None:
    """Let the own county's meters be judged by other litres, after a look at how many meters that concerns."""
    page = who.page
    who.open("/settings/thresholds/")
    panel = page.get_by_role("region", name="24 小时用水过少或过多")
    expect(panel).to_contain_text("现为 10，来自：随软件")
    panel.get_by_label("用水少于").fill("1e9")
    panel.get_by_role("button", name="看影响多少水表").click()
    expect(panel.get_by_label("用水少于")).to_be_focused()
    panel.get_by_label("用水少于").fill(str(litres))
    panel.get_by_role("button", name="看影响多少水表").click()
    expect(page.get_by_text("将改变 0 只水表的判断")).to_be_visible()
    who.check("how many meters other numbers concern")
    page.get_by_role("button", name="保存").click()
    expect(panel.get_by_label("用水少于")).to_have_value(str(litres))
    expect(panel).to_contain_text("本地区规定；上级为 10（随软件）")
    expect(page.locator(".log")).to_contain_text(f"用水少于 {litres} 升")
    expect(page.get_by_role("heading", level=1)).to_contain_text(place)
    who.check("the own thresholds")


def set_text(who: Reader, words: str) -> None:
    """Give the own county's people other words for a new task: a wrong name is refused, a preview shown, then saved, then given up."""
    page = who.page
    who.open("/settings/texts/")
    panel = page.get_by_role("region", name="新任务")
    who.expected.append("422")
    panel.get_by_label("中文").fill("{nobody}")
    panel.get_by_role("button", name="在本地区保存").click()
    expect(page.get_by_role("alert")).to_contain_text("nobody")
    panel.get_by_label("中文").fill(words + "：{reason}")
    panel.get_by_role("button", name="预览").click()
    expect(panel).to_contain_text(f"收到时：{words}")
    panel.get_by_role("button", name="在本地区保存").click()
    expect(panel).to_contain_text("本地区自有")
    who.check("the own words")
    panel.get_by_role("button", name="改用上级的").click()
    expect(panel).not_to_contain_text("本地区自有")


def case_of_a_call(who: Reader, village: str) -> None:
    """Take down a call about a village and open its case."""
    page = who.page
    who.open("/requests/new/")
    page.get_by_label("来电号码").fill("10000002001")
    page.keyboard.press("Tab")
    page.keyboard.press("2")
    page.keyboard.press("Tab")
    page.keyboard.insert_text(village)
    expect(page.locator("#nearby label", has_text=village).get_by_role("radio")).to_be_checked(timeout=20_000)
    page.get_by_label("什么事").fill("路灯不亮")
    page.get_by_label("什么事").press("Enter")
    expect(page.get_by_role("heading", name="已登记")).to_be_visible()
    who.open("/cases/")
    page.locator("tbody a").first.click()
    page.wait_for_load_state("load")


def test_an_office_brings_tree_and_people_in_and_two_counties_keep_ladders_of_their_own(
    browser: Browser, office: tuple[Demo, str], tmp_path: Path,
) -> None:
    demo, first_run = office
    with FIGURES.timed("office sets itself up"), reader(browser, demo) as first:
        make_first(first, first_run)
        page = first.page
        bad = bring_in(first, "/places/import/", workbook(tmp_path / "tree.xlsx", TREE), good="导入", folder=tmp_path)
        expect(page.get_by_text("新增 6，改动 0，不变 0，未导入 2 行")).to_be_visible()
        first.check("what an import of areas did")
        bring_mended(first, "/places/import/", mended(bad, tmp_path / "tree-2.xlsx", {"没有这个镇": "河口镇", "庄": "村"}), good="导入")
        expect(page.get_by_text("新增 2，改动 0，不变 0，未导入 0 行")).to_be_visible()
        bad = bring_in(first, "/people/import/", workbook(tmp_path / "people.xlsx", PEOPLE), good="导入 6 行", folder=tmp_path)
        expect(page.get_by_text("已添加 6 人、6 项职责")).to_be_visible()
        bring_mended(first, "/people/import/", mended(bad, tmp_path / "people-2.xlsx", {"12": "10000001007", "天上村": "西一村"}), good="导入 2 行")
        expect(page.get_by_text("已添加 2 人、2 项职责")).to_be_visible()
        first.open("/setup/")
        expect(page.locator(".checklist > li[aria-current]")).to_contain_text("账号")
        for initials, username in (("dfl", "dong"), ("xmj", "xi"), ("dzb", "dongzhen"), ("xzb", "xizhen")):
            open_account(browser, first, initials, username)
        first.open("/setup/")
        for step in ("值班表", "消息渠道", "独居关爱", "接入设备"):
            page.get_by_role("button", name=f"不用这一步：{step}").click()
            page.wait_for_load_state("load")
        expect(page.get_by_role("heading", name="首次设置")).to_have_count(0)
    with FIGURES.timed("two counties, two ladders"):
        for username, county, minutes in (("dong", "东县", 7), ("xi", "西县", 43)):
            with reader(browser, demo) as administrator:
                sign_in(administrator, username)
                set_ladder(administrator, minutes, county)
                set_threshold(administrator, minutes, county)
                set_text(administrator, f"{county}的事")
        for username, village, county, minutes in (("dongzhen", "东一村", "东县", 7), ("xizhen", "西一村", "西县", 43)):
            with reader(browser, demo) as officer:
                sign_in(officer, username)
                case_of_a_call(officer, village)
                expect(officer.page.locator("#follows")).to_contain_text("群众诉求办理")
                expect(officer.page.locator("#follows")).to_contain_text(f"来自：{county}")
                officer.check("a case that keeps to its county's procedure")
                assert demo.step("accept_minutes", int(officer.page.url.strip("/").rpartition("/")[2])) == minutes
