"""From an event's POST to the first word at the horn and to the cadre's screen, and whether the later words come at their moments.

Every event is of a camera, a water, a horn and a cadre of its own, so each asks for the whole: a verdict, an alert, a case, a
message, three sounds. The processes are those of `serve`.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bench.harness import ROOT, Bench, Place
from bench.latency import add_grids, listen, quantile
from bench.serving import VOICE, WEB, WORKER, Installation, free_port

STEPS_S = (0, 8, 20)
AFTER_S = 25.0
Heard = Sequence[Mapping[str, Any]]


def measure(bench: Bench, kind: str, *, events: int, per_s: float) -> dict[str, Any]:
    """Return the delays on one database, and what was wrong."""
    place, port = bench.place(kind), free_port()
    seeded = bench.part(place, "bench.camera_events.speaking", "seed", events=events, port=port)
    place.environment["SHOUWANG_WEBHOOK_ALLOW"] = f"127.0.0.1:{port}"
    horns = subprocess.Popen([sys.executable, "-m", "bench.camera_events.horns", str(port), str(place.folder / "horns.json")], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert horns.stdout
        horns.stdout.readline()
        with Installation(place, (WEB, WORKER, VOICE)) as installation:
            listener = listen(place, installation.port, seeded["stream_token"])
            time.sleep(2.0)
            posted = _post(place, installation.port, seeded, per_s=per_s)
            time.sleep(AFTER_S)
            listener.send_signal(signal.SIGTERM)
            listener.wait()
    finally:
        horns.send_signal(signal.SIGTERM)
        horns.wait()
    kept = bench.part(place, "bench.camera_events.speaking", "count")
    sounds = json.loads((place.folder / "horns.json").read_text())
    pushes = [json.loads(line) for line in (place.folder / "heard.jsonl").read_text().splitlines()]
    return _figures(posted, sounds, pushes, seeded["persons"], kept)


def _post(place: Place, port: int, seeded: Mapping[str, Any], *, per_s: float) -> list[dict[str, float]]:
    bodies = [
        {"device": code, "rule": "1", "kind": "ENTER", "state": "START", "object": "HUMAN", "object_id": "1", "box": [0.4, 0.4, 0.5, 0.7]}
        for code in seeded["codes"]
    ]
    (place.folder / "events.jsonl").write_text("\n".join(map(json.dumps, bodies)))
    command = [
        sys.executable, "-m", "bench.posting", str(port), str(place.folder / "events.jsonl"), str(place.folder / "posted.json"), str(per_s),
        "/api/v1/events/camera_json",
    ]
    subprocess.run(command, cwd=ROOT, input=f"{seeded['token']}\n".encode(), check=True, timeout=60 + 3 * len(bodies) / per_s)
    posted: list[dict[str, float]] = json.loads((place.folder / "posted.json").read_text())
    return posted


def _figures(posted: Heard, sounds: Heard, pushes: Heard, persons: Sequence[int], kept: Mapping[str, Any]) -> dict[str, Any]:
    at: dict[int, list[float]] = {}
    for each in sorted(sounds, key=lambda each: each["at"]):
        at.setdefault(int(each["path"].rsplit("/", 1)[1]), []).append(each["at"])
    offered = [each for each in pushes if each.get("data", {}).get("topic") == "push" and each["data"]["template"] == "TASK_OFFERED"]
    seen = {each["data"]["person"]: each["at"] for each in reversed(offered)}
    voice = [at[n][0] - each["due"] for n, each in enumerate(posted) if n in at]
    push = [seen[person] - each["due"] for person, each in zip(persons, posted, strict=True) if person in seen]
    both = [max(at[n][0], seen[person]) - each["due"] for n, (person, each) in enumerate(zip(persons, posted, strict=True)) if n in at and person in seen]
    whole = [each for each in at.values() if len(each) == len(STEPS_S)]
    errors = [abs(moment - each[0] - step) for each in whole for moment, step in zip(each, STEPS_S, strict=True)]
    wrong = {
        "answers": (Counter(each["status"] for each in posted), Counter({200: len(posted)})), "horns that spoke three times": (len(whole), len(posted)),
        "sounds at horns": (len(sounds), len(STEPS_S) * len(posted)), "empty sounds": (sum(each["bytes"] < 4_000 for each in sounds), 0),
        "cadres told": (len(push), len(posted)), "told twice": (len(offered), len(seen)), "kept": (kept, _expected(len(posted))),
    }
    return {
        "events": len(posted), "p50_s": quantile(both, 0.5), "p95_s": quantile(both, 0.95), "p99_s": quantile(both, 0.99), "voice_p95_s": quantile(voice, 0.95),
        "push_p95_s": quantile(push, 0.95), "voice_ladder_error_s": round(max(errors), 3) if errors else None,
        "voice_ladder_error_p99_s": quantile(errors, 0.99), "post_p95_s": quantile([each["acked"] - each["due"] for each in posted], 0.95),
        "wrong": {name: str({"found": one, "expected": two})[:300] for name, (one, two) in wrong.items() if one != two},
    }


def _expected(events: int) -> dict[str, int]:
    return {"sightings": events, "alerts": events, "cases": events, "sounds": 3 * events, "played": 3 * events}


def seed(*, events: int, port: int) -> dict[str, Any]:
    """Put a grid, a cadre, a water, a camera and a horn for each event, and issue two tokens."""
    from datetime import UTC, datetime, timedelta

    from bench import world
    from shouwang.kernel.moments import local
    from shouwang.notify.models import Speaker
    from shouwang.people.actions import NewDuty, NewPerson, add_persons, assign_duties, issue_credential
    from shouwang.people.rules import SYSTEM
    from shouwang.places.models import Area
    from shouwang.systems.drowning.actions import publish_shipped
    from shouwang.systems.drowning.models import Camera, Water
    from shouwang.telemetry.actions import add_things
    from shouwang.telemetry.rules import NewThing

    world.seed()
    now = datetime.now(UTC)
    publish_shipped(now=now)
    grids = add_grids(events)
    paths = dict(Area.objects.filter(pk__in=grids).values_list("pk", "path"))
    persons = add_persons(SYSTEM, [NewPerson(f"村干部{n}", grid) for n, grid in enumerate(grids)], now=now)
    since = local(now).date() - timedelta(days=9)
    assign_duties(SYSTEM, [NewDuty(person, "VILLAGE_CADRE", grid, since, "PRIMARY") for person, grid in zip(persons, grids, strict=True)], now=now)
    codes = [f"CAM{n:05d}" for n in range(events)]
    things = add_things([NewThing(code, "CAMERA", code, (), grid, paths[grid]) for code, grid in zip(codes, grids, strict=True)], now=now)
    waters = Water.objects.bulk_create([Water(name=f"坑塘{n}", kind="POND", area_id=grid, path=paths[grid], added_at=now) for n, grid in enumerate(grids)])
    Camera.objects.bulk_create([Camera(thing_id=thing.thing_id, water_id=water.pk, name=water.name) for thing, water in zip(things, waters, strict=True)])
    Speaker.objects.bulk_create([
        Speaker(
            code=f"HORN{n:05d}", kind="horn", name=f"喇叭{n}", settings=json.dumps({"url": f"http://127.0.0.1:{port}/play/{n}"}), area_id=grid,
            path=paths[grid], thing_id=thing.thing_id, enabled=True, check_at=now + timedelta(days=1),
        )
        for n, (grid, thing) in enumerate(zip(grids, things, strict=True))
    ])
    root = [Area.objects.get(level="PREFECTURE").path]

    def token(subject: str, *rights: str) -> str:
        return issue_credential("INTEGRATION", subject=subject, paths=root, rights=rights, now=now)

    return {
        "codes": codes, "persons": list(persons), "token": token("bench-cameras", "telemetry.write"), "stream_token": token("bench-stream", "stream.read", "push.read"),
    }


def count() -> dict[str, int]:
    """Count what was kept."""
    from shouwang.alerts.models import Alert
    from shouwang.cases.models import Case
    from shouwang.notify.models import Sound
    from shouwang.notify.rules.sounds import SoundState
    from shouwang.systems.drowning.models import Sighting

    return {
        "sightings": Sighting.objects.filter(verdict="ALARM").count(), "alerts": Alert.objects.count(), "cases": Case.objects.count(),
        "sounds": Sound.objects.count(), "played": Sound.objects.filter(state=SoundState.PLAYED).count(),
    }
