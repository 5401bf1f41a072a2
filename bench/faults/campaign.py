"""The campaign: load, kills in turn at seeded moments, the wait, the verdict; and the same against the mutant worker."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from bench.faults.fleet import MUTANT, WATCH, WEB, WORKER, Fleet
from bench.faults.records import Progress
from bench.harness import Bench, Place
from shouwang.cli.demo import free_port
from shouwang.cli.serving import ME

TURNS = (WATCH, WORKER, WEB)
SETTLE_S = 60.0
EARLY = 0.7
WARM_UP_S, AT_WORK_S, MUTANT_AT_WORK_S, COOL_DOWN_S = 3.0, 30.0, 5.0, 2.0
METERS = {"reported": 12_000, "silent": 2_000, "ordinary": 300}
ACKED, AIM, MUTANT_KILLS = 5_000, 5_200, 30
WORST, LEAST = ("lost", "duplicated", "repeated_unkeyed", "silent"), ("acked", "kills", "kills_in_flight")
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    f"acked >= {ACKED}": lambda found: (found.get("acked") or 0) >= ACKED,
    "kills_in_flight >= half": lambda found: 2 * (found.get("kills_in_flight") or 0) >= (found.get("kills") or 1),
    "lost = 0": lambda found: found.get("lost") == 0,
    "duplicated = 0": lambda found: found.get("duplicated") == 0,
    "silent = 0": lambda found: found.get("silent") == 0,
    "mutant_lost >= 1": lambda found: (found.get("mutant_lost") or 0) >= 1,
}


def run(bench: Bench) -> dict[str, Any]:
    """Run the campaign on each database and the mutant's on the first; in the self-test only the mutant's, as if it were ours."""
    kills = bench.options.number("kills", 100, quick=12)
    mutant_kills = bench.options.number("mutant-kills", MUTANT_KILLS, quick=10)
    bench.n = {"kills": kills, "mutant_kills": mutant_kills, "alerts_per_s": bench.options.number("alerts-per-s", 24), **METERS}
    kinds = bench.databases()
    if bench.options.self_test:
        broken = campaign(bench, kinds[0], kills=mutant_kills, turns=(WORKER,), worker=MUTANT)
        return {**broken, "mutant_lost": None, "verified": broken["claimed_but_untold"] == 0}
    turns = bench.options.words("turns", ",".join(TURNS))
    by_database = {kind: campaign(bench, kind, kills=kills, turns=turns) for kind in kinds}
    mutant = campaign(bench, kinds[0], kills=mutant_kills, turns=(WORKER,), worker=MUTANT) if mutant_kills else None
    found: dict[str, Any] = {name: max(each[name] for each in by_database.values()) for name in WORST}
    found |= {name: min(each[name] for each in by_database.values()) for name in LEAST}
    return {
        **found, "mutant_lost": None if mutant is None else mutant["claimed_but_untold"],
        "mutant": None if mutant is None else {name: mutant[name] for name in ("database", "kills", "acked", "silent", "lost_by", "told_keyed")},
        "by_database": by_database, "verified": all(_is_verified(each) for each in by_database.values()),
    }


def _is_verified(found: dict[str, Any]) -> bool:
    return not found["wrong"] and found["lost"] == found["duplicated"] == found["silent"] == 0


def campaign(
    bench: Bench, kind: str, *, kills: int, turns: Sequence[str], worker: Sequence[str] = (*ME, "worker"),
) -> dict[str, Any]:
    """Kill `turns` in turn, `kills` times in all, on a fresh database of `kind`, and return what became of the load."""
    web_port, gateway_port = free_port(), free_port()
    place = _place(bench, kind, web_port)
    settings = bench.part(place, "bench.faults.world", "seed", gateway_port=gateway_port, **METERS)
    folder = str(place.folder)
    outside = {"folder": folder, "web_port": web_port, "seed": bench.seed}
    gateways = bench.start(place, "bench.faults.gateways", "serve", port=gateway_port, **outside)
    _wait_for(place.folder / "gateways-ready")
    with Fleet(place.folder, place.environment, port=web_port, worker=worker) as fleet:
        load = bench.start(place, "bench.faults.client", "post", **outside, **_rates(bench, turns))
        # The mutant leaves alerts untold, and then the client pauses: its worker need not be waited for.
        _kill_in_turn(bench, fleet, place.folder, kills=kills, turns=turns, patience_s=MUTANT_AT_WORK_S if worker == MUTANT else AT_WORK_S)
        last_start = time.time()
        time.sleep(COOL_DOWN_S)
        (place.folder / "load-ended").touch()
        posted = bench.answer(load)
        settled = bench.part(place, "bench.faults.verify", "settle", folder=folder, until=last_start + SETTLE_S)
        (place.folder / "services-end").touch()
        time.sleep(COOL_DOWN_S)
        bench.note(f"{kind}: {kills} kills, settled {settled['judged_at'] - last_start:.1f} s after the last start")
    (place.folder / "gateways-end").touch()
    reached = bench.answer(gateways)
    found = bench.part(place, "bench.faults.verify", "verify", folder=folder, judged_at=settled["judged_at"])
    found["wrong"] |= _outside(posted, reached, fleet) | _log(place)
    bench.note(f"{kind}: acked {found['acked']}, in flight {found['in_flight_by']}, lost {found['lost_by']}, wrong {found['wrong']}")
    if keep := bench.options.values.get("keep"):
        shutil.copytree(place.folder, Path(keep) / place.folder.name)
    return {
        **found, "database": kind, "silent": settled["silent"], "settled_s": round(settled["judged_at"] - last_start, 1),
        "gateways": reached["treated"], "persons": reached["persons"]["did"], "errors_logged": _errors(place.folder), "settings": settings,
    }


def _place(bench: Bench, kind: str, web_port: int) -> Place:
    place = bench.place(kind)
    return replace(place, environment={
        **place.environment, "SHOUWANG_HOSTS": "127.0.0.1", "SHOUWANG_WEBHOOK_ALLOW": "127.0.0.1",
        "SHOUWANG_ADDRESS": f"http://127.0.0.1:{web_port}", "TMPDIR": str(bench.folder),
    })


def _rates(bench: Bench, turns: Sequence[str]) -> dict[str, float]:
    readings = bench.options.number("batches-per-s", 5) if WATCH in turns else 0
    return {"alerts_per_s": bench.options.number("alerts-per-s", 24), "batches_per_s": readings}


def _kill_in_turn(bench: Bench, fleet: Fleet, folder: Path, *, kills: int, turns: Sequence[str], patience_s: float) -> None:
    chance = Random(bench.seed)
    pause_s = bench.options.number("pause-ms", 2_600) / 1_000
    early = 0.0 if bench.options.quick else EARLY
    share = bench.options.number("acked", AIM, quick=kills * AIM // 100) / max(kills, 1)
    progress = Progress(folder)
    time.sleep(WARM_UP_S)
    for n in range(kills):
        fleet.revive()
        if n >= kills * early:
            (folder / "early-ended").touch()
        time.sleep(pause_s * chance.uniform(0.7, 1.3))
        kind, wanted = turns[n % len(turns)], share * n
        _wait_until(lambda kind=kind, wanted=wanted: fleet.is_at_work(kind) and progress.acked() >= wanted, most_s=patience_s)  # type: ignore[misc]
        fleet.kill(kind)
        if n % 20 == 19:
            bench.note(f"{n + 1} kills")


def _wait_until(ready: Callable[[], bool], *, most_s: float) -> None:
    """Wait, for a while, until a kill makes sense: on a busy machine a start, and the load, take longer than the pauses."""
    until = time.monotonic() + most_s
    while not ready() and time.monotonic() < until:
        time.sleep(0.05)


def _wait_for(path: Path, *, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(path.name)
        time.sleep(0.05)


def _outside(posted: dict[str, Any], reached: dict[str, Any], fleet: Fleet) -> dict[str, Any]:
    """Return what went wrong outside the tables: refused posts, refused persons, processes that ended by themselves."""
    said = {"refused_posts": posted["failed"], "refused_persons": reached["persons"]["refused"], "died_alone": fleet.died_alone}
    return {name: value for name, value in said.items() if value}


def _log(place: Place) -> dict[str, Any]:
    done = subprocess.run([*ME, "verify-log"], env=place.environment, capture_output=True, text=True, check=False)
    return {} if done.returncode == 0 else {"verify_log": done.stdout[-300:]}


def _errors(folder: Path) -> dict[str, dict[str, int]]:
    """Return what each process has logged beside ordinary lines: the kinds of exceptions and how often."""
    found: dict[str, dict[str, int]] = {}
    for kind in TURNS:
        counts: dict[str, int] = {}
        for line in (folder / f"{kind}.log").read_text("utf-8", "replace").splitlines():
            if match := re.match(r"([\w.]+(?:Error|Exception|LeaseLost|Lost))\b|.*\b(?:ERROR|WARNING) (.{0,60})", line):
                name = (match.group(1) or match.group(2)).strip()
                counts[name] = counts.get(name, 0) + 1
        found[kind] = dict(sorted(counts.items(), key=lambda each: -each[1])[:8])
    return found
