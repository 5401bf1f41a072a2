"""The process that speaks on site: what it does in one pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shouwang.config.voice import Voice
from shouwang.notify import actions, queries
from shouwang.notify.actions import NewSound
from shouwang.notify.jobs import InlinePlayers
from shouwang.notify.rules.sounds import SpeakerState
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import add_area
from tests.notify.speakers.conftest import Told, devices

__all__ = ["devices"]


@pytest.fixture
def area(db: None) -> int:
    return add_area(parent_id=None, name="示范县", level="PREFECTURE", now=datetime.now(UTC))


def pass_a_second_later(voice: Voice) -> None:
    voice._check_s = 0.0
    voice.go_on()


def test_a_loudspeaker_is_looked_at_soon_after_it_is_registered(area: int, devices: dict[str, Told]) -> None:
    with httpx.Client() as http:
        voice = Voice(InlinePlayers(http))  # type: ignore[arg-type]
        voice.go_on()  # there is none yet, so no check is due
        given = {"kind": "isapi", "name": "东岸", "area_id": area, "now": datetime.now(UTC) - timedelta(seconds=1)}
        first = actions.save_speaker(None, code="SP-1", settings={"url": "http://a"}, **given)
        pass_a_second_later(voice)
        pass_a_second_later(voice)
        assert SpeakerState.OK == queries.speaker(SYSTEM, first).state  # its next check is tomorrow
        second = actions.save_speaker(None, code="SP-2", settings={"url": "http://b"}, **given)
        pass_a_second_later(voice)
        pass_a_second_later(voice)
        assert SpeakerState.OK == queries.speaker(SYSTEM, second).state


def test_a_sound_that_is_due_is_played(area: int, devices: dict[str, Told]) -> None:
    now = datetime.now(UTC)
    speaker = actions.save_speaker(None, code="SP-1", kind="isapi", name="东岸", settings={"url": "http://a"}, area_id=area, now=now)
    actions.queue_sounds([NewSound(speaker, "7:0", "7", "WATER_EDGE", now, now + timedelta(seconds=60), 3)], now=now)
    with httpx.Client() as http:
        voice = Voice(InlinePlayers(http))  # type: ignore[arg-type]
        voice.go_on()
        voice.go_on()
    assert ["PLAYED"] == [row.state.name for row in queries.sounds_of_ladders(["7"])["7"]]
