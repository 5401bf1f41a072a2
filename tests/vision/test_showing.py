"""Evidence and health: what a copy hides, what a clip holds, and when a camera is said to see badly."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from shouwang.vision.camera import Camera
from shouwang.vision.detecting import NOTHING
from shouwang.vision.entering import Happening, Kind, State
from shouwang.vision.evidence import HELD_S, Ring, bgr_of, blur_faces, clip_of, head_of, jpeg_of
from shouwang.vision.health import EVERY_S, LASTED_S, LEARNT_FRAMES, NO_FRAME_S, Health
from shouwang.vision.picture import Picture
from shouwang.vision.watching import Seen
from tests.vision.conftest import picture, plan

pytestmark = pytest.mark.needs_vision
BOX = (100.0, 40.0, 140.0, 150.0)
AT = datetime(2026, 7, 1, 6, 30, tzinfo=UTC)


def busy_image() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (180, 320, 3)).astype(np.uint8)


def test_the_upper_part_of_a_person_is_a_few_blocks_and_the_rest_is_untouched() -> None:
    original = jpeg_of(busy_image())
    copy, before = bgr_of(blur_faces(busy_image(), [BOX])), bgr_of(original)
    x0, y0, x1, y1 = head_of(BOX, 320, 180)
    assert (x0, y0) <= (100, 40)
    assert y1 >= 40 + 0.38 * 110
    inside = np.abs(np.diff(copy[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].astype(int), axis=1))
    assert np.median(inside) <= 2  # blocks are plain but for their borders and JPEG
    untouched = np.abs(copy[y1 + 10 :].astype(int) - before[y1 + 10 :])
    assert untouched.mean() < 12  # noise, compressed twice


def test_a_box_at_the_border_or_of_no_size_breaks_nothing() -> None:
    for box in ((-20.0, -10.0, 15.0, 60.0), (310.0, 170.0, 330.0, 200.0), (50.0, 50.0, 50.0, 50.0)):
        assert bgr_of(blur_faces(busy_image(), [box])).shape == (180, 320, 3)


def filled(*, seconds: int) -> Ring:
    ring = Ring()
    for number in range(seconds * 5):
        ring.put(picture(seed=number), [BOX], at_s=number / 5)
    return ring


def test_memory_is_bounded_and_gives_whole_frames_of_the_last_seconds() -> None:
    ring = filled(seconds=30)
    assert ring.small[-1].at_s - ring.small[0].at_s <= HELD_S
    assert len(ring.whole) <= 7
    shown = [ring.at(at_s) for at_s in (26.8, 29.8, 0.0)]
    assert [each.at_s for each in shown if each] == [27.0, 29.8, 25.0]
    assert all(each.picture.width == 320 for each in shown if each)
    assert ring.boxes_near(29.8) == [BOX] * 3


def test_a_clip_is_h264_of_ten_seconds_with_everybody_hidden() -> None:
    import av  # noqa: PLC0415 - the extra

    with av.open(io.BytesIO(clip_of(filled(seconds=12).last(), blurred=True))) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        assert container.streams.video[0].codec_context.name == "h264"
    assert 49 <= len(frames) <= 51
    x0, y0, x1, y1 = head_of((50.0, 20.0, 70.0, 75.0), 160, 90)
    inside = [np.abs(np.diff(each[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].astype(int), axis=1)).mean() for each in frames]
    outside = [np.abs(np.diff(each[y0:y1, 100:130].astype(int), axis=1)).mean() for each in frames]
    assert np.mean(inside) < 0.6 * np.mean(outside)


def look_on(health: Health, shown: Iterable[Picture], *, begin_s: float) -> list[tuple[Kind, State]]:
    return [each for number, one in enumerate(shown) for each in health.see(one, at_s=begin_s + number * EVERY_S)]


def learnt() -> tuple[Health, Picture, float]:
    """Return the health of a camera that has learnt a picture with edges, and when."""
    luma = np.random.default_rng(5).integers(40, 200, (12, 20)).astype(np.uint8).repeat(30, axis=0).repeat(32, axis=1)
    usual = Picture(np.ascontiguousarray(luma))
    health = Health()
    assert look_on(health, [usual] * (LEARNT_FRAMES + 5), begin_s=0) == []
    return health, usual, (LEARNT_FRAMES + 5) * EVERY_S


def wrong_pictures(usual: Picture) -> dict[Kind, Picture]:
    import cv2  # noqa: PLC0415 - the extra

    return {
        Kind.TAMPER: Picture(np.full_like(usual.luma, 12)),
        Kind.BLUR: Picture(cv2.GaussianBlur(usual.luma, (0, 0), 9)),
        Kind.MOVED: Picture(np.roll(usual.luma, (95, 140), axis=(0, 1))),
    }


@pytest.mark.parametrize("kind", [Kind.TAMPER, Kind.BLUR, Kind.MOVED])
def test_a_camera_that_sees_badly_is_told_once_it_has_lasted_and_when_it_is_over(kind: Kind) -> None:
    health, usual, begin_s = learnt()
    times = int(LASTED_S / EVERY_S) + 3
    assert look_on(health, [wrong_pictures(usual)[kind]] * times, begin_s=begin_s) == [(kind, State.START)]
    assert look_on(health, [usual] * times, begin_s=begin_s + times * EVERY_S) == [(kind, State.STOP)]


def test_a_moment_of_it_is_not_told() -> None:
    health, usual, begin_s = learnt()
    for number, wrong in enumerate(wrong_pictures(usual).values()):
        assert look_on(health, [wrong, wrong, usual, usual], begin_s=begin_s + 20 * number) == []


def test_no_frame_for_a_minute_is_told_and_its_return() -> None:
    health = Health()
    assert health.silent(at_s=0) == []
    assert health.silent(at_s=NO_FRAME_S - 1) == []
    assert health.silent(at_s=NO_FRAME_S) == [(Kind.VIDEO_LOSS, State.START)]
    assert health.silent(at_s=2 * NO_FRAME_S) == []
    assert health.see(picture(), at_s=130) == [(Kind.VIDEO_LOSS, State.STOP)]


class Told:
    """A watcher that says what it is told to say; one person stands in BOX."""

    class tracker:  # noqa: N801 - stands in for an attribute
        tracks: list[Any] = []  # noqa: RUF012

    def __init__(self, happenings: dict[float, list[Happening]]) -> None:
        self.happenings, self.plan, self.night = happenings, plan(), False
        one = type("One", (), {"box": np.array(BOX)})
        self.tracker.tracks = [one()]

    def see(self, _: Picture, *, at_s: float, at: datetime | None = None) -> Seen:
        return Seen(self.happenings.get(at_s, []), [], NOTHING, night=False, squares=0)


def test_an_entry_leaves_at_once_with_copies_and_originals_and_its_clip_follows() -> None:
    letters: list[Any] = []
    entry = Happening(Kind.ENTER, State.START, "z", 1, BOX, 6.0)
    camera = Camera(Told({6.0: [entry]}), "run", lambda letter: letters.append((at_s, json.loads(letter.body))), lambda: AT)  # type: ignore[arg-type]
    for number in range(65):
        at_s = number / 5
        camera.see(picture(seed=number), at_s=at_s)
    told = [(moment, each) for moment, each in letters if "kind" in each]
    assert [(moment, each["kind"], each["state"]) for moment, each in told] == [(6.0, "ENTER", "START"), (11.0, "ENTER", "PULSE")]
    assert [each["name"] for each in told[0][1]["snapshots"]] == [
        "before.jpg", "before.original.jpg", "entry.jpg", "entry.original.jpg",
    ]
    assert told[0][1]["clip"] is None
    assert (told[1][1]["clip"]["name"], [each["name"] for each in told[1][1]["snapshots"]]) == (
        "clip.mp4", ["now.jpg", "now.original.jpg", "clip.original.mp4"],
    )
    assert told[0][1]["object_id"] == told[1][1]["object_id"]
    assert [set(each) for _, each in letters if "kind" not in each] == [{"device", "health"}]  # a sign of life
