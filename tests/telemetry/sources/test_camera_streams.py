"""Streams of cameras: cut anywhere they tell the same, by digest, with repeats and wrong clocks; broken ones are tried again."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from django.db import OperationalError
from django.test import override_settings

from shouwang.telemetry import actions, queries
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.cameras import Camera, CameraSettings, Following, Told
from shouwang.telemetry.cameras.parts import PARTS_MOST, Splitter, parts_of
from shouwang.telemetry.cameras.running import BackOff, Ears, Silence, families, keep_following, tasks_of, watch_silence
from shouwang.telemetry.cameras.xml import read_xml
from shouwang.telemetry.models import DeviceEvent
from shouwang.telemetry.rules import DeviceRecord, EventKind, NewThing
from shouwang.telemetry.sources import problems_of_settings
from shouwang.telemetry.sources.camera_dahua.decode import STREAM_BYTES, Stream
from shouwang.telemetry.sources.camera_dahua.decode import decode as decode_dahua
from shouwang.telemetry.sources.camera_hikvision.decode import decode as decode_hikvision
from shouwang.telemetry.sources.camera_hikvision.follow import Gathering
from shouwang.telemetry.sources.camera_onvif import soap
from shouwang.ui.answers import BodyInvalid
from tests.telemetry.sources.cameras import Fixture, decoded, fixtures
from tests.telemetry.sources.fake_camera import Asked, FakeCamera, answer, camera, cut, stream_head
from tests.telemetry.sources.loops import asked as from_database
from tests.telemetry.sources.loops import run

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 1, 15, 2, 0, 1, tzinfo=UTC)
BY = {(each.family, each.name): each for each in fixtures()}
DAHUA = [each for each in fixtures() if each.family == "camera_dahua"]
HIKVISION = [each for each in fixtures() if each.family == "camera_hikvision"]
X_MIXED = "multipart/x-mixed-replace; boundary=myboundary"
NAMES: Callable[[Fixture], str] = lambda each: each.name  # noqa: E731


def told(records: list[DeviceRecord]) -> list[DeviceRecord]:
    return [replace(each, raw=b"") for each in records]


@pytest.mark.parametrize("fixture", DAHUA, ids=NAMES)
def test_dahua_chunk_borders_anywhere_change_nothing(fixture: Fixture) -> None:
    expected = told(decode_dahua(fixture.body, "", zone=ZONE))
    for at in range(len(fixture.body) + 1):
        stream = Stream(zone=ZONE)
        found = [*stream.feed(fixture.body[:at]), *stream.feed(fixture.body[at:]), *stream.end()]
        assert expected == told(found), at
    stream = Stream(zone=ZONE)
    assert expected == told([*(each for piece in cut(fixture.body, 1) for each in stream.feed(piece)), *stream.end()])


def test_dahua_an_event_is_told_before_the_next_boundary_comes() -> None:
    body = BY["camera_dahua", "cross_region_start"].body
    assert len(list(Stream(zone=ZONE).feed(body[: body.rindex(b"}") + 1]))) == 1


def test_dahua_values_with_equals_stay_whole() -> None:
    (record,) = decoded(BY["camera_dahua", "values_with_equals_and_semicolons"])
    assert record.rule == "a=b;c=d;data={x}"


def test_dahua_a_text_without_end_loses_no_event_and_no_memory() -> None:
    stream = Stream(zone=ZONE)
    endless = b'Code=CrossRegionDetection;action=Start;index=0;data={"Name": "' + b"x" * STREAM_BYTES
    assert [EventKind.ENTER] == [each.kind for each in stream.feed(endless)]
    assert [EventKind.ENTER] == [each.kind for each in stream.feed(BY["camera_dahua", "cross_region_start"].body)]


def mixed(*found: Fixture) -> bytes:
    """Return alerts as the alertStream has them: multipart/mixed, each picture a part behind its alert."""
    parts = b""
    for fixture in found:
        inner = parts_of(fixture.body, fixture.content_type) if fixture.content_type.startswith("multipart") else None
        for content_type, content in [(each.media_type, each.content) for each in inner] if inner else [("application/xml", fixture.body)]:
            parts += b"--boundary\r\nContent-Type: " + content_type.encode() + b'; charset="UTF-8"\r\nContent-Length: %d\r\n\r\n' % len(content) + content + b"\r\n"
    return parts


ALERTS = (
    BY["camera_hikvision", "heartbeat_videoloss_inactive"], BY["camera_hikvision", "multipart_with_picture"], BY["camera_hikvision", "duration_relation_event"],
    BY["camera_hikvision", "fielddetection_inactive"],
)


def test_hikvision_chunk_borders_anywhere_change_nothing() -> None:
    body = mixed(*ALERTS)
    expected = told([record for each in ALERTS for record in decode_hikvision(each.body, each.content_type, zone=ZONE)])
    assert [1, 0, 0] == [len(each.snapshots) for each in expected]
    for at in range(len(body) + 1):
        gathering = Gathering(b"boundary", zone=ZONE)
        found = [*gathering.feed(body[:at]), *gathering.feed(body[at:]), *gathering.feed(b"--boundary--\r\n"), *gathering.release()]
        assert [replace(each, snapshots=()) for each in expected] == [replace(each, snapshots=()) for each in told(found)], at
        assert [1, 0, 0] == [len(each.snapshots) for each in found], at


def test_hikvision_a_heartbeat_is_no_event() -> None:
    assert not decoded(BY["camera_hikvision", "heartbeat_videoloss_inactive"])


def test_hikvision_an_alert_is_not_lost_when_its_picture_never_comes() -> None:
    fixture = BY["camera_hikvision", "multipart_with_picture"]
    body = mixed(fixture)
    gathering = Gathering(b"boundary", zone=ZONE)
    assert gathering.feed(body[: body.rindex(b"--boundary")]) == []
    assert gathering.is_waiting
    assert len(gathering.release()) == 1
    gathering.feed(body[: body.rindex(b"--boundary")])
    assert len(gathering.feed(mixed(BY["camera_hikvision", "fielddetection_inactive"]))) == 2


@pytest.mark.parametrize("fixture", [each for each in HIKVISION if each.content_type.startswith("multipart")], ids=NAMES)
def test_multipart_cut_anywhere_has_the_same_parts(fixture: Fixture) -> None:
    expected = parts_of(fixture.body, fixture.content_type)
    boundary = fixture.body[2 : fixture.body.index(b"\r\n")]
    for at in range(len(fixture.body) + 1):
        splitter = Splitter(boundary)
        assert expected == [*splitter.feed(fixture.body[:at]), *splitter.feed(fixture.body[at:]), *splitter.end()], at


def test_multipart_has_limits() -> None:
    with pytest.raises(BodyInvalid):
        parts_of(b"--b\r\nA: b\r\n\r\nx\r\n" * (PARTS_MOST + 2), "multipart/form-data; boundary=b")
    with pytest.raises(BodyInvalid):
        parts_of(b"nothing", "multipart/form-data")
    with pytest.raises(BodyInvalid):
        parts_of(b"--b\r\n" * 100_000, "multipart/form-data; boundary=b")
    with pytest.raises(BodyInvalid):
        list(Splitter(b"b").feed(b"--b\r\nA: b\r\n\r\n" + bytes(13 * 1024 * 1024)))


@pytest.mark.parametrize("fixture", fixtures(), ids=lambda each: f"{each.family}-{each.name}")
def test_a_message_cut_off_anywhere_crashes_nothing(fixture: Fixture) -> None:
    for at in range(0, len(fixture.body), 1 if len(fixture.body) < 1_500 else 3):
        try:
            decoded(replace(fixture, body=fixture.body[:at]))
        except BodyInvalid:
            continue


# XML that a stranger might send: what is refused.
HOSTILE = [
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l "l"><!ENTITY m "&l;&l;&l;&l;">]><a>&m;</a>',
    "<a>&undefined;</a>",
    "<a>" * 40 + "</a>" * 40,
    "<a>" + "<b/>" * 6_000 + "</a>",
    "", "<a", "<a></b>", "\0",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_xml_is_refused(text: str) -> None:
    with pytest.raises(BodyInvalid):
        read_xml(text.encode())


# Connections ----------------------------------------------------------------------------------------------------------


async def reached(question: Callable[[], bool]) -> None:
    """Wait until something is so."""
    while not question():  # noqa: ASYNC110 - what is waited for rings no bell
        await asyncio.sleep(0.005)


class Heard(list[Told]):
    """Collects what is told."""

    async def hear(self, told: Told) -> None:
        self.append(told)

    def records(self) -> list[DeviceRecord]:
        return [record for each in self for record in each.records]


def following(fake: FakeCamera, heard: Heard, **changed: Any) -> Following:
    login = Camera(url=fake.url, user=fake.user, password=fake.password)
    made = Following("CAM1", login, CameraSettings(), heard.hear, lambda: NOW, lambda: 0.5)
    return replace(made, **changed)


def playing(*pieces: bytes, head: bytes = b"") -> Callable[[Asked], AsyncIterator[bytes]]:
    async def play(_: Asked) -> AsyncIterator[bytes]:
        for piece in (head, *pieces):
            yield piece

    return play


async def broken(connection: Any) -> str:
    try:
        await connection
    except (httpx.HTTPError, OSError) as error:
        return type(error).__name__
    return ""


@pytest.mark.parametrize("size", [1, 7, 1_460])
def test_dahua_is_followed_by_digest(size: int) -> None:
    body = BY["camera_dahua", "heartbeat_between"].body + BY["camera_dahua", "start_repeated"].body + BY["camera_dahua", "pulse"].body

    async def scenario() -> None:
        heard = Heard()
        async with camera(FakeCamera(playing(*cut(body, size), head=stream_head(X_MIXED)), "admin", "invented")) as fake:
            await families()["camera_dahua"].follow(following(fake, heard))  # type: ignore[misc]
        assert ["ENTER"] * 4 + ["CROSS"] == [each.kind for each in heard.records()]
        assert fake.refused == 1
        assert fake.asked[0].target.startswith("/cgi-bin/eventManager.cgi?action=attach&codes=[CrossRegionDetection,")
        assert "heartbeat=5" in fake.asked[0].target

    run(scenario())


@pytest.mark.parametrize("size", [1, 1_460])
def test_hikvision_is_followed_by_digest_with_pictures(size: int) -> None:
    async def scenario() -> None:
        heard = Heard()
        play = playing(*cut(mixed(*ALERTS), size), head=stream_head("multipart/mixed; boundary=boundary"))
        async with camera(FakeCamera(play, "admin", "invented")) as fake:
            await families()["camera_hikvision"].follow(following(fake, heard))  # type: ignore[misc]
        assert [(EventKind.ENTER, 1), (EventKind.ENTER, 0), (EventKind.ENTER, 0)] == [(each.kind, len(each.snapshots)) for each in heard.records()]
        assert fake.asked[0].target == "/ISAPI/Event/notification/alertStream"

    run(scenario())


def test_hikvision_nobody_waits_for_a_picture_that_does_not_come() -> None:
    body = mixed(BY["camera_hikvision", "multipart_with_picture"])
    over = asyncio.Event()

    async def play(_: Asked) -> AsyncIterator[bytes]:
        yield stream_head("multipart/mixed; boundary=boundary") + body[: body.rindex(b"--boundary")]
        await over.wait()

    async def scenario() -> None:
        heard = Heard()
        async with camera(FakeCamera(play)) as fake:
            task = asyncio.ensure_future(families()["camera_hikvision"].follow(following(fake, heard)))  # type: ignore[misc,arg-type]
            await reached(lambda: bool(heard.records()))
            over.set()
            await task
        assert len(heard.records()) == 1

    run(scenario())


@pytest.mark.parametrize("name", ["camera_dahua", "camera_hikvision", "camera_onvif"])
@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "500 Error", "302 Found"])
def test_a_refusal_breaks_the_connection(name: str, status: str) -> None:
    async def scenario() -> None:
        async with camera(FakeCamera(playing(answer(b"no", status=status, more=["Location: http://127.0.0.1:1/"])))) as fake:
            assert await broken(families()[name].follow(following(fake, Heard())))  # type: ignore[misc]

    run(scenario())


# ONVIF ----------------------------------------------------------------------------------------------------------------

EVENT = BY["camera_onvif", "objects_inside"].body
CREATED = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tev="e" xmlns:wsa="a"><s:Body><tev:CreatePullPointSubscriptionResponse>'
    b"<tev:SubscriptionReference><wsa:Address>http://10.9.9.9:80/onvif/subscription?Idx=3</wsa:Address></tev:SubscriptionReference>"
    b"</tev:CreatePullPointSubscriptionResponse></s:Body></s:Envelope>"
)
FAULT = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Reason><s:Text>no</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>'
DONE = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><ok/></s:Body></s:Envelope>'


def clock(at: datetime) -> bytes:
    day = f"<Date><Year>{at.year}</Year><Month>{at.month}</Month><Day>{at.day}</Day></Date>"
    time = f"<Time><Hour>{at.hour}</Hour><Minute>{at.minute}</Minute><Second>{at.second}</Second></Time>"
    return f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><R><SystemDateAndTime><UTCDateTime>{time}{day}</UTCDateTime></SystemDateAndTime></R></s:Body></s:Envelope>'.encode()


class Onvif:
    """A camera whose clock is a year behind and that refuses what is not signed by it."""

    def __init__(self, *, pulls: int) -> None:
        self.pulls, self.steps = pulls, list[str]()
        self.at = NOW - timedelta(days=365)

    async def play(self, asked: Asked) -> AsyncIterator[bytes]:
        step = next(name for name in ("GetSystemDateAndTime", "CreatePullPointSubscription", "PullMessages", "Renew", "Unsubscribe") if f":{name}".encode() in asked.body)
        self.steps.append(f"{step} {asked.target}")
        if step == "GetSystemDateAndTime":
            yield answer(clock(self.at))
        elif not self.is_signed(asked.body):
            yield answer(FAULT, status="400 Bad Request")
        elif step == "CreatePullPointSubscription":
            yield answer(CREATED)
        elif step == "PullMessages":
            self.pulls -= 1
            yield answer(EVENT if self.pulls >= 0 else FAULT)
        else:
            yield answer(DONE)

    def is_signed(self, body: bytes) -> bool:
        tree = read_xml(body)
        token = tree["Envelope"]["Header"]["Security"]["UsernameToken"]
        nonce, created = token["Nonce"][""], token["Created"]
        expected = soap.password_digest(base64.b64decode(nonce), created, "invented")
        return token["Username"] == "admin" and token["Password"][""] == expected and abs(datetime.fromisoformat(created) - self.at) < timedelta(minutes=1)


def test_onvif_subscribes_pulls_renews_and_ends_by_the_cameras_clock() -> None:
    async def scenario() -> None:
        heard, device = Heard(), Onvif(pulls=3)
        moments = iter(NOW + timedelta(seconds=second) for second in range(0, 10_000, 25))
        async with camera(FakeCamera(device.play)) as fake:
            login = Camera(url=fake.url, user="admin", password="invented")
            assert await broken(families()["camera_onvif"].follow(following(fake, heard, camera=login, now=lambda: NOW))) == "Refusal"  # type: ignore[misc]
            device.pulls = 3
            device.at = NOW
            device.steps.clear()
            device.is_signed = lambda _: True  # type: ignore[method-assign]
            assert await broken(families()["camera_onvif"].follow(following(fake, heard, camera=login, now=lambda: next(moments)))) == "Refusal"  # type: ignore[misc]
        assert len(heard.records()) == 6
        assert device.steps[0] == "GetSystemDateAndTime /onvif/device_service"
        assert device.steps[1] == "CreatePullPointSubscription /onvif/event_service"
        assert device.steps[2] == "PullMessages /onvif/subscription?Idx=3"  # at the host that was asked
        assert any(step.startswith("Renew") for step in device.steps)
        assert device.steps[-1] == "Unsubscribe /onvif/subscription?Idx=3"

    run(scenario())


def test_onvif_a_wrong_password_is_refused() -> None:
    async def scenario() -> None:
        device = Onvif(pulls=3)
        async with camera(FakeCamera(device.play)) as fake:
            login = Camera(url=fake.url, user="admin", password="wrong")
            assert await broken(families()["camera_onvif"].follow(following(fake, Heard(), camera=login))) == "Refusal"  # type: ignore[misc]

    run(scenario())


@pytest.mark.parametrize("said", [b"<a/>", b"x", clock(NOW).replace(b"2026", b"99999"), clock(NOW).replace(b"2026", b"nan"), FAULT])
def test_onvif_without_the_cameras_clock_ours_counts(said: bytes) -> None:
    try:
        tree = read_xml(said)
    except BodyInvalid:
        return
    assert soap.clock_shift(tree, now=NOW) == timedelta()


def test_onvif_a_name_with_markup_stays_text() -> None:
    token = soap.username_token("<&>", "p", nonce=b"n", at=NOW)
    assert "&lt;&amp;&gt;" in token
    assert not re.search(r"p</", token)


# The process ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cameras(transactional_db: None) -> dict[str, int]:
    del transactional_db
    added = add_things([NewThing(name, "CAMERA", "", (), path="/1/") for name in ("CAM1", "CAM2")], now=NOW)
    return {each.external_id: each.thing_id for each in added}


async def until(question: Callable[[], bool]) -> None:
    """Wait until the database says yes."""
    while not await from_database(question):  # noqa: ASYNC110 - a database rings no bell
        await asyncio.sleep(0.02)


def stored() -> list[str]:
    return list(DeviceEvent.objects.order_by("pk").values_list("kind", flat=True))


async def ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_what_a_camera_tells_is_stored_and_a_broken_connection_is_tried_again(cameras: dict[str, int]) -> None:
    body = stream_head(X_MIXED) + BY["camera_dahua", "cross_region_start"].body

    async def scenario() -> None:
        ears = Ears(lambda: NOW, lambda: 0.0)
        async with camera(FakeCamera(playing(body), "admin", "invented")) as fake:
            said = {"cameras": {"CAM1": {"url": fake.url, "user": "admin", "password": "invented"}}}
            with override_settings(SHOUWANG_SOURCES={"camera_dahua": said}):
                tasks = tasks_of(families()["camera_dahua"], ears)
            await until(lambda: DeviceEvent.objects.filter(repeats__gte=1).exists())
            await ended(*tasks)
        await ears.end()
        assert len(fake.asked) >= 2

    run(scenario())
    assert stored() == ["ENTER"]
    assert queries.last_heard(cameras.values()) == {cameras["CAM1"]: NOW}


def test_a_stream_waits_while_nothing_can_be_stored(cameras: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    body = stream_head(X_MIXED) + BY["camera_dahua", "cross_region_start"].body
    fails = iter([True, True, False])
    record = actions._record

    def sometimes(*given: Any, **named: Any) -> Any:
        if next(fails, False):
            raise OperationalError("database or disk is full")
        return record(*given, **named)

    monkeypatch.setattr(actions, "_record", sometimes)

    async def scenario() -> None:
        ears = Ears(lambda: NOW, lambda: 0.0, away_s=0.01)
        hear = ears.hearer("camera_dahua", CameraSettings(), patient=True)
        async with camera(FakeCamera(playing(body))) as fake:
            await families()["camera_dahua"].follow(following(fake, Heard(), hear=hear))  # type: ignore[misc]
        with pytest.raises(ConnectionError):
            monkeypatch.setattr(actions, "_record", partial(sometimes))
            nonlocal fails
            fails = iter([True])
            await ears.hearer("camera_dahua", CameraSettings(), patient=False)(Told("CAM1", (DeviceRecord(EventKind.ENTER),)))
        await ears.end()

    run(scenario())
    assert stored() == ["ENTER"]
    assert cameras


def test_a_camera_tells_of_no_other(cameras: dict[str, int]) -> None:
    async def scenario() -> None:
        ears = Ears(lambda: NOW)
        await ears.hearer("camera_gb28181", CameraSettings(), patient=True)(Told("CAM1", (DeviceRecord(EventKind.ENTER, "CAM2"),)))
        await ears.end()

    run(scenario())
    assert not stored()
    assert ["FOREIGN_DEVICE"] == [row.reason for row in queries.quarantine()[0]]
    assert cameras


def test_a_silent_camera_is_offline_once_and_online_when_it_is_heard_again(cameras: dict[str, int]) -> None:
    limit = timedelta(seconds=180)
    silence = Silence("camera_dahua", {"CAM1": limit, "CAM9": limit}, NOW)
    at = NOW

    def look() -> list[str]:
        found = silence.look(at)
        for each in found:
            actions.record_device_events(each.records, source="camera_dahua", now=at)
        return [record.kind for each in found for record in each.records]

    assert look() == []
    at = NOW + timedelta(seconds=181)  # never heard: counts from the beginning
    assert look() == ["OFFLINE"]
    assert look() == []
    at += timedelta(hours=1)
    assert look() == []
    at += timedelta(seconds=20)
    actions.note_heard(["CAM1"], now=at)
    at += timedelta(seconds=1)
    assert look() == ["ONLINE"]
    assert look() == []
    at += timedelta(seconds=185)
    assert look() == ["OFFLINE"]
    assert stored() == ["OFFLINE", "ONLINE", "OFFLINE"]
    assert cameras


def test_silence_is_looked_at_by_itself(cameras: dict[str, int]) -> None:
    moments = iter(NOW + timedelta(seconds=60 * minute) for minute in range(1_000))

    async def scenario() -> None:
        ears = Ears(lambda: next(moments))
        task = asyncio.ensure_future(watch_silence(ears, "camera_json", CameraSettings(cameras={"CAM1": Camera()}), look_s=0.01))
        await until(lambda: stored() == ["OFFLINE"])
        await ended(task)
        await ears.end()

    run(scenario())
    assert cameras


def test_the_wait_grows_to_a_limit_and_is_scattered() -> None:
    back_off = BackOff(lambda: 0.5)
    assert [1, 2, 4, 8, 16, 30, 30] == [back_off.next_s(held_s=0) for _ in range(7)]
    assert back_off.next_s(held_s=61) == 1
    assert BackOff(lambda: 0.0).next_s(held_s=0) == 0.5
    assert BackOff(lambda: 0.99).next_s(held_s=0) == pytest.approx(1.49)


def test_whatever_breaks_one_camera_is_tried_again() -> None:
    tries = []

    async def follow(_: Following) -> None:
        tries.append(1)
        raise RuntimeError("a defect")

    async def scenario() -> None:
        family = replace(families()["camera_dahua"], follow=follow)
        task = asyncio.ensure_future(keep_following(family, Following("CAM1", Camera(), None, Heard().hear, lambda: NOW, lambda: -0.5)))
        await reached(lambda: len(tries) >= 3)
        await ended(task)

    run(scenario())


def test_settings_are_checked() -> None:
    for wrong in ({"timezone": "Mars/Base"}, {"cameras": {"A": {"silent_s": 1}}}, {"cameras": {"A": {"pasword": "x"}}}):
        with override_settings(SHOUWANG_SOURCES={"camera_dahua": wrong}):
            assert problems_of_settings()["camera_dahua"]
