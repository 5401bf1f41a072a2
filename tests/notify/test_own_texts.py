"""Areas say messages in their own words: what is refused, whose words hold, and that what was said badly stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from shouwang.journal.queries import events_of
from shouwang.journal.rules import Lease
from shouwang.kernel.moments import local
from shouwang.notify import jobs
from shouwang.notify.queries.own_texts import forget_texts, shortest_limit, texts_for
from shouwang.notify.rules.own_texts import LANGUAGES, TITLES, TextInvalid, check_words, key_of, preview
from shouwang.notify.rules.texts import TEMPLATES
from shouwang.people.actions import NewDuty, assign_duties
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import set_setting
from shouwang.places.models import AreaSetting
from tests.journeys.conftest import County, county
from tests.notify.conftest import KEYED, Queue, Scripted, served
from tests.web.test_pages import as_holder

__all__ = ["county"]
LATER = timedelta(seconds=20)
PAGE = "/settings/texts/"
ZH = key_of("TASK_OFFERED", "zh")


@pytest.fixture(autouse=True)
def _no_texts() -> Iterator[None]:
    forget_texts()
    yield
    forget_texts()


REFUSED = [
    # template, words
    ("TASK_OFFERED", "新任务：{reason"),
    ("TASK_OFFERED", "新任务：reason}"),
    ("TASK_OFFERED", "新任务：{}"),
    ("TASK_OFFERED", "新任务：{who}"),  # another template's
    ("TASK_OFFERED", "{reason.__class__}"),
    ("TASK_OFFERED", "{reason[0]}"),
    ("TASK_OFFERED", "{reason:>900}"),
    ("TASK_OFFERED", "{reason!r}"),
    ("TASK_OFFERED", "字" * 61 + "{reason}"),
]


@pytest.mark.parametrize(("template", "words"), REFUSED)
def test_words_that_could_not_be_said_are_refused(template: str, words: str) -> None:
    with pytest.raises(TextInvalid) as refused:
        check_words(template, words, limit=70)
    for language in LANGUAGES:
        assert "Text(" not in refused.value.text(language)


@pytest.mark.parametrize("template", TITLES)
def test_what_is_shipped_may_be_saved_as_own_words(template: str) -> None:
    for language in LANGUAGES:
        words = getattr(TEMPLATES[template], language)
        check_words(template, words, limit=shortest_limit())
        assert "—" not in preview(words, language)


@given(words=st.text(alphabet="{}reason:!.[0]字 x", max_size=40))
def test_whatever_is_not_refused_can_be_said(words: str) -> None:
    try:
        check_words("TASK_OFFERED", words, limit=70)
    except TextInvalid:
        return
    assert isinstance(preview(words, "zh"), str)


@pytest.mark.django_db
def test_the_nearest_area_upwards_says_it(county: County, now: datetime) -> None:
    _, city, district, town, village, _ = county.path.split("/")
    assert texts_for([county.worker]) == {}
    for area_id, key, words in ((city, ZH, "市：{reason}"), (district, ZH, "县：{reason}"), (city, key_of("TASK_OFFERED", "en"), "City: {reason}")):
        set_setting(int(area_id), key, words, now=now)
    forget_texts()
    found = texts_for([county.worker])[county.worker]["TASK_OFFERED"]
    assert ("县：{reason}", "City: {reason}") == (found.zh, found.en)
    set_setting(int(village), ZH, "村：{reason}", now=now)
    set_setting(int(town), ZH, "", now=now)  # empty words are nobody's
    forget_texts()
    assert "村：{reason}" == texts_for([county.worker])[county.worker]["TASK_OFFERED"].zh
    assert {"TASK_OFFERED"} == set(texts_for([county.worker])[county.worker])


@pytest.mark.django_db
def test_a_message_leaves_in_the_words_of_the_persons_area(
    county: County, put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime, book: dict[int, object],
) -> None:
    del book
    set_setting(int(county.path.split("/")[2]), ZH, "请速去：{reason}", now=now)
    channel = Scripted()
    put_in(county.worker, "sms")
    put_in(county.city_officer, "sms")
    jobs.make_pass(now + LATER, channels={"sms": served(channel, KEYED)}, senders=senders, lease=lease)
    assert ["新任务：", "请速去："] == sorted(each.text[:4] for each in channel.taken)


@pytest.mark.django_db
def test_own_words_that_cannot_be_said_give_way_to_the_shipped(
    county: County, put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime, book: dict[int, object],
) -> None:
    del book
    AreaSetting.objects.create(area_id=county.village, key=ZH, value='"{reason"', set_at=now)
    channel = Scripted()
    put_in(county.worker, "sms")
    jobs.make_pass(now + LATER, channels={"sms": served(channel, KEYED)}, senders=senders, lease=lease)
    assert channel.taken[0].text.startswith("新任务：")


@pytest.fixture
def office(county: County, now: datetime) -> Client:
    """Return the browser of the county's administrator."""
    county_id = int(county.path.split("/")[2])
    assign_duties(SYSTEM, [NewDuty(county.county_officer, "ADMINISTRATOR", county_id, local(now).date() - timedelta(days=2))], now=now)
    return as_holder(county.county_officer, now)


@pytest.mark.django_db
def test_the_office_previews_saves_and_follows_again(county: County, office: Client) -> None:
    _, city, county_id, town, *_ = county.path.split("/")
    assert "随软件" in office.get(PAGE).content.decode()
    own = {"area": county_id, "zh": "请速去：{reason}"}
    assert "请速去：24 小时用水 2 升" in office.post(f"{PAGE}TASK_OFFERED/", own).content.decode()
    assert not AreaSetting.objects.filter(key=ZH).exists()
    saved = office.post(f"{PAGE}TASK_OFFERED/", {**own, "save": "1"}, follow=True).content.decode()
    assert "本地区自有" in saved
    below = office.get(f"{PAGE}?area={town}").content.decode()
    assert "现为 “请速去：{reason}”，来自：" in below
    assert ["place.setting_set"] == [event.kind for event in events_of(int(county_id), prefix="place.setting") if event.payload["key"] == ZH]
    office.post(f"{PAGE}TASK_OFFERED/", {"area": county_id, "follow": "1"})
    assert not AreaSetting.objects.filter(key=ZH).exists()
    assert 404 == office.post(f"{PAGE}TASK_OFFERED/", {"area": city, "zh": "x", "save": "1"}).status_code
    assert 404 == office.post(f"{PAGE}NONE/", {**own, "save": "1"}).status_code
    refused = office.post(f"{PAGE}TASK_OFFERED/", {**own, "zh": "{who}", "save": "1"})
    assert 422 == refused.status_code
    assert ">{who}</textarea>" in refused.content.decode()
    assert ZH not in office.get(f"/places/{county_id}/settings/").content.decode()


@pytest.mark.django_db
def test_whoever_may_not_set_anything_sees_no_texts(county: County, now: datetime) -> None:
    assert 403 == as_holder(county.worker, now).get(PAGE).status_code
