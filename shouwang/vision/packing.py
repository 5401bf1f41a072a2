"""Puts up to four squares of a picture into one detector input, and the boxes found there back into the picture.

One look at four squares costs what one look at one costs; a person cut by the border of a square is left to the
square that holds them whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.detecting import NOTHING, Boxes, Detector, thinned
from shouwang.vision.picture import Picture, Square

CUT_PX = 1.5
"""A box this near to the inner border of its cell, in pixels of the input, is a person cut in two."""


def look_at(
    picture: Picture, squares: Sequence[Square], *, detector: Detector, least: float, across: int = 2, stretch: bool = False,
) -> Boxes:
    """Return the people in `squares`, in pixels of the picture, looked at `across`² squares at a time. Costs one inference for each."""
    found = []
    for begin in range(0, len(squares), across * across):
        part = squares[begin : begin + across * across]
        image = packed(picture, part, side=detector.side, across=1 if len(part) == 1 else across, stretch=stretch)
        boxes = detector.look(image, least=least)
        found.append(unpacked(boxes, part, picture=picture, side=detector.side, across=1 if len(part) == 1 else across))
    return thinned(np.concatenate(found)) if found else NOTHING


def packed(picture: Picture, squares: Sequence[Square], *, side: int, across: int, stretch: bool) -> NDArray[np.float32]:
    """Return one input of `side` × `side` with the squares in its cells, row by row; empty cells are plain grey."""
    image = np.full((side, side, 3), 114, np.float32)
    cell = side // across
    for place, square in enumerate(squares):
        top, left = divmod(place, across)
        picture.put(square, into=image[top * cell : (top + 1) * cell, left * cell : (left + 1) * cell], stretch=stretch)
    return image


def unpacked(boxes: Boxes, squares: Sequence[Square], *, picture: Picture, side: int, across: int) -> Boxes:
    """Return boxes of a packed input in pixels of the picture; those cut by a cell's border inside the picture are dropped."""
    if not len(boxes):
        return NOTHING
    cell = side // across
    column, row = ((boxes[:, axis] + boxes[:, axis + 2]) / 2 // cell for axis in (0, 1))
    place = (row * across + column).astype(np.intp)
    known = (row >= 0) & (column >= 0) & (row < across) & (column < across) & (place < len(squares))
    boxes, place, row, column = boxes[known], place[known], row[known], column[known]
    square = np.array([[each.x, each.y, each.side] for each in squares])[place]
    scale = square[:, 2:3] / cell
    corner = np.stack([column * cell, row * cell], axis=1)
    local = np.clip(boxes[:, :4] - np.tile(corner, 2), 0, cell)
    out = local * scale + np.tile(square[:, :2], 2)
    size = np.array([picture.width, picture.height])
    cut = (local[:, :2] < CUT_PX) & (out[:, :2] > 2) | (local[:, 2:] > cell - CUT_PX) & (out[:, 2:] < size - 2)
    out = np.concatenate([np.clip(out[:, :2], 0, size), np.clip(out[:, 2:], 0, size), boxes[:, 4:5]], axis=1)
    whole: Boxes = out[~cut.any(axis=1)]
    return whole
