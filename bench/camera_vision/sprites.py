"""People cut out of the CC BY clip by taking its empty background away: no detector has a hand in what the detectors are judged on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

FRAMES: dict[str, tuple[int, ...]] = {
    "grey coat": (78, 84, 92, 150, 181), "dark jacket": (241, 246, 300, 400, 435), "long hair": (604, 608, 679, 684, 689),
    "dark shirt": (766, 770, 800, 850, 859), "grey jumper": (940, 945, 1000, 1180), "last one": (1264, 1282, 1310, 1338, 1344),
}
"""Frames in which a person stands whole in the picture, head and feet, chosen by eye."""
EMPTY = (0, 20, 40, 205, 215, 455, 475, 495, 710, 730, 875, 895, 915, 1205, 1225, 1370, 1390)
TAKEN_OUT = 20
HELD_PX = 120
WALL_ENDS = 235
"""Above this row is the white wall, where nobody throws a shadow that counts."""


@dataclass(frozen=True)
class Sprite:
    """One person in one pose, HELD_PX tall: Y, Cb, Cr and how much covers (0–1)."""

    person: str
    luma: NDArray[np.float32]
    blue: NDArray[np.float32]
    red: NDArray[np.float32]
    cover: NDArray[np.float32]

    @property
    def shape(self) -> float:
        """Return width by height."""
        return self.luma.shape[1] / self.luma.shape[0]


def clip_frames(path: Path, wanted: set[int]) -> dict[int, NDArray[np.uint8]]:
    """Return frames of the clip as BGR."""
    found: dict[int, NDArray[np.uint8]] = {}
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in wanted:
                found[number] = frame.to_ndarray(format="bgr24")
    return found


def background(frames: dict[int, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return the empty room: the median of frames without anybody."""
    return np.median(np.stack([frames[number] for number in EMPTY]), axis=0).astype(np.uint8)


def matte(frame: NDArray[np.uint8], empty: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return where somebody is: the largest thing that is not the empty room, without its shadow on the floor."""
    away = frame.astype(np.int16) - empty
    # The camera's exposure follows the dark clothes in the picture; what all of the wall does is not a person.
    light = np.median(away[:WALL_ENDS:4, ::4].reshape(-1, 3), axis=0).astype(np.int16)
    change = np.abs(away - light).max(axis=2)
    hue = cv2.absdiff(cv2.cvtColor(frame, cv2.COLOR_BGR2YCrCb)[..., 1:], cv2.cvtColor(empty, cv2.COLOR_BGR2YCrCb)[..., 1:]).max(axis=2)
    mask = ((change > TAKEN_OUT) & ((hue > 7) | (change > 60) | (np.indices(change.shape)[0] < WALL_ENDS))).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (23, 23)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return np.zeros_like(mask)
    largest = (labels == 1 + int(np.argmax(stats[1:, 4]))).astype(np.uint8)
    outlines, _ = cv2.findContours(largest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(largest, outlines, -1, 1, cv2.FILLED)
    return largest


@cache
def sprites(path: Path) -> tuple[Sprite, ...]:
    """Return all people of the clip in all chosen poses."""
    chosen = {number: person for person, numbers in FRAMES.items() for number in numbers}
    frames = clip_frames(path, {*chosen, *EMPTY})
    empty = background(frames)
    return tuple(cut(person, frames[number], empty) for number, person in sorted(chosen.items()))


def cut(person: str, frame: NDArray[np.uint8], empty: NDArray[np.uint8]) -> Sprite:
    """Return the person of a frame as a sprite."""
    mask = matte(frame, empty)
    x, y, width, height = cv2.boundingRect(mask)
    part = slice(y, y + height), slice(x, x + width)
    size = (max(8, round(HELD_PX * width / height)), HELD_PX)
    planes = cv2.cvtColor(frame[part], cv2.COLOR_BGR2YCrCb)
    cover = cv2.resize(mask[part].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    luma, red, blue = (cv2.resize(planes[..., n], size, interpolation=cv2.INTER_AREA).astype(np.float32) for n in range(3))
    return Sprite(person, 16 + luma * 219 / 255, blue, red, cover)
