"""Real clips with a truth beside: the CC BY clip with our own annotation, and `--video=F --truth=F.json` of anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from bench.camera_vision.sprites import EMPTY, background, clip_frames, matte
from bench.camera_vision.truth import Truth
from shouwang.vision.picture import Picture, picture_of
from shouwang.vision.zones import Plan, Zone

OWN = Path(__file__).with_name("clip.json")
FEET_SHOW_ABOVE = 429
LEAST_AREA = 2_500
RIGHT_EDGE = 760
ZONES = [
    {"id": "table", "polygon": [[250, 330], [640, 330], [640, 424], [250, 424]]},
    {"id": "right", "polygon": [[540, 340], [700, 340], [700, 424], [540, 424]]},
]


@dataclass(frozen=True)
class Clip:
    """A video with its truth and the plan that the truth's zones make."""

    path: Path
    truth: Truth
    plan: Plan
    night: bool

    def pictures(self) -> Iterator[Picture]:
        """Yield the frames."""
        with av.open(str(self.path)) as container:
            for frame in container.decode(video=0):
                yield picture_of(frame)


def clip_of(video: Path, truth: Path) -> Clip:
    """Return a clip from the files of `--video` and `--truth` (MEASURING)."""
    told: dict[str, Any] = json.loads(truth.read_text())
    width, height = told["width"], told["height"]
    polygons = {zone["id"]: [(float(x), float(y)) for x, y in zone["polygon"]] for zone in told["zones"]}
    zones = tuple(
        Zone(id=name, polygon=tuple((min(1.0, max(0.0, x / width)), min(1.0, max(0.0, y / height))) for x, y in polygon))
        for name, polygon in polygons.items()
    )
    known = Truth(float(told["fps"]), float(told["ignore_px"]), polygons)
    for track in told["tracks"]:
        for frame, x0, y0, x1, y1 in track["boxes"]:
            known.put(int(frame), int(track["id"]), (x0, y0, x1, y1))
    return Clip(video, known, Plan(zones=zones), bool(told.get("night")))


def annotate(video: Path) -> dict[str, Any]:
    """Return the truth of the CC BY clip: in each frame the box of what is not the empty room, feet only where they show.

    No detector takes part. A walk begins when somebody appears and ends when the room is empty again; all were looked at by eye.
    """
    frames = clip_frames(video, set(range(2_000)))
    empty = background({number: frames[number] for number in EMPTY})
    tracks: list[dict[str, Any]] = []
    alone = True
    for number in sorted(frames):
        mask = matte(frames[number], empty)
        rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
        if not len(rows) or int(mask.sum()) < LEAST_AREA:
            alone = True
            continue
        if alone:
            tracks.append({"id": len(tracks) + 1, "boxes": []})
            alone = False
        if int(columns[-1]) >= RIGHT_EDGE:  # on the way out, cut by the border
            continue
        bottom = int(rows[-1]) + 1
        tracks[-1]["boxes"].append([number, int(columns[0]), int(rows[0]), int(columns[-1]) + 1, bottom if bottom < FEET_SHOW_ABOVE else 432])
    return {"fps": 10.0, "width": 768, "height": 432, "night": False, "ignore_px": 9, "zones": ZONES, "tracks": [each for each in tracks if len(each["boxes"]) > 10]}


if __name__ == "__main__":
    import sys

    OWN.write_text(json.dumps(annotate(Path(sys.argv[1]))) + "\n")
