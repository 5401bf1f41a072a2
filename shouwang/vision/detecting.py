"""Runs a person detector of the YOLOX family (an ONNX file) on one square input, on one thread.

Two threads cost more CPU in all and are no faster beside other cameras: parallel over cameras, never within one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.errors import ModelAbsent
from shouwang.vision.extra import library

Boxes = NDArray[np.float64]
"""Rows of x0, y0, x1, y1, score."""

MOST_BOXES = 80
NOTHING: Boxes = np.zeros((0, 5))
STRIDES = (8, 16, 32)
PERSON = 5
"""Column of the first class's score; in COCO, as in a model of persons only, the first class is the person."""


@dataclass
class Detector:
    """A loaded model: `look` finds the people in one input of `side` × `side` BGR."""

    session: Any
    side: int

    def __post_init__(self) -> None:
        self._input = self.session.get_inputs()[0].name
        self._grid, self._stride = grid_of(self.side)

    def look(self, image: NDArray[np.float32], *, least: float) -> Boxes:
        """Return the people with a score of at least `least`, in pixels of the input, best first, not yet thinned."""
        blob = np.ascontiguousarray(image.transpose(2, 0, 1)[None])
        raw = self.session.run(None, {self._input: blob})[0][0]
        score = raw[:, 4] * raw[:, PERSON]
        kept = np.flatnonzero(score >= least)
        if not len(kept):
            return NOTHING
        kept = kept[np.argsort(-score[kept], kind="stable")]
        stride = self._stride[kept, None]
        centre = (raw[kept, :2] + self._grid[kept]) * stride
        half = np.exp(raw[kept, 2:4]) * stride / 2
        return np.concatenate([centre - half, centre + half, score[kept, None]], axis=1).astype(np.float64)


def load(path: Path) -> Detector:
    """Return the detector in the ONNX file `path`. Raises ModelAbsent, VisionMissing."""
    runtime = library("onnxruntime")
    if not path.is_file():
        raise ModelAbsent(path=path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Detector(session, int(session.get_inputs()[0].shape[-1]))


def grid_of(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the cells (x, y) of all strides in the order of the model's rows, and the stride of each row."""
    cells, strides = [], []
    for stride in STRIDES:
        count = side // stride
        rows, columns = np.mgrid[:count, :count]
        cells.append(np.stack([columns, rows], axis=-1).reshape(-1, 2))
        strides.append(np.full(count * count, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def thinned(boxes: Boxes, *, overlap: float = 0.45, inside: float = 0.75) -> Boxes:
    """Return the boxes, best first, at most MOST_BOXES, without those that lie `overlap` over a better one or `inside` of their area within it."""
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")[:MOST_BOXES]]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    shared = shared_areas(boxes)
    union = area[:, None] + area[None] - shared
    same = (shared > overlap * union) | (shared > inside * np.minimum(area[:, None], area[None]))
    kept: list[int] = []
    free = np.ones(len(boxes), bool)
    for row in range(len(boxes)):
        if free[row]:
            kept.append(row)
            free &= ~same[row]
    return boxes[kept]


def shared_areas(boxes: Boxes) -> NDArray[np.float64]:
    """Return the areas that each two of `boxes` share."""
    width = np.minimum(boxes[:, None, 2], boxes[None, :, 2]) - np.maximum(boxes[:, None, 0], boxes[None, :, 0])
    height = np.minimum(boxes[:, None, 3], boxes[None, :, 3]) - np.maximum(boxes[:, None, 1], boxes[None, :, 1])
    areas: NDArray[np.float64] = np.clip(width, 0, None) * np.clip(height, 0, None)
    return areas


def shared_area(box: NDArray[np.float64], others: Boxes) -> NDArray[np.float64]:
    """Return the area that `box` shares with each of `others`."""
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    area: NDArray[np.float64] = np.clip(width, 0, None) * np.clip(height, 0, None)
    return area
