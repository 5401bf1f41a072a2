"""One frame as the decoder left it: the luma plane and, where there is colour, two half-size chroma planes.

Motion is looked for on the luma plane itself; only the few squares a detector sees are ever turned into colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.extra import library

Plane = NDArray[np.uint8]
PAD = 114
GREY = 128
# BT.601, video range (16–235): what H.264 cameras send. Rows give blue, green, red of (luma, Cb, Cr, 1).
TO_BGR = np.array([
    [1.164, 2.017, 0.0, -1.164 * 16 - 2.017 * 128],
    [1.164, -0.392, -0.813, -1.164 * 16 + (0.392 + 0.813) * 128],
    [1.164, 0.0, 1.596, -1.164 * 16 - 1.596 * 128],
])
FULL_TO_BGR = np.array([[1.0, 1.772, 0.0, -1.772 * 128], [1.0, -0.344, -0.714, 1.058 * 128], [1.0, 0.0, 1.402, -1.402 * 128]])


@dataclass(frozen=True, slots=True)
class Square:
    """A square part of a picture in its pixels; it may reach over the edge, which is padded."""

    x: float
    y: float
    side: float

    def holds(self, box: NDArray[np.float64]) -> bool:
        """Return whether the whole box lies inside."""
        return bool(self.x <= box[0] and self.y <= box[1] and box[2] <= self.x + self.side and box[3] <= self.y + self.side)


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame: `luma` is H×W, `blue` and `red` (Cb, Cr) are half that in each direction or None where the stream is grey."""

    luma: Plane
    blue: Plane | None = None
    red: Plane | None = None
    full_range: bool = False

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return int(self.luma.shape[1])

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return int(self.luma.shape[0])

    def small(self, width: int) -> Plane:
        """Return the luma shrunk by a whole factor to about `width` pixels across, each the mean of a block."""
        factor = max(1, round(self.width / width))
        size = (self.width // factor, self.height // factor)
        shrunk: Plane = library("cv2").resize(self.luma, size, interpolation=library("cv2").INTER_AREA)
        return shrunk

    def put(self, square: Square, *, into: NDArray[np.float32], stretch: bool = False) -> None:
        """Write the square as BGR into `into` (n×n×3), padded where it leaves the picture; with `stretch` grey from dark to bright."""
        into[:] = PAD
        side = into.shape[0]
        x0, y0 = max(0, round(square.x)), max(0, round(square.y))
        x1, y1 = min(self.width, round(square.x + square.side)), min(self.height, round(square.y + square.side))
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        scale = side / square.side
        left, top = max(0, round((x0 - square.x) * scale)), max(0, round((y0 - square.y) * scale))
        size = (min(side - left, max(1, round((x1 - x0) * scale))), min(side - top, max(1, round((y1 - y0) * scale))))
        target = into[top : top + size[1], left : left + size[0]]
        if stretch or self.blue is None or self.red is None:
            luma = self.luma[y0:y1, x0:x1]
            target[:] = (stretched(resized(sharpened(luma), size)) if stretch else resized(luma, size).astype(np.float32))[..., None]
            return
        half = (slice(y0 // 2, max(y0 // 2 + 1, y1 // 2)), slice(x0 // 2, max(x0 // 2 + 1, x1 // 2)))
        planes = library("cv2").merge([resized(self.luma[y0:y1, x0:x1], size), resized(self.blue[half], size), resized(self.red[half], size)])
        colour = library("cv2").transform(planes.astype(np.float32), FULL_TO_BGR if self.full_range else TO_BGR)
        np.clip(colour, 0, 255, out=target)

    def bgr(self) -> Plane:
        """Return the whole picture as BGR. Costs some ms: for evidence, never for looking."""
        cv2 = library("cv2")
        if self.blue is None or self.red is None:
            grey: Plane = cv2.cvtColor(self.luma, cv2.COLOR_GRAY2BGR)
            return grey
        size = (self.width, self.height)
        planes = cv2.merge([self.luma, resized(self.blue, size), resized(self.red, size)])
        colour = cv2.transform(planes.astype(np.float32), FULL_TO_BGR if self.full_range else TO_BGR)
        clipped: Plane = np.clip(colour, 0, 255).astype(np.uint8)
        return clipped


def resized(plane: Plane, size: tuple[int, int]) -> Plane:
    """Return a plane in another size: means of blocks when it shrinks, linear when it grows."""
    cv2 = library("cv2")
    shrinks = size[0] < plane.shape[1]
    out: Plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return out


def sharpened(luma: Plane) -> Plane:
    """Return the luma with its edges raised: at night people are small, dim and soft, and detectors were taught on crisp pictures."""
    cv2 = library("cv2")
    out: Plane = cv2.addWeighted(luma, 1.8, cv2.GaussianBlur(luma, (0, 0), 1.5), -0.8, 0)
    return out


def stretched(luma: Plane) -> NDArray[np.float32]:
    """Return the luma with its 2nd and 98th percentile brought to 20 and 235, at most six times the contrast: the night's range."""
    low, high = np.percentile(luma[::2, ::2], (2, 98))
    gain = min(6.0, 215.0 / max(1.0, float(high - low)))
    out: NDArray[np.float32] = np.clip((luma.astype(np.float32) - low) * gain + 20, 0, 255)
    return out


def picture_of(frame: Any) -> Picture:
    """Return a decoded PyAV frame as a picture; planes of 4:2:0 are taken as they lie, anything else is converted first."""
    name = frame.format.name
    if name not in {"yuv420p", "yuvj420p"}:
        frame, name = frame.reformat(format="yuv420p"), "yuv420p"
    luma, blue, red = (plane_of(frame.planes[n]) for n in range(3))
    return Picture(luma, blue, red, full_range=name == "yuvj420p" or getattr(frame, "color_range", 0) == 2)


def plane_of(plane: Any) -> Plane:
    """Return a copy of one plane without the decoder's padding."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return np.ascontiguousarray(rows[: plane.height, : plane.width])
