"""The pages of loudspeakers: registered, tried, filtered, exported, and nobody sees another county's."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.test import Client

from shouwang.notify import actions, queries
from shouwang.notify.contract import Outcome, Rejected, Sent, Unknown
from shouwang.notify.models import Sound, Speaker
from shouwang.notify.rules.sounds import SoundState, SpeakerState
from shouwang.people import actions as people
from shouwang.people.queries import forget
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import add_area
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.rules import NewThing
from tests.notify.speakers.conftest import Install, Queue, Told

SECRET = "an-invented-password"
GIVEN = {
    "kind": "isapi", "code": "SK-01", "name": "东岸", "area": "示范县", "url": "http://10.0.0.8", "user": "watch", "secret": SECRET,
    "enabled": "on", "loudness": "90", "night_loudness": "40", "night_from": "21:30", "night_to": "06:30",
}


@pytest.fixture
def administrator(client: Client, area: int, now: datetime) -> Client:
    return officer(client, area, "ADMINISTRATOR", now)


def officer(client: Client, area: int, duty: str, now: datetime) -> Client:
    person = people.add_person(SYSTEM, name="李兰英", area_id=area, now=now)
    people.assign_duty(SYSTEM, person_id=person, code=duty, area_id=area, rank="PRIMARY", from_date=date(2020, 1, 1), now=now)
    account = people.add_account(SYSTEM, username=f"officer-{duty}", person_id=person, now=now)
    forget()
    client.force_login(account)
    return client


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def test_an_empty_list_leads_to_the_first_loudspeaker(administrator: Client) -> None:
    page = text(administrator.get("/settings/speakers/"))
    assert "还没有喇叭" in page
    assert 'href="/settings/speakers/new/"' in page
    kinds = text(administrator.get("/settings/speakers/new/"))
    assert all(f"?kind={kind}" in kinds for kind in ("isapi", "dahua", "horn", "go2rtc"))
    assert 'name="url"' in text(administrator.get("/settings/speakers/new/?kind=horn"))
    assert "音量" not in text(administrator.get("/settings/speakers/new/?kind=dahua"))  # a siren has none


def test_a_loudspeaker_is_registered_and_its_password_never_shown(administrator: Client, area: int, now: datetime) -> None:
    (thing,) = add_things([NewThing("CAM-1", "CAMERA", "摄像机", (), area, _path(area))], now=now)
    answer = administrator.post("/settings/speakers/new/", {**GIVEN, "thing": "CAM-1"}, follow=True)
    page = text(answer)
    assert (200, True) == (answer.status_code, "已保存" in page)
    assert SECRET not in page
    assert 'value="CAM-1"' in page and 'value="21:30"' in page
    row = queries.speaker(SYSTEM, Speaker.objects.get().pk)
    assert ("SK-01", thing.thing_id, "40", True) == (row.code, row.thing_id, row.settings["night_loudness"], row.enabled)
    administrator.post(f"/settings/speakers/{row.id}/", {**GIVEN, "name": "西岸", "secret": "", "enabled": ""})
    row = queries.speaker(SYSTEM, row.id)
    assert ("西岸", False, SECRET) == (row.name, row.enabled, queries.speaker_secret(row.id))


def _path(area: int) -> str:
    from shouwang.places.queries import area as area_row  # noqa: PLC0415

    return area_row(area).path


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"area": "天外"}, "没有找到唯一的区域“天外”"), ({"thing": "CAM-9"}, "没有编号为“CAM-9”的设备"), ({"code": "东 1"}, "喇叭“东 1”的编号不可用"),
        ({"loudness": "900"}, "的白天音量不可用：填写的是“900”"), ({"url": ""}, "的设备地址（如 http://10.0.0.8）不可用"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(administrator: Client, wrong: dict[str, str], said: str) -> None:
    answer = administrator.post("/settings/speakers/new/", {**GIVEN, **wrong})
    assert 422 == answer.status_code
    assert said in text(answer)
    assert 'value="watch"' in text(answer)
    assert 0 == Speaker.objects.count()


@pytest.mark.parametrize(
    ("outcome", "said"), [(Sent(), "喇叭已响"), (Unknown("TIMEOUT"), "不确定是否响过"), (Rejected("HTTP_401"), "用户名或密码不对")],
)
def test_the_test_button_says_what_came_of_it(
    administrator: Client, install: Install, devices: dict[str, Told], outcome: Outcome, said: str,
) -> None:
    devices["http://a"] = Told([outcome])
    assert said in text(administrator.post(f"/settings/speakers/{install()}/test/", follow=True))
    assert [("TEST_TONE", 30)] == [(clip.prompt, clip.loudness) for clip in devices["http://a"].taken]


def test_a_siren_says_that_it_will_really_sound(administrator: Client, install: Install) -> None:
    page = text(administrator.get(f"/settings/speakers/{install('http://10.0.0.8', kind='dahua')}/"))
    assert "试响警笛" in page and "会真的鸣响" in page


def test_the_list_is_filtered_searched_and_exported(administrator: Client, install: Install, now: datetime) -> None:
    install(kind="isapi", name="东岸"), install(kind="horn", name="西岸", enabled=False)
    Speaker.objects.filter(code="SP-1").update(state=SpeakerState.DEAD, reason="NO_CONNECTION", checked_at=now)
    for query, shown in {"kind=horn": "西岸", "state=DEAD": "东岸", "switch=off": "西岸", "q=SP-1": "东岸"}.items():
        page = text(administrator.get(f"/settings/speakers/?{query}"))
        assert [shown] == [name for name in ("东岸", "西岸") if f">{name}<" in page], query
    assert "无响应" in text(administrator.get("/settings/speakers/?state=DEAD"))
    assert administrator.get("/settings/speakers/?format=xlsx").content.startswith(b"PK")
    assert "没有符合条件的喇叭" in text(administrator.get("/settings/speakers/?q=没有"))


def test_the_last_sounds_are_listed_with_their_outcomes(administrator: Client, install: Install, queue: Queue, now: datetime) -> None:
    speaker = install()
    queue(speaker, "7:0")
    queue(speaker, "7:1", said="小朋友请回家", in_s=8)
    Sound.objects.filter(key="7:0").update(state=SoundState.FAILED, reason="HTTP_401", done_at=now, again_at=None, attempts=1)
    page = text(administrator.get(f"/settings/speakers/{speaker}/"))
    assert all(words in page for words in ("危险水域，请勿靠近。", "用户名或密码不对", "小朋友请回家", "等待播放"))


def test_another_countys_are_not_there(administrator: Client, install: Install, area: int, now: datetime) -> None:
    elsewhere = add_area(parent_id=None, name="邻县", level="PREFECTURE", now=now)
    other = install(name="邻县喇叭", area_id=elsewhere)
    assert "邻县喇叭" not in text(administrator.get("/settings/speakers/"))
    assert [404, 404] == [administrator.get(f"/settings/speakers/{other}/").status_code, administrator.post(f"/settings/speakers/{other}/test/").status_code]
    assert 422 == administrator.post("/settings/speakers/new/", {**GIVEN, "area": "邻县"}).status_code
    (foreign,) = add_things([NewThing("CAM-7", "CAMERA", "摄像机", (), elsewhere, _path(elsewhere))], now=now)
    assert 422 == administrator.post("/settings/speakers/new/", {**GIVEN, "thing": "CAM-7"}).status_code
    assert foreign.thing_id not in queries.speakers_of_things([foreign.thing_id])


def test_the_pages_need_the_right(client: Client, area: int, now: datetime) -> None:
    assert 302 == client.get("/settings/speakers/").status_code
    assert 403 == officer(client, area, "TOWNSHIP_DUTY", now).get("/settings/speakers/").status_code


def test_a_kind_whose_program_is_gone_can_still_be_listed(administrator: Client, install: Install) -> None:
    speaker = install()
    Speaker.objects.update(kind="gone")
    assert ">gone<" in text(administrator.get("/settings/speakers/"))
    assert 404 == administrator.get(f"/settings/speakers/{speaker}/").status_code
    actions.switch_speaker(speaker, enabled=False, by=None, now=Speaker.objects.get().check_at)
