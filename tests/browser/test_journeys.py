"""Journeys through the running demo: the duty officer, the grid worker, and what happens when nobody answers."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import FIGURES, Demo, reader
from tests.browser.hands import job

pytestmark = pytest.mark.browser
WORKER_CASE, OFFICER_CASE, LADDER_CASE, GAP_CASE, AXE_CASE, PUSH_CASE = 1, 2, 3, 4, 5, 6
MODES = [("light", "standard"), ("dark", "standard"), ("light", "elder")]
DESK_PAGES = ("/cases/", f"/cases/{AXE_CASE}/", "/tasks/", "/messages/", "/places/", "/people/", "/people/roster/", "/things/")
FORGET_S = 6
TRIAL_MS = 300_000
DEPUTY, TOWNSHIP = 3, 4
"""Rungs of the welfare check: 0 and 1 are the contacts, whom the demo has no telephone to call."""


@pytest.mark.jobs
def test_journey_3_the_duty_officer_sees_the_queue_and_dispatches_in_two_clicks(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("3 duty officer"), reader(browser, demo, demo.links["duty"]) as officer:
        page = officer.page
        expect(page.locator("[data-connection]")).to_have_attribute("data-state", "live")
        row, drawer = page.locator(f"#case-{OFFICER_CASE}"), page.locator("#drawer")
        expect(row).to_contain_text("待派单")
        with job("dispatch", page) as hands:
            hands.click(row.locator("a"))
            expect(drawer.locator(".chain > li")).to_have_count(4)
            expect(drawer).to_contain_text("网格员")  # the answerable person is already chosen
            hands.click(drawer.get_by_role("button", name="派给"))
            expect(drawer).to_contain_text("已执行")
            expect(row).to_contain_text("待签收")  # the queue hears of it by the live stream
        FIGURES.dispatch_clicks = hands.clicks
        drawer.get_by_role("link", name="打开事件").click()
        expect(page.locator("[data-chart] canvas")).to_be_visible()
        expect(page.locator("#history")).to_contain_text("派单给")
        expect(page.locator(".chain time").first).to_be_visible()


def test_a_message_appears_in_the_open_inbox_and_beside_its_name(browser: Browser, demo: Demo) -> None:
    worker = demo.step("holder", PUSH_CASE)
    with reader(browser, demo, worker["address"], width=390, height=844) as phone:
        page = phone.page
        with page.expect_response(lambda answer: answer.url.split("?")[0].endswith("/stream/")):
            phone.open("/messages/")
        expect(page.locator("#inbox")).to_contain_text("还没有消息")
        demo.step("send", PUSH_CASE)
        expect(page.locator("#inbox li")).to_have_count(1)  # by the live stream: nobody has reloaded the page
        expect(page.locator("#count-push")).to_contain_text("1")


def test_what_is_new_waits_behind_a_pill(browser: Browser, demo: Demo) -> None:
    with reader(browser, demo, demo.links["duty"]) as officer:
        page = officer.page
        shown = page.locator("#queue li[id]").count()
        page.evaluate("document.querySelector('[data-seen]').value = '3'; document.dispatchEvent(new CustomEvent('shouwang:case', {detail: {}}))")
        pill = page.locator("#queue .pill")
        expect(pill).to_contain_text("条新预警")
        assert page.locator("#queue li[id]").count() < shown
        pill.click()
        expect(page.locator("#queue li[id]")).to_have_count(shown)
        expect(page.locator("#queue li.fresh").first).to_be_visible()


def test_on_a_narrow_screen_the_chosen_case_comes_into_sight(browser: Browser, demo: Demo) -> None:
    with reader(browser, demo, demo.links["duty"], width=320, height=640) as officer:
        officer.page.locator("#queue .queue-title").first.click()
        expect(officer.page.locator("#drawer .chain")).to_be_in_viewport()
        officer.check("desk at 320 px")


@pytest.mark.jobs
def test_journey_4_the_grid_worker_closes_well_in_five_taps_without_a_network(browser: Browser, demo: Demo) -> None:
    demo.step("send", WORKER_CASE)
    with FIGURES.timed("4 grid worker"), reader(browser, demo, demo.links["grid"], width=390, height=844) as worker:
        page = worker.page
        page.get_by_role("link", name="打开任务").first.click()  # in a message this is the link itself
        page.wait_for_load_state("load")
        with job("close", page) as hands:
            hands.click(page.get_by_role("button", name="我去处置"))
            expect(page.get_by_role("link", name="打 120")).to_be_visible()
            expect(page.get_by_role("link", name="亲属")).to_be_visible()
            hands.click(page.get_by_role("button", name="到场"))
            expect(page.get_by_role("button", name="到场")).to_have_count(0)
            worker.set_offline(True)
            hands.click(page.get_by_text("平安", exact=True))
            hands.click(page.get_by_text("见到本人"))
            hands.click(page.locator("details[open]").get_by_role("button", name="办结"))
            expect(page.locator("[data-unsent-count]")).to_have_text("1 条未发送")
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            worker.set_offline(False)
        expect(page.locator("[data-unsent]")).to_be_hidden()
        page.reload()
        expect(page.get_by_text("已办结，谢谢。")).to_be_visible()
        FIGURES.close_taps = hands.clicks


def test_journey_5_nobody_accepts_so_the_deputy_then_the_township_gets_it_and_a_gap_is_shown(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("5 escalation"):
        demo.step("send_home", GAP_CASE)
        demo.step("send", LADDER_CASE)
        demo.step("send", GAP_CASE)
        demo.step("ring", LADDER_CASE)
        deputy = demo.wait_for(LADDER_CASE, rung=DEPUTY)
        with reader(browser, demo, deputy["address"], width=390, height=844) as phone:
            expect(phone.page.get_by_role("button", name="我去处置").or_(phone.page.get_by_role("link", name="打开任务"))).to_be_visible()
            phone.open("/messages/")
            expect(phone.page.locator("main")).to_contain_text("任务已升级到您")
        demo.step("ring", LADDER_CASE)
        demo.wait_for(LADDER_CASE, rung=TOWNSHIP)
        time.sleep(FORGET_S)  # each process keeps duties for five seconds
        demo.step("ring", GAP_CASE)
        demo.wait_for(GAP_CASE, rung=TOWNSHIP)
        with reader(browser, demo, demo.links["township"]) as township:
            page = township.page
            expect(page.locator("#drawer")).to_contain_text("近一天无人值守")
            page.goto(demo.address + "/tasks/")
            expect(page.get_by_role("link", name="打开任务")).to_have_count(2)
            township.open(f"/cases/{GAP_CASE}/")
            expect(page.locator("#history")).to_contain_text("无人值守：村（社区）网格员（备岗）")
            expect(page.locator("#history")).to_contain_text("无人签收，升级到")
            expect(page.locator("main")).not_to_contain_text("升级到—")


@pytest.mark.jobs
def test_a_home_is_enrolled_by_the_keyboard_alone_within_a_minute(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("enrol a home"), reader(browser, demo, demo.links["admin"]) as officer:
        page = officer.page
        village = demo.step("village")["name"]
        officer.open("/living-alone/new/")
        with job("enrol_home", page) as hands:
            hands.click(page.get_by_label("住户姓名"))
            for text in ("刘守安", "10000002468", "", village, "三排五号", "WM20468", "刘念", "女儿", "10000001357"):
                if text:
                    hands.write(text)
                hands.press("Tab")
            hands.press("Tab", "Tab", "Tab", "Tab", "Space", "Enter")
            expect(page.get_by_role("heading", name="刘守安").or_(page.get_by_text("WM20468")).first).to_be_visible()
        FIGURES.enrol_home_s = hands.counted()["seconds"]
        officer.check("the home")


def test_other_alarm_hours_are_tried_on_the_past_and_accepted(browser: Browser, demo: Demo) -> None:
    with FIGURES.timed("a trial of the alarm hours"), reader(browser, demo, demo.links["admin"]) as administrator:
        page = administrator.page
        administrator.open("/living-alone/programme/")
        trial = page.locator("#trial")
        trial.get_by_label("上门核实").fill("1")
        trial.get_by_role("button", name="试算", exact=True).click()
        expect(trial.get_by_role("progressbar")).to_be_visible()
        administrator.check("a trial that goes on")
        expect(trial.get_by_role("button", name="采用建议")).to_be_visible(timeout=TRIAL_MS)
        expect(trial.get_by_role("row", name="上门核实")).to_contain_text("九成")
        administrator.check("what a trial gave")
        trial.get_by_role("button", name="采用建议").click()
        expect(page.get_by_text("已采用；从下一个读数起")).to_be_visible()
        expect(trial.get_by_text("已采用")).to_be_visible()
        administrator.open("/settings/thresholds/")
        expect(page.locator(".log")).to_contain_text("报警时刻按试算调整")


@pytest.mark.parametrize(("theme", "display"), MODES)
def test_no_barrier_on_any_page(browser: Browser, demo: Demo, theme: str, display: str) -> None:
    with reader(browser, demo, theme=theme, display=display) as nobody:
        nobody.open("/sign-in/")
        nobody.check("sign-in")
    with reader(browser, demo, demo.links["duty"], theme=theme, display=display) as officer:
        officer.check("desk")
        officer.page.locator("#queue .queue-title").first.click()
        expect(officer.page.locator("#drawer .chain")).to_be_visible()
        officer.check("drawer")
        for path in DESK_PAGES:
            officer.open(path)
            officer.check(path)
    with reader(browser, demo, demo.links["admin"], theme=theme, display=display) as administrator:
        administrator.check("setup")
    worker_link = demo.step("send", AXE_CASE)["address"]
    with reader(browser, demo, worker_link, width=320, height=640, theme=theme, display=display) as worker:
        worker.check("own tasks")
        worker.page.get_by_role("link", name="打开任务").first.click()
        worker.page.wait_for_load_state("load")
        worker.check("task")
        worker.page.get_by_text("填写结果").or_(worker.page.locator("h2#result-title")).first.click()
        worker.page.get_by_text("平安", exact=True).click()
        worker.check("task with its result")
        worker.open("/messages/")
        worker.check("own messages")
