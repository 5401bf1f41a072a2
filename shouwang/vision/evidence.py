"""What is shown of an entry, from memory and at once: before, entry, now, and a clip of ten seconds; faces unknowable in what goes out.

The original is kept apart by whoever receives it; here both are made, so that no copy with faces has to leave first.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.extra import library
from shouwang.vision.picture import Picture, Plane, resized

Box = tuple[float, float, float, float]

HELD_S = 12.0
WHOLE_S, WHOLE_EVERY_S = 5.0, 1.0
BEFORE_S = 3.0
CLIP_S = 10.0
MOST_HELD = 150
QUALITY = 85
HEAD_SHARE = 0.38
"""The upper part of a person in which the face is, with room for a box that begins too low."""
HEAD_MARGIN = 0.25
BLOCKS = 4
"""A head is shown as this many blocks across, whatever its size."""
CLIP_WIDTH = 960


@dataclass(frozen=True)
class Held:
    """One frame in memory with the people seen in it, boxes in its own pixels."""

    picture: Picture
    boxes: tuple[Box, ...]
    at_s: float


@dataclass
class Ring:
    """The last HELD_S seconds of one camera at half its size, and one whole frame of each of the last seconds.

    Some 60 MB at 1080p and five frames a second, and half a ms a frame: turning every frame into a JPEG would cost more than looking at it.
    """

    small: deque[Held] = field(default_factory=lambda: deque(maxlen=MOST_HELD))
    whole: deque[Held] = field(default_factory=lambda: deque(maxlen=MOST_HELD))
    newest: Held | None = None

    def put(self, picture: Picture, boxes: Iterable[Box], *, at_s: float) -> None:
        """Keep a frame."""
        self.newest = Held(picture, tuple(boxes), at_s)
        self.small.append(halved(self.newest))
        if not self.whole or at_s - self.whole[-1].at_s >= WHOLE_EVERY_S:
            self.whole.append(self.newest)
        for held, seconds in ((self.small, HELD_S), (self.whole, WHOLE_S)):
            while held and at_s - held[0].at_s > seconds:
                held.popleft()

    def at(self, at_s: float) -> Held | None:
        """Return the whole frame nearest to a moment; None while nothing is held."""
        frames = [*self.whole, *([self.newest] if self.newest else [])]
        return min(frames, key=lambda each: abs(each.at_s - at_s)) if frames else None

    def boxes_near(self, at_s: float, *, seconds: float = 0.5) -> list[Box]:
        """Return the boxes of all people within so long of a moment, in pixels of the whole frame: a face missed once must not show once."""
        return [tuple(2 * each for each in box) for held in self.small if abs(held.at_s - at_s) <= seconds for box in held.boxes]  # type: ignore[misc]

    def last(self, seconds: float = CLIP_S) -> list[Held]:
        """Return the frames of the last seconds, at half their size."""
        return [each for each in self.small if self.small[-1].at_s - each.at_s <= seconds]


def halved(held: Held) -> Held:
    """Return a frame at half its size."""
    def half(plane: Plane | None) -> Plane | None:
        return None if plane is None else resized(plane, (max(2, plane.shape[1] // 2), max(2, plane.shape[0] // 2)))

    picture = held.picture
    size = (max(2, picture.width // 2), max(2, picture.height // 2))
    boxes = tuple((x0 / 2, y0 / 2, x1 / 2, y1 / 2) for x0, y0, x1, y1 in held.boxes)
    return Held(Picture(resized(picture.luma, size), half(picture.blue), half(picture.red), picture.full_range), boxes, held.at_s)


def jpeg_of(image: NDArray[np.uint8]) -> bytes:
    """Return a BGR picture as JPEG."""
    cv2 = library("cv2")
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(encoded)


def bgr_of(jpeg: bytes) -> NDArray[np.uint8]:
    """Return a JPEG as BGR."""
    cv2 = library("cv2")
    image: NDArray[np.uint8] = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return image


def blur_faces(image: NDArray[np.uint8], boxes: Iterable[Box]) -> bytes:
    """Return a BGR picture as a JPEG in which the upper part of every person in `boxes` (pixels) is a few plain blocks."""
    copy = image.copy()
    pixelate(copy, boxes)
    return jpeg_of(copy)


def pixelate(image: NDArray[np.uint8], boxes: Iterable[Box]) -> None:
    """Turn the upper part of every box of `image` into at most BLOCKS blocks across, in place. Cannot be undone."""
    cv2 = library("cv2")
    for box in boxes:
        x0, y0, x1, y1 = head_of(box, image.shape[1], image.shape[0])
        if x1 - x0 < 1 or y1 - y0 < 1:
            continue
        part = image[y0:y1, x0:x1]
        across = min(BLOCKS, x1 - x0)
        down = max(1, min(BLOCKS, round(across * (y1 - y0) / (x1 - x0))))
        few = cv2.resize(part, (across, down), interpolation=cv2.INTER_AREA)
        image[y0:y1, x0:x1] = cv2.resize(few, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)


def head_of(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the part of a person's box in which the face is, with a margin, within the picture."""
    x0, y0, x1, y1 = box
    across, down = (x1 - x0) * HEAD_MARGIN, (y1 - y0) * HEAD_MARGIN / 2
    return (
        max(0, int(x0 - across)), max(0, int(y0 - down)), min(width, int(np.ceil(x1 + across))),
        min(height, int(np.ceil(y0 + (y1 - y0) * HEAD_SHARE + down))),
    )


def clip_of(frames: Sequence[Held], *, blurred: bool) -> bytes:
    """Return frames as an MP4 (H.264) of at most CLIP_WIDTH pixels across, each shown as long as it lasted; b"" for fewer than two.

    With `blurred` the people of a frame and of the frames beside it are unknowable: a face missed once must not show once.
    """
    if len(frames) < 2:
        return b""
    av, out = library("av"), io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = clip_stream(container, smaller(frames[0].picture.bgr()))
        for place, held in enumerate(frames):
            image = held.picture.bgr()
            if blurred:
                near = frames[max(0, place - 2) : place + 3]
                pixelate(image, [box for each in near for box in each.boxes])
            image = smaller(image)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = round((held.at_s - frames[0].at_s) * 1000)
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def clip_stream(container: Any, image: NDArray[np.uint8]) -> Any:
    """Return a video stream for frames like `image`."""
    stream = container.add_stream("libx264", rate=5, options={"preset": "veryfast", "crf": "28"})
    stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
    stream.codec_context.thread_count = 1
    return stream


def smaller(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image at most CLIP_WIDTH across, with even sides."""
    factor = min(1.0, CLIP_WIDTH / image.shape[1])
    size = (int(image.shape[1] * factor) // 2 * 2, int(image.shape[0] * factor) // 2 * 2)
    small: NDArray[np.uint8] = library("cv2").resize(image, size, interpolation=library("cv2").INTER_AREA)
    return small
