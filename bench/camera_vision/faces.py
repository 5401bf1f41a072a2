"""Counts the faces left in copies: places where a person's head, known from the truth, still holds detail that the copy should not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.camera_vision.truth import Box

HEAD = 0.16
"""A head is the upper sixth of a person, in its middle half."""
KEPT_DETAIL = 0.35
LEAST_PX = 36.0
HIDDEN_SHARE = 0.3


def faces_left(original: NDArray[np.uint8], copy: NDArray[np.uint8], people: list[Box]) -> tuple[int, int]:
    """Return how many heads of people in view keep their detail in a copy, and how many there were.

    Detail is the spread within a head after its coarse shades are taken away; what is behind somebody else is not counted.
    """
    left = heads = 0
    for place, box in enumerate(people):
        if any(covers(other, box) for other in people[place + 1 :]):
            continue
        x0, y0, x1, y1 = head(box, original.shape[1], original.shape[0])
        if x1 - x0 < 3 or y1 - y0 < 3:
            continue
        heads += 1
        before, after = (detail(image[y0:y1, x0:x1]) for image in (original, copy))
        left += before > 2 and after > KEPT_DETAIL * before and float(np.abs(copy[y0:y1, x0:x1].astype(int) - original[y0:y1, x0:x1]).mean()) < 6
    return left, heads


def head(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Return where a person's head is."""
    x0, y0, x1, y1 = box
    across = (x1 - x0) / 4
    return max(0, int(x0 + across)), max(0, int(y0)), min(width, int(x1 - across) + 1), min(height, int(y0 + HEAD * (y1 - y0)) + 1)


def detail(part: NDArray[np.uint8]) -> float:
    """Return how much neighbouring pixels differ."""
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.abs(np.diff(grey, axis=1)).mean() + np.abs(np.diff(grey, axis=0)).mean())


def covers(front: Box, behind: Box) -> bool:
    """Return whether somebody drawn later hides the head of another."""
    x0, y0, x1, y1 = head(behind, 10**6, 10**6)
    width, height = min(front[2], x1) - max(front[0], x0), min(front[3], y1) - max(front[1], y0)
    return width > 0 and height > 0 and width * height > HIDDEN_SHARE * (x1 - x0) * (y1 - y0)
