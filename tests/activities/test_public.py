"""The public pages, without JavaScript and without an account: sign-up, number, board, evaluation; and no name anywhere."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from shouwang.activities import actions, queries
from shouwang.activities.models import Activity, Consent, Rating, SignUp, Ticket
from shouwang.activities.rules.entries import NewSignUp
from shouwang.journal.models import EventRow
from shouwang.kernel.clock import ManualClock
from tests.activities.conftest import Hall
from tests.activities.test_pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped")]


def address_of(activity: int) -> str:
    return f"/a/{Activity.objects.get(pk=activity).code}/"


def fields(page: str) -> dict[str, str]:
    """Return what the hidden fields of a page hold."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken" and name != "next"}


@pytest.fixture
def anybody() -> Client:
    """Return a client of nobody, held to CSRF like a browser."""
    return Client()


def test_somebody_signs_up_sees_the_own_sign_up_and_withdraws_it_in_one_tap(hall: Hall, anybody: Client) -> None:
    activity = hall.open("PUBLIC_CLASS", entry="SIGN_UP", capacity=1)
    address = address_of(activity)
    page = text(anybody, address)
    assert 'class="phone"' in page and "还有 1 个名额" in page
    form = {**fields(page), "name": "示例甲", "phone": "10000000001", "party": "1", "age": "GROWN"}
    mine = anybody.post(address, form)["Location"]
    assert anybody.post(address, form)["Location"] == mine  # the same press again
    assert SignUp.objects.count() == 1
    own = text(anybody, mine)
    assert "报名成功" in own and "示**" in own and "示例甲" not in own and "10000000001" not in own
    second = anybody.post(address, {**form, "name": "示例乙", "key": "another-key"})["Location"]
    assert "候补第 1 位" in text(anybody, second)
    assert anybody.post(mine).status_code == 302
    assert "报名已取消" in text(anybody, mine)
    assert "报名成功" in text(anybody, second)
    assert SignUp.objects.exclude(name="").count() == 1


def test_a_guardian_agrees_on_the_page(hall: Hall, anybody: Client) -> None:
    activity = hall.open("SAFETY_LESSON", entry="BOTH")
    address = address_of(activity)
    page = text(anybody, address)
    assert "我是参加者的监护人" in page and "同意书版本 2026-1" in page
    form = {**fields(page), "name": "示例童", "phone": "10000000041", "party": "1", "age": "MINOR", "guardian": "示例母", "relation": "母亲"}
    refused = anybody.post(address, form)
    assert refused.status_code == 422
    assert "需要监护人同意" in refused.content.decode()
    mine = anybody.post(address, {**form, "agrees": "on"})["Location"]
    kept = Consent.objects.get()
    assert (kept.version, kept.given_at, kept.notes_arrival) == ("2026-1", hall.now, False)
    assert "取消报名并撤回同意" in text(anybody, mine)
    anybody.post(mine)
    kept.refresh_from_db()
    assert kept.withdrawn_at == hall.now


@pytest.mark.parametrize(("change", "says"), [({"name": ""}, "请填写"), ({"phone": "12"}, "5 至 15 位"), ({"party": "11"}, "10"), ({"age": ""}, "请填写")])
def test_a_wrong_sign_up_says_what_to_do(hall: Hall, anybody: Client, change: dict[str, str], says: str) -> None:
    address = address_of(hall.open("PUBLIC_CLASS", entry="SIGN_UP"))
    form = {**fields(text(anybody, address)), "name": "示例甲", "phone": "10000000001", "party": "1", "age": "GROWN", **change}
    answer = anybody.post(address, form)
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_phone_takes_one_number_and_sees_its_turn(hall: Hall, anybody: Client) -> None:
    activity = hall.run()
    address = address_of(activity)
    for n in range(2):
        actions.give_number(hall.officer, activity, key=f"ticket-{n}", now=hall.now)
    took = anybody.post(f"{address}number/", fields(text(anybody, f"{address}number/")))
    assert took["Location"] == f"{address}number/3/"
    cookie = took.cookies["sw_number"]
    assert cookie["httponly"] and cookie["path"] == address
    assert anybody.get(f"{address}number/")["Location"] == f"{address}number/3/"
    assert anybody.post(f"{address}number/", {"idempotency_key": "other-key"})["Location"] == f"{address}number/3/"
    assert Ticket.objects.count() == 3
    assert "前面还有 2 位" in text(anybody, f"{address}number/3/")
    for window, n in ((1, 1), (2, 2)):
        actions.call_next(hall.officer, activity, window=window, key=f"call-000{n}", now=hall.now)
    assert "下一位就是您" in text(anybody, f"{address}number/3/")
    actions.call_next(hall.officer, activity, window=2, key="call-0003", having=2, now=hall.now)
    assert "请到 2 号窗口" in text(anybody, f"{address}number/3/")
    actions.finish(hall.officer, activity, number=3, window=2, finishing="SKIP", now=hall.now)
    assert "已叫过您的号" in text(anybody, f"{address}number/3/")
    actions.finish(hall.officer, activity, number=1, window=1, finishing="DONE", now=hall.now)
    assert "已办" in text(anybody, f"{address}number/1/")
    text(anybody, f"{address}number/9/", 404)


def test_no_number_too_early_and_the_page_says_why(hall: Hall, anybody: Client) -> None:
    address = address_of(hall.open(starts_at=hall.now + timedelta(days=1), ends_at=hall.now + timedelta(days=1, hours=2)))
    answer = anybody.post(f"{address}number/", {"idempotency_key": "key-00001"})
    assert answer.status_code == 409
    assert "开始前 2 小时" in answer.content.decode()


def test_the_board_shows_numbers_and_no_names(hall: Hall, anybody: Client) -> None:
    activity = hall.run()
    address = address_of(activity)
    for n in range(3):
        actions.give_number(hall.officer, activity, key=f"ticket-{n}", now=hall.now)
    assert "请等候叫号" in text(anybody, f"{address}board/")
    actions.call_next(hall.officer, activity, window=2, key="call-0001", now=hall.now)
    page = text(anybody, f"{address}board/")
    assert "请 1 号到 2 号窗口" in page and "等候 2 人" in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert 'hx-trigger="every 3s"' in page
    part = text(anybody, f"{address}board/now/")
    assert "<html" not in part and "请 1 号到 2 号窗口" in part
    assert "镇班丙" not in page
    actions.move(hall.officer, activity, "END", now=hall.now)
    assert "已结束" in text(anybody, f"{address}board/")


def test_one_tap_and_the_same_phone_changes_it(hall: Hall, anybody: Client) -> None:
    activity = hall.run()
    address = f"{address_of(activity)}rate/"
    page = text(anybody, address)
    assert "不记姓名" in page
    assert anybody.post(address, {**fields(page), "score": "5"}).status_code == 302
    assert "谢谢您的评价" in text(anybody, address)
    anybody.post(address, {"score": "2", "idempotency_key": "forged-key"})
    assert [each.score for each in Rating.objects.all()] == [2]
    other = Client()
    other.post(address, {**fields(text(other, address)), "score": "4"})
    assert Rating.objects.count() == 2
    assert anybody.post(address, {"score": "9"}).status_code == 409


@pytest.mark.parametrize("page", ["", "number/", "number/1/", "rate/", "board/", "board/now/", "mine/abc/"])
def test_what_is_only_planned_is_as_unknown_as_nothing(hall: Hall, anybody: Client, page: str) -> None:
    code = Activity.objects.get(pk=hall.plan()).code
    assert anybody.get(f"/a/{code}/{page}").status_code == 404
    assert anybody.get(f"/a/nothinghere/{page}").status_code == 404


@pytest.mark.parametrize("page", ["number/", "number/1/", "rate/", "board/", "board/now/"])
def test_a_kind_without_it_says_so(hall: Hall, anybody: Client, page: str) -> None:
    answer = anybody.get(f"{address_of(hall.run('DRILL'))}{page}")
    assert answer.status_code == 409


def test_opening_a_page_changes_nothing(hall: Hall, anybody: Client) -> None:
    activity = hall.run("SERVICE_DAY", entry="BOTH")
    address = address_of(activity)
    mine = anybody.post(address, {"name": "示例甲", "phone": "10000000001", "party": "1", "key": "sign-up-0001"})["Location"]
    before = EventRow.objects.count()
    for page in ("", "number/", "rate/", "board/", "board/now/"):
        text(anybody, f"{address}{page}")
    text(anybody, mine)
    assert EventRow.objects.count() == before
    assert Ticket.objects.count() == Rating.objects.count() == 0


def test_anothers_sign_up_needs_its_own_link(hall: Hall, anybody: Client) -> None:
    first, second = hall.open("PUBLIC_CLASS", entry="SIGN_UP"), hall.open("PUBLIC_CLASS", entry="SIGN_UP")
    form = {"name": "示例甲", "phone": "10000000001", "party": "1", "age": "GROWN", "key": "sign-up-0001"}
    mine = anybody.post(address_of(first), form)["Location"]
    assert anybody.get(mine[:-2] + "x/").status_code == 404
    moved = mine.replace(address_of(first), address_of(second))
    assert anybody.get(moved).status_code == 404
    assert anybody.post(moved).status_code == 404
    assert SignUp.objects.get().state == "IN"


def test_no_public_page_says_a_name(hall: Hall, anybody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    activity = hall.run("SERVICE_DAY", entry="BOTH", organiser_duty="TOWNSHIP_DUTY")
    address = address_of(activity)
    actions.sign_up(queries.activity_in(hall.officer, activity).code, NewSignUp("暗号甲", "10000000077", "sign-up-0077"), now=hall.now)
    actions.take_number(queries.activity_in(hall.officer, activity).code, key="key-00001", now=hall.now)
    pages = " ".join(text(anybody, f"{address}{page}") for page in ("", "number/", "number/1/", "rate/", "board/"))
    for secret in ("镇班丙", "暗号甲", "10000000077"):
        assert secret not in pages
    monkeypatch.setattr("shouwang.activities.pages.public.clock", lambda: ManualClock(hall.now + timedelta(days=30)))
    assert "7 天" in anybody.post(f"{address}rate/", {"score": "5", "idempotency_key": "late-key-1"}).content.decode()






