"""From a foot in the zone to a case, a voice and somebody on the way; and until nobody is there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from shouwang.alerts.models import Alert
from shouwang.cases import actions as cases
from shouwang.cases.models import Case, Task
from shouwang.cases.rules.evidence import Given
from shouwang.journal.queries import events_after
from shouwang.notify.actions import save_speaker
from shouwang.notify.models import Sound
from shouwang.notify.rules.sounds import SoundState
from shouwang.people.rules import SYSTEM
from shouwang.systems.drowning import actions, jobs
from shouwang.systems.drowning.actions import taking
from shouwang.systems.drowning.models import Camera, Label, Sighting
from shouwang.systems.drowning.rules.errors import CameraTaken, KnownWrong, ThresholdWrong, ZoneWrong
from shouwang.systems.drowning.rules.judging import Judgement, Seen
from shouwang.telemetry.actions import record_device_events
from shouwang.telemetry.rules import DeviceRecord, EventKind, EventState, SeenObject
from tests.drowning.conftest import ABOVE, IN_WATER, ON_SHORE, Pond

S = timedelta(seconds=1)
START, STOP = EventState.START, EventState.STOP


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


@pytest.fixture
def speaker(pond: Pond, now: datetime) -> int:
    return save_speaker(
        None, code="HORN-1", kind="horn", name="东坑塘喇叭", settings={"url": "http://127.0.0.1:9/play"}, area_id=pond.area, thing_id=pond.things[0], now=now,
    )


def test_somebody_in_the_zone_opens_one_case_and_asks_the_cadre(drawn: Pond, now: datetime) -> None:
    drawn.tell(now)
    (alert,) = Alert.objects.all()
    assert (alert.kind, alert.severity, alert.subject_kind, alert.subject_id) == ("WATER_EDGE", 3, "water", drawn.water)
    task = Task.objects.get()
    assert (task.assignee_id, task.state) == (drawn.cadre, "OFFERED")
    assert Sighting.objects.get().alert_id == alert.pk


def test_what_is_seen_again_merges_and_is_counted(drawn: Pond, now: datetime) -> None:
    first = drawn.tell(now)
    assert drawn.tell(now + seconds(3)) == first
    drawn.tell(now + seconds(5), who="2")
    drawn.tell(now + seconds(6), camera=1, who="7")
    (alert,) = Alert.objects.all()
    assert alert.merged >= 2
    assert Case.objects.count() == 1
    assert Sighting.objects.get(event_id=first).repeats == 1


def test_a_graver_thing_raises_the_same_case(drawn: Pond, now: datetime) -> None:
    drawn.tell(now)
    drawn.tell(now + seconds(12), who="2", box=IN_WATER)
    (alert,) = Alert.objects.all()
    assert (alert.kind, alert.severity) == ("WATER_ENTERED", 4)
    assert Case.objects.get().severity == 4


@pytest.mark.parametrize(("more", "verdict"), [
    ({"box": ABOVE}, "OUTSIDE"), ({"object": SeenObject.VEHICLE}, "NO_PERSON"), ({"state": STOP}, "LEFT"),
])
def test_what_is_no_alarm_is_kept_with_its_verdict(drawn: Pond, now: datetime, more: dict[str, object], verdict: str) -> None:
    drawn.tell(now, **more)
    assert not Alert.objects.exists()
    assert Sighting.objects.get().verdict == verdict


def test_the_same_news_heard_twice_changes_nothing(drawn: Pond, now: datetime) -> None:
    event = drawn.tell(now)
    assert actions.take_events({event}, now=now + S) == 1
    assert (Alert.objects.count(), Sighting.objects.count(), Sighting.objects.get().repeats) == (1, 1, 0)


def test_known_persons_raise_nothing_and_one_more_does(drawn: Pond, now: datetime) -> None:
    actions.declare_known(SYSTEM, drawn.water, persons=1, reason="村民钓鱼", until=now + timedelta(hours=2), now=now)
    drawn.tell(now + S)
    assert not Alert.objects.exists()
    drawn.tell(now + seconds(2), who="2")
    assert Alert.objects.count() == 1
    assert {each.verdict for each in Sighting.objects.all()} == {"KNOWN", "ALARM"}


def test_an_ended_notice_alarms_again(drawn: Pond, now: datetime) -> None:
    known = actions.declare_known(SYSTEM, drawn.water, persons=3, reason="施工", until=now + timedelta(hours=2), now=now)
    assert actions.end_known(SYSTEM, known, now=now + S) == drawn.water
    drawn.tell(now + seconds(2))
    assert Alert.objects.count() == 1


def test_the_voice_speaks_at_once_firmer_and_by_name(drawn: Pond, speaker: int, now: datetime) -> None:
    drawn.tell(now)
    sounds = list(Sound.objects.order_by("due_at"))
    assert [each.prompt for each in sounds] == ["WATER_EDGE", "WATER_EDGE_FIRM", "WATER_EDGE_LAST"]
    assert [(each.due_at - now).total_seconds() for each in sounds] == [0, 8, 20]
    assert {each.speaker_id for each in sounds} == {speaker}
    drawn.tell(now + seconds(15), who="2")
    assert Sound.objects.count() == 3, "it is quiet while it speaks"


def test_the_voice_stops_when_nobody_is_seen(drawn: Pond, speaker: int, now: datetime) -> None:
    drawn.tell(now)
    drawn.tell(now + seconds(5), state=STOP)
    assert speaker
    assert Sound.objects.filter(state=SoundState.DROPPED).count() == 3
    assert "drowning.water_empty" in {event.kind for event in events_after(0, limit=1_000)}
    assert Case.objects.get().state == "OPEN", "a person closes it"


def test_a_camera_that_never_says_who_left_is_taken_for_empty_after_a_minute(drawn: Pond, now: datetime) -> None:
    drawn.tell(now)
    assert jobs.look_for_empty(now + seconds(59)) == 0
    assert jobs.look_for_empty(now + seconds(61)) == 1
    assert jobs.look_for_empty(now + seconds(62)) == 0
    assert Sighting.objects.get().over_at is not None


def test_unsure_asks_to_look_and_says_nothing(drawn: Pond, speaker: int, now: datetime) -> None:
    Camera.objects.filter(pk=drawn.cameras[0]).update(least_score=0.6)
    drawn.tell(now, score=0.5)
    assert speaker
    assert Alert.objects.get().kind == "WATER_EDGE_UNSURE"
    assert not Sound.objects.exists()


def test_a_closed_case_is_a_label_and_the_next_one_opens_anew(drawn: Pond, now: datetime) -> None:
    drawn.tell(now, score=0.8)
    task = Task.objects.get()
    cases.complete(task.pk, person_id=drawn.cadre, result="FALSE_ALARM", evidence=[Given("what", "ANIMAL")], now=now + seconds(40))
    drawn.hear(now + seconds(41))
    label = Label.objects.get()
    assert (label.result, label.what, label.score, label.camera_id) == ("FALSE_ALARM", "ANIMAL", 0.8, drawn.cameras[0])
    assert not Alert.objects.filter(state="OPEN").exists()
    drawn.tell(now + seconds(60), who="9")
    assert Alert.objects.filter(state="OPEN").count() == 1


def test_a_camera_that_says_it_is_covered_gets_a_ticket_and_ends_it(drawn: Pond, now: datetime) -> None:
    drawn.tell(now, kind=EventKind.TAMPER, object=SeenObject.UNKNOWN, box=None, who="")
    (alert,) = Alert.objects.all()
    assert (alert.kind, alert.subject_kind) == ("CAMERA_COVERED", "camera")
    assert Task.objects.get().assignee_id == drawn.township
    drawn.tell(now + timedelta(minutes=5), kind=EventKind.TAMPER, state=STOP, object=SeenObject.UNKNOWN, box=None, who="")
    assert "alert.signal_over" in {event.kind for event in events_after(0, limit=1_000)}


def test_a_camera_that_is_not_heard_is_offline_once_a_day(drawn: Pond, now: datetime) -> None:
    drawn.tell(now, state=STOP)
    assert jobs.check_cameras(now + timedelta(minutes=4)) == 0
    assert jobs.check_cameras(now + timedelta(minutes=6)) == 1
    assert jobs.check_cameras(now + timedelta(minutes=7)) == 0
    assert Alert.objects.get().kind == "CAMERA_OFFLINE"
    drawn.tell(now + timedelta(minutes=8), state=STOP)
    jobs.check_cameras(now + timedelta(minutes=8))
    assert Camera.objects.get(pk=drawn.cameras[0]).offline_told_at is None


def test_zones_are_refused_with_a_reason_and_the_old_ones_stay(drawn: Pond, now: datetime) -> None:
    with pytest.raises(ZoneWrong):
        actions.save_zones(SYSTEM, drawn.cameras[0], [actions.NewZone("x", "SHORE", [[0, 0], [1, 1]])], now=now)
    with pytest.raises(ZoneWrong):
        actions.save_zones(SYSTEM, drawn.cameras[0], [actions.NewZone("x", "LAND", [[0, 0], [1, 0], [1, 1]])], now=now)
    drawn.tell(now, box=ABOVE)
    assert Sighting.objects.get().verdict == "OUTSIDE"


def test_a_camera_watches_one_water(drawn: Pond, now: datetime) -> None:
    from shouwang.systems.drowning.rules.waters import NewWater  # noqa: PLC0415

    other = actions.add_water(SYSTEM, NewWater("西坑塘", "POND", drawn.area), now=now)
    with pytest.raises(CameraTaken):
        actions.add_camera(SYSTEM, other, external_id="CAM-1", now=now)
    with pytest.raises(CameraTaken):
        actions.add_camera(SYSTEM, other, external_id="NONE", now=now)


def test_a_notice_and_a_threshold_are_checked(drawn: Pond, now: datetime) -> None:
    with pytest.raises(KnownWrong):
        actions.declare_known(SYSTEM, drawn.water, persons=1, reason="", until=now + timedelta(hours=1), now=now)
    with pytest.raises(ThresholdWrong):
        actions.set_threshold(SYSTEM, drawn.cameras[0], least_score=0.123, now=now)
    actions.set_threshold(SYSTEM, drawn.cameras[0], least_score=0.6, now=now)
    assert Camera.objects.get(pk=drawn.cameras[0]).least_score == 0.6


def test_an_exercise_never_speaks_and_never_mixes(drawn: Pond, speaker: int, now: datetime) -> None:
    from shouwang.telemetry.models import Thing  # noqa: PLC0415

    Thing.objects.filter(pk=drawn.things[0]).update(exercise_id=5)
    drawn.tell(now)
    assert speaker
    assert Alert.objects.get().exercise_id == 5
    assert not Sound.objects.exists()


def test_an_event_that_cannot_be_judged_holds_up_no_other_and_is_tried_again(drawn: Pond, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    judge, broken = taking.judge, [True]

    def fails_once(seen: Seen, **rest: Any) -> Judgement:
        if broken[0] and seen.who.endswith(":1"):
            raise KeyError(seen.who)
        return judge(seen, **rest)

    monkeypatch.setattr(taking, "judge", fails_once)
    for who in ("1", "2"):
        record_device_events([DeviceRecord(EventKind.ENTER, "CAM-1", rule="1", object=SeenObject.HUMAN, object_id=who, box=ON_SHORE)], source="camera_json", now=now)
    jobs.on_seen(events_after(0, kinds=jobs.SEEN_KINDS))
    assert [each.who[-1] for each in Sighting.objects.all()] == ["2"]
    assert [event.kind for event in events_after(0, kinds=[jobs.UNJUDGED])] == [jobs.UNJUDGED]
    later = now + timedelta(minutes=2)
    assert jobs.judge_again(later) == 0
    broken[0] = False
    assert jobs.judge_again(later) == 1
    assert jobs.judge_again(later) == 0
    assert Sighting.objects.count() == 2


def test_a_rescue_is_labelled_as_one(drawn: Pond, now: datetime) -> None:
    drawn.tell(now)
    cases.complete(
        Task.objects.get().pk, person_id=drawn.cadre, result="RESCUED", evidence=[Given("called", "120"), Given("handed_to", "县医院")], now=now + seconds(90),
    )
    drawn.hear(now + seconds(91))
    assert Label.objects.get().result == "RESCUED"


def test_what_one_detector_alone_has_seen_asks_to_look(drawn: Pond, now: datetime) -> None:
    record_device_events([DeviceRecord(EventKind.ENTER, "CAM-1", rule="shore:CHECK", object_id="4", box=ON_SHORE)], source="camera_json", now=now)
    drawn.hear(now)
    assert Alert.objects.get().kind == "WATER_EDGE_UNSURE"
