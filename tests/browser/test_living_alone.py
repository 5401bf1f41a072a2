"""Real homes in the running demo: a silence is called about, then visited; away, a dead meter and an ended consent send nobody."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import FIGURES, Demo, reader
from tests.browser.homes import RECORDED

pytestmark = pytest.mark.browser
SILENT_H, DAY_H, OFFLINE_H = 20, 26, 9
CALLED, AWAY, OFFLINE, LAPSED = range(4)
KNOWN = 5
FORGET_S = 6
PATIENCE_S = 40
GRID_RUNG = 2
PHONE = "10000004200"
"""Of the home that is called; a number that nobody has."""
MOST_ADDED_S = 300


class Telephone(BaseHTTPRequestHandler):
    """A voice gateway on this machine: takes every call, and nobody picks up."""

    calls: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        """Take a call."""
        self.calls.append(msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"]))))
        self._say(200, {"code": "OK", "ref": f"c{len(self.calls)}"})

    def do_GET(self) -> None:
        """Say that it rings."""
        self._say(200, {"status": "ACCEPTED"})

    def _say(self, status: int, body: dict[str, str]) -> None:
        answer = msgspec.json.encode(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module", autouse=True)
def telephone() -> Iterator[int]:
    """Yield the port of a voice gateway that the demo, started after it, may reach."""
    if not os.environ.get("SHOUWANG_DATA") or not RECORDED.exists():
        pytest.skip("skipped: needs recorded homes in $SHOUWANG_DATA/water")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Telephone)
    before = os.environ.get("SHOUWANG_WEBHOOK_ALLOW")
    os.environ["SHOUWANG_WEBHOOK_ALLOW"] = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
    if before is None:
        del os.environ["SHOUWANG_WEBHOOK_ALLOW"]
    else:
        os.environ["SHOUWANG_WEBHOOK_ALLOW"] = before


@pytest.fixture(scope="module")
def lived(demo: Demo, telephone: int) -> Demo:
    """Return the demo where residents are called by that gateway."""
    demo.step("telephone", telephone)
    time.sleep(FORGET_S)  # each process keeps its channels for five seconds
    return demo


def case_about(demo: Demo, household: int, *, at_rung: int | None = None) -> dict[str, Any]:
    """Wait for a case about a home, and until its task has come to a rung; return it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found: list[dict[str, Any]] = demo.step("about", household)
        if found and (at_rung is None or (found[0]["rung"], found[0]["task"]) == (at_rung, "OFFERED")):
            return found[0]
        time.sleep(0.3)
    pytest.fail(f"home {household} has no case at rung {at_rung}: {demo.step('about', household)}")


def go_up(demo: Demo, household: int) -> tuple[dict[str, Any], float]:
    """Let nobody answer at the rungs of contacts; return the case at the grid worker's, and after how many seconds it would be there.

    The minutes are those the running worker waits at each rung, let pass at once; what it needs to go on is added.
    """
    case = case_about(demo, household, at_rung=0)
    added_s = case["due"] - case["opened"]
    for rung in range(1, GRID_RUNG + 1):
        demo.step("ring", case["id"])
        rung_s = time.time()
        case = case_about(demo, household, at_rung=rung)
        added_s += case["seen"] - rung_s if rung == GRID_RUNG else case["due"] - rung_s
    return case, added_s


def close_well(page: Page) -> None:
    """Go, arrive, meet the person, and close."""
    page.get_by_role("button", name="我去处置").click()
    page.get_by_role("button", name="到场").click()
    expect(page.get_by_role("button", name="到场")).to_have_count(0)
    page.get_by_text("平安", exact=True).click()
    page.get_by_text("见到本人").click()
    page.locator("details[open]").get_by_role("button", name="办结").click()
    expect(page.get_by_text("已办结，谢谢。")).to_be_visible()


def test_a_real_home_falls_silent_is_called_visited_and_closed(browser: Browser, lived: Demo) -> None:
    with FIGURES.timed("living alone: call, then visit"):
        household = lived.step("silent", CALLED, SILENT_H)["household"]
        case, added_s = go_up(lived, household)
        assert "WATER_SILENCE_OPEN" == case["reason"]
        (call,) = (call for call in Telephone.calls if call["phone"] == PHONE)
        assert {"1": "SAID_WELL", "2": "SAID_AWAY", "9": "SAID_HELP"} == call["answers"]
        assert "以后没有再用水" in call["text"]
        with reader(browser, lived, lived.links["grid"], width=390, height=844) as worker:
            worker.open("/tasks/")
            worker.page.get_by_role("link", name=f"打开任务 {case['number']}").click()
            expect(worker.page.locator("main")).to_contain_text("次到")
            expect(worker.page.locator("main")).to_contain_text("次是虚惊")
            worker.check("task of a silence")
            close_well(worker.page)
        with reader(browser, lived, lived.links["duty"]) as officer:
            officer.open(f"/cases/{case['id']}/")
            expect(officer.page.locator("#history")).to_contain_text("销号")
            expect(officer.page.locator(".chart canvas").first).to_be_visible()
            expect(officer.page.locator(".chart-data")).to_have_count(1)
            officer.check("closed case of a silence")
        assert ("CLOSED", "WELL") == tuple(lived.step("about", household)[0][key] for key in ("state", "result"))
        FIGURES.ladder_added_s = round(added_s, 1)
        assert added_s <= MOST_ADDED_S


def test_away_in_one_tap_ends_the_check_of_a_real_home(browser: Browser, lived: Demo) -> None:
    with FIGURES.timed("living alone: away"):
        household = lived.step("silent", AWAY, SILENT_H)["household"]
        case_about(lived, household)
        with reader(browser, lived, lived.links["grid"], width=390, height=844) as worker:
            worker.open(f"/living-alone/{household}/")
            worker.page.get_by_role("button", name="今晚不在家").click()
            expect(worker.page.locator("main")).to_contain_text("已登记外出至")
            worker.check("home that is away")
        found = lived.step("about", household)
        assert [("CLOSED", "AWAY")] == [(each["state"], each["result"]) for each in found]


def test_a_meter_that_is_not_heard_makes_a_ticket_and_no_alarm(browser: Browser, lived: Demo) -> None:
    with FIGURES.timed("living alone: meter offline"):
        household = lived.step("offline", OFFLINE, OFFLINE_H)["household"]
        case = case_about(lived, household)
        with reader(browser, lived, lived.links["township"]) as township:
            township.open(f"/cases/{case['id']}/")
            expect(township.page.locator("main")).to_contain_text("没有读数")
            township.check("ticket of a meter")
        assert [("METER_CHECK", "WATER_NO_DATA_OPEN", 1)] == [(each["procedure"], each["reason"], each["severity"]) for each in lived.step("about", household)]


def test_a_home_whose_consent_has_ended_is_watched_no_more(browser: Browser, lived: Demo) -> None:
    with FIGURES.timed("living alone: consent ended"):
        household = lived.step("lapsed", LAPSED, DAY_H)["household"]
        witness = lived.step("silent", LAPSED + 1, DAY_H)["household"]
        assert "WATER_HARD_STOP_OPEN" == case_about(lived, witness)["reason"], "the watch has judged what came at the same time"
        assert [] == lived.step("about", household)
        with reader(browser, lived, lived.links["admin"]) as officer:
            officer.open(f"/living-alone/{household}/")
            expect(officer.page.locator("main")).to_contain_text("这户已停止关注")
            expect(officer.page.locator("main")).to_contain_text("同意已到期或撤回")
            officer.check("home that is no longer watched")


def test_a_home_whose_meter_has_sent_for_weeks_is_known_soon_after_it_was_enrolled(browser: Browser, lived: Demo) -> None:
    with FIGURES.timed("living alone: learnt from the past"):
        home = lived.step("known", KNOWN)
        with reader(browser, lived, lived.links["admin"]) as officer:
            until = time.monotonic() + 3 * PATIENCE_S  # the demo's own homes are learnt before, a second at a time
            officer.open(f"/living-alone/{home['household']}/")
            while "学到这户的习惯" not in officer.page.locator("main").inner_text() and time.monotonic() < until:
                time.sleep(1)
                officer.page.reload()
            expect(officer.page.locator("main")).to_contain_text(f"已从 {home['days']} 天的读数学到这户的习惯")
            officer.check("home that was learnt")
