"""From a picture to boxes: packing, thinning, the gate; and the real models on the CC BY clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shouwang.vision.detecting import Detector, load, thinned
from shouwang.vision.errors import ModelAbsent
from shouwang.vision.gate import LEARNING_FRAMES, Gate
from shouwang.vision.packing import packed, unpacked
from shouwang.vision.picture import Picture, Square, picture_of, stretched
from shouwang.vision.squares import Chooser, Sizes, tiles
from shouwang.vision.thresholds import thresholds
from shouwang.vision.watching import Watcher, is_grey
from tests.vision.conftest import picture, plan

pytestmark = pytest.mark.needs_vision


def test_squares_lie_in_their_cells_and_keep_their_colour() -> None:
    shown = picture(400, 300, shade=100)
    shown.luma[0:100, 0:100], shown.luma[200:300, 300:400] = 200, 30
    image = packed(shown, [Square(0, 0, 100), Square(300, 200, 100)], side=192, across=2, stretch=False)
    assert image[:96, :96].mean() > 170
    assert image[:96, 96:].mean() < 60
    assert np.all(image[96:] == 114)  # empty cells


def test_what_leaves_the_picture_is_padded() -> None:
    image = packed(picture(100, 100, shade=30), [Square(-50, -50, 100)], side=100, across=1, stretch=False)
    assert np.all(image[:49, :49] == 114)
    assert image[55:, 55:].mean() < 80


def test_a_person_cut_by_a_cell_is_dropped_and_one_at_the_pictures_edge_is_not() -> None:
    squares = [Square(100, 100, 96), Square(0, 0, 96)]
    cut, at_edge = [94, 10, 95.8, 40, 0.9], [96, 10, 110, 40, 0.9]
    found = unpacked(np.array([cut, at_edge]), squares, picture=picture(300, 300), side=192, across=2)
    assert found[:, :4].tolist() == [[0, 10, 14, 40]]


def test_doubles_and_parts_of_a_person_are_thinned_out() -> None:
    boxes = np.array([[10, 10, 30, 60, 0.9], [11, 11, 31, 61, 0.8], [12, 30, 28, 58, 0.7], [80, 10, 100, 60, 0.6]])
    assert thinned(boxes)[:, 4].tolist() == [0.9, 0.6]


def test_tiles_cover_the_whole_area() -> None:
    seen = np.zeros((200, 500), bool)
    for each in tiles((0, 0, 500, 200), side=120):
        seen[max(0, int(each.y)) : int(each.y + each.side) + 1, max(0, int(each.x)) : int(each.x + each.side) + 1] = True
    assert seen.all()


def test_no_more_squares_than_the_limit_and_the_rest_is_counted() -> None:
    chooser = Chooser(thresholds(), Sizes(40), (0, 0, 1000, 1000))
    far_apart = np.array([[x, y, x + 15, y + 40] for x in (50, 350, 650, 950) for y in (50, 350, 650)], float)
    assert len(chooser.choose(np.zeros((0, 4)), far_apart, heights=4.5, fill=4, sweep=False)) == thresholds().squares_most
    assert chooser.left_off == 4


def test_free_cells_sweep_the_zone_in_turn() -> None:
    chooser = Chooser(thresholds(), Sizes(40), (0, 0, 1000, 300))
    seen = {(square.x, square.y) for _ in range(20) for square in chooser.choose(np.zeros((0, 4)), np.zeros((0, 4)), heights=4.5, fill=4, sweep=True)}
    assert seen == {(square.x, square.y) for square in tiles((0, 0, 1000, 300), side=180)}


def test_the_gate_sees_what_moves_and_where() -> None:
    gate = Gate(thresholds())
    still = picture(960, 540, seed=1)
    for _ in range(LEARNING_FRAMES + 2):
        assert len(gate.moved(still)) == 0
    moved = Picture(still.luma.copy(), still.blue, still.red)
    moved.luma[300:360, 500:520] = 200
    (box,) = gate.moved(moved)
    assert np.abs(box - [500, 300, 520, 360]).max() <= 14


def test_a_change_of_light_is_no_motion_and_a_flood_is_none_either() -> None:
    gate = Gate(thresholds())
    still = picture(960, 540, seed=1)
    for _ in range(LEARNING_FRAMES + 2):
        gate.moved(still)
    assert len(gate.moved(Picture(still.luma + 20, still.blue, still.red))) == 0
    flooded = still.luma.copy()
    flooded[:, :400] += 90
    assert len(gate.moved(Picture(flooded, still.blue, still.red))) == 0


def test_night_is_told_by_its_missing_colour() -> None:
    assert is_grey(Picture(picture().luma), least=3)
    assert not is_grey(picture(), least=3)
    assert stretched(np.tile(np.arange(30, 60, dtype=np.uint8), (30, 1))).max() > 150


def test_a_model_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelAbsent):
        load(tmp_path / "none.onnx")


@pytest.fixture
def detectors(models: Path) -> tuple[Detector, Detector]:
    return load(models / "light_person_192.onnx"), load(models / "yolox_nano_416.onnx")


def clip_picture(clip: Path, number: int) -> Picture:
    import av  # noqa: PLC0415 - the extra

    with av.open(str(clip)) as container:
        return next(picture_of(frame) for place, frame in enumerate(container.decode(video=0)) if place == number)


def test_both_models_find_the_person_of_the_clip_and_nobody_in_the_empty_room(clip: Path, detectors: tuple[Detector, Detector]) -> None:
    for detector in detectors:
        for number, people in ((100, 1), (10, 0)):
            shown = clip_picture(clip, number)
            image = packed(shown, [Square(0, -168, 768)], side=detector.side, across=1, stretch=False)
            assert len(thinned(detector.look(image, least=0.5))) == people


def test_a_person_in_the_clip_enters_once(clip: Path, detectors: tuple[Detector, Detector]) -> None:
    import av  # noqa: PLC0415 - the extra

    watcher = Watcher(plan(polygon=((0.3, 0.75), (0.85, 0.75), (0.85, 0.99), (0.3, 0.99))), *detectors)
    told = []
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 2 == 0:
                told += [(number, each) for each in watcher.see(picture_of(frame), at_s=number / 10).happenings]
            if number > 150:
                break
    assert [(each.kind, each.state, each.confirmed) for _, each in told] == [("ENTER", "START", True)]
    assert 70 <= told[0][0] <= 84  # the feet come into the picture at frame 74
