"""Vision of plain cameras: five pipelines side by side on scenes with exact truth, on the CC BY clip, and on `--video/--truth`.

Thresholds are the product's frozen file, printed by hash; scenes are drawn from `--seed` after that. Figures in ms are CPU time of this
process (one thread); on a machine with other work they are hints.
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.camera_vision.checking import Trail, packing_errors, told_too_early
from bench.camera_vision.clips import OWN, Clip, clip_of
from bench.camera_vision.faces import faces_left
from bench.camera_vision.judge import Score, Told, judged
from bench.camera_vision.people import TALL_AT
from bench.camera_vision.pipelines import WAYS, Models, Packed, Pipeline
from bench.camera_vision.scenes import DAY, FPS, NIGHT, Scene
from bench.camera_vision.sprites import sprites
from bench.camera_vision.truth import foot
from bench.harness import Bench, sha256
from shouwang.vision.detecting import load
from shouwang.vision.evidence import bgr_of, blur_faces, jpeg_of
from shouwang.vision.thresholds import PATH as THRESHOLDS
from shouwang.vision.tracking import Track

PEOPLE = 4
SCENE_S = 60
COMPARED_S = 30
FACES_EVERY = 40
MOST_SCENES = 400


@dataclass
class World:
    """What every part of the bench needs."""

    bench: Bench
    models: Models
    clip: Path
    faces: list[int]
    """Left, looked at."""
    early: int = 0


def run(bench: Bench) -> dict[str, Any]:
    """Check, draw scenes by day and night until enough people entered, watch two empty hours, compare the pipelines, and read the clips."""
    data = Path(os.environ.get("SHOUWANG_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    models, clip = data / "models", data / "video" / "one-by-one-person-detection.mp4"
    files = [models / "light_person_192.onnx", models / "yolox_nano_416.onnx", clip]
    if missing := [str(path) for path in files if not path.is_file()]:
        bench.skipped += [f"no data at {path}" for path in missing]
        return {"verified": False}
    bench.data |= {path.name: sha256(path) for path in [*files, THRESHOLDS, OWN]}
    bench.peer = {name: importlib.metadata.version(name) for name in ("onnxruntime", "opencv-python-headless", "av")}
    if bench.options.self_test:
        Track.foot = property(head_for_foot)  # type: ignore[assignment,method-assign]
    world = World(bench, Models(load(files[0]), load(files[1])), clip, [0, 0])
    found: dict[str, Any] = {"sprites": len(sprites(clip)), "least_px": TALL_AT[0][1], "most_px": TALL_AT[1][1], "thresholds": bench.data[THRESHOLDS.name][:12]}
    found |= moving(world)
    if not bench.options.self_test:
        found |= empty(world)
        found |= compared(world)
        found |= read_clips(world)
    found |= {"faces_left_in_copies": world.faces[0], "faces_looked_at": world.faces[1], "told_too_early": world.early}
    wrong = packing_errors(Scene("calm", seed=bench.seed, frames=1, people=0, clip=clip).shots().__next__().picture, chance=np.random.default_rng(bench.seed))
    return {**found, "packing_errors": wrong, "verified": not wrong and not world.early and world.faces[1] > 0}


def head_for_foot(track: Track) -> tuple[float, float]:
    """Return the top of a box as if somebody stood there: what the self-test breaks."""
    return float(track.box[0] + track.box[2]) / 2, float(track.box[1])


def moving(world: World) -> dict[str, Any]:
    """Return the figures by day and by night, all kinds of weather in turn until enough people have entered."""
    options = world.bench.options
    found: dict[str, Any] = {}
    for light, kinds, wanted in (("day", DAY, options.number("day", 500, quick=24)), ("night", NIGHT, options.number("night", 300, quick=12))):
        if options.self_test and light == "night":
            continue
        total, by_kind = Score(), {kind: Score() for kind in kinds}
        for turn in range(MOST_SCENES):
            if total.entries >= wanted and turn % len(kinds) == 0:
                break
            kind = kinds[turn % len(kinds)]
            score = scene(world, kind, seed=world.bench.seed * 1000 + turn)
            by_kind[kind].add(score)
            total.add(score)
            world.bench.note(f"{kind}: {score.seen} of {score.entries} entries within 1 s, {score.false} false; {total.entries} of {wanted}")
        told = total.told()
        found |= {
            f"entries_{light}": total.entries, f"recall_1s_{light}": total.recall_1s(), f"episode_recall_{light}": total.episode_recall(),
            f"delay_p95_s_{light}": told["delay_p95_s"], f"line_delay_p95_s_{light}": told["line_delay_p95_s"],
            f"false_alarms_{light}": total.false, f"alarms_{light}": total.alarms, f"false_checks_{light}": total.false_checks,
            f"busy_ms_{light}": told["busy_ms_per_frame"], f"busy_frames_{light}": told["busy_frames"], f"by_kind_{light}": {kind: each.told() for kind, each in by_kind.items()},
        }
    return {**found, "busy_ms_per_frame_1080p": found.get("busy_ms_day")}


def scene(world: World, kind: str, *, seed: int) -> Score:
    """Play one scene through ours and return its score; copies of some frames are looked at for faces, every alarm against the plain rule."""
    seconds = world.bench.options.number("scene_s", SCENE_S, quick=24)
    played = Scene(kind, seed=seed, frames=round(seconds * FPS), people=PEOPLE, clip=world.clip)
    pipeline, told, trail, alarms = Packed(played.plan, world.models), Told(), Trail(), []
    for shot in played.shots():
        step = pipeline.step(shot.picture, at_s=shot.number / FPS)
        told.steps.append(step)
        trail.note(pipeline, shot.number)
        alarms += [(shot.number, each.zone, foot(each.box)) for each in step.happenings if each.box and each.state == "START" and each.kind in {"ENTER", "CROSS"}]
        if shot.number % FACES_EVERY == FACES_EVERY - 1:
            look_for_faces(world, pipeline, shot.picture.bgr(), list(played.truth.feet.get(shot.number, {}).values()))
    world.early += told_too_early(trail, alarms, dict(played.truth.zones))
    return judged(told, played.truth)


def look_for_faces(world: World, pipeline: Packed, image: Any, people: list[Any]) -> None:
    """Make the copy that would be handed on and count the faces left among those the camera follows, who are all an alarm can be about."""
    followed = [track for track in pipeline.watcher.tracker.tracks if track.hits >= 2]
    boxes = [box for each in pipeline.hidden for box in each]
    near = [box for box in people if any(math.dist(foot(box), track.foot) < (box[3] - box[1]) / 2 for track in followed)]
    original = jpeg_of(image)
    left, looked = faces_left(bgr_of(original), bgr_of(blur_faces(image, boxes)), near)
    world.faces[0] += left
    world.faces[1] += looked


def empty(world: World) -> dict[str, Any]:
    """Return the false alarms of banks where nobody is, all kinds in turn, with the upper 95 % bound of their rate."""
    minutes = world.bench.options.number("empty_minutes", 120, quick=3)
    kinds, total, length = DAY + NIGHT, Score(), 200 if world.bench.options.quick else 1_000
    begun, turn = time.process_time(), 0
    while total.frames < minutes * 60 * FPS:
        kind = kinds[turn % len(kinds)]
        played = Scene(kind, seed=world.bench.seed * 1000 + 500 + turn, frames=length, people=0, clip=world.clip)
        pipeline, told = Packed(played.plan, world.models), Told()
        for shot in played.shots():
            told.steps.append(pipeline.step(shot.picture, at_s=shot.number / FPS))
        score = judged(told, played.truth)
        total.add(score)
        turn += 1
        if score.false or score.false_checks:
            world.bench.note(f"empty {kind}: {score.false} false alarms, {score.false_checks} to look at")
    hours = total.frames / FPS / 3600
    world.bench.note(f"watched {hours:.2f} empty hours in {time.process_time() - begun:.0f} s of CPU: {total.false} false, {total.false_checks} to look at")
    return {
        "false_alarms_empty": total.false + total.false_checks, "false_confirmed_empty": total.false, "empty_hours": round(hours, 3),
        "false_per_hour_upper95": round(upper_95(total.false + total.false_checks) / hours, 2),
        "idle_ms_per_frame_1080p": round(1000 * total.cpu_s / total.frames, 2), "empty_scenes": turn,
    }


def upper_95(count: int) -> float:
    """Return the upper 95 % bound (one-sided, exact) of what a Poisson count may stand for; 3.0 for none."""
    low, high = float(count), count + 30.0
    for _ in range(60):
        middle = (low + high) / 2
        chance = sum(math.exp(-middle + n * math.log(middle) - math.lgamma(n + 1)) for n in range(count + 1)) if middle else 1.0
        low, high = (middle, high) if chance > 0.05 else (low, middle)
    return high


def compared(world: World) -> dict[str, Any]:
    """Return the pipelines side by side on the same frames: recall, false alarms, cost."""
    seconds = world.bench.options.number("compared_s", COMPARED_S, quick=16)
    totals: dict[str, dict[str, Score]] = {}
    for place, kind in enumerate(("calm", "rain") if world.bench.options.quick else ("calm", "ripple", "rain", "shake")):
        played = Scene(kind, seed=world.bench.seed * 1000 + 900 + place, frames=round(seconds * FPS), people=PEOPLE, clip=world.clip)
        pipes: dict[str, Pipeline] = {"packed": Packed(played.plan, world.models), **{name: way(played.plan, world.models) for name, way in WAYS.items()}}
        for name, score in side_by_side(pipes, played).items():
            totals.setdefault(name, {})[kind] = score
    sums = {name: summed(scores.values()) for name, scores in totals.items()}
    world.bench.note("compared " + ", ".join(f"{name} {score.recall_1s()}" for name, score in sums.items()))
    busy = {name: float(np.mean(score.busy_s)) for name, score in sums.items() if score.busy_s}
    return {
        "pipelines": {name: score.told() for name, score in sums.items()}, "full_frame_recall_1s": sums["full_frame"].recall_1s(),
        "blobs_false_per_hour_rain": totals["motion"]["rain"].told()["false_per_hour"],
        "ratio_tiles_to_packed": round(busy["tiles"] / busy["packed"], 2) if {"tiles", "packed"} <= set(busy) else None,
        "ratio_crop_to_packed": round(busy["crop"] / busy["packed"], 2) if {"crop", "packed"} <= set(busy) else None,
    }


def side_by_side(pipes: dict[str, Pipeline], played: Scene) -> dict[str, Score]:
    """Show every pipeline the same frames, in turn, and return their scores."""
    told = {name: Told() for name in pipes}
    for shot in played.shots():
        for name, pipe in pipes.items():
            told[name].steps.append(pipe.step(shot.picture, at_s=shot.number / FPS))
    return {name: judged(each, played.truth) for name, each in told.items()}


def summed(scores: Iterable[Score]) -> Score:
    """Return scores as one."""
    total = Score()
    for score in scores:
        total.add(score)
    return total


def read_clips(world: World) -> dict[str, Any]:
    """Return what ours makes of the CC BY clip with our own annotation, and of `--video` with `--truth`."""
    values = world.bench.options.values
    found: dict[str, Any] = {"clip": watched(world, clip_of(world.clip, OWN))}
    if "video" in values and "truth" in values:
        video = Path(values["video"])
        world.bench.data[video.name] = sha256(video)
        found["video"] = watched(world, clip_of(video, Path(values["truth"])))
    return found


def watched(world: World, clip: Clip) -> dict[str, Any]:
    """Return the figures of a clip."""
    pipeline, told = Packed(clip.plan, world.models), Told()
    for number, picture in enumerate(clip.pictures()):
        told.steps.append(pipeline.step(picture, at_s=number / clip.truth.fps))
    told_of = judged(told, clip.truth, busy_people=1).told()
    keys: Sequence[str] = ("entries", "recall_1s", "episode_recall", "false_alarms", "delay_p50_s", "delay_p95_s", "line_delay_p95_s", "false_checks", "ms_per_frame")
    return {key: told_of[key] for key in keys}
