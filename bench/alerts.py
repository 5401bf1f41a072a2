"""`alerts`: batches of 500 over HTTP, answered after the commit; then a storm until each duty person has one bundle.

The HTTP request is made in the process of the web server (token, decoding, `take_findings`, commit, answer), without a
socket between. The storm has two processes, web and worker, and the worker is the one that `shouwang worker` runs.
"""

from __future__ import annotations

import json
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.harness import Bench, Place

BATCH = 500
KINDS = ("sqlite", "postgres")


def _everywhere(key: str, holds: Callable[[Any], bool]) -> Callable[[dict[str, Any]], bool]:
    return lambda found: all(holds(value) for value in found.get(key, {"": None}).values() if value is not None)


FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "accepted_per_s >= 5000": _everywhere("accepted_per_s", lambda value: value >= 5_000),
    "lost = 0": _everywhere("lost", lambda value: value == 0),
    "one bundle each": _everywhere("persons_with_one_bundle", lambda value: value == 135),
    "storm_s <= 15": _everywhere("storm_s", lambda value: value <= 15),
    "max_messages_per_person_channel_minute = 1": _everywhere("max_messages_per_person_channel_minute", lambda value: value == 1),
    "rss_mb <= 300": _everywhere("rss_mb", lambda value: value <= 300),
}
KEYS = (
    "accepted_per_s", "accepted_cpu_s", "members_delivered", "lost", "storm_s", "storm_accepted_s", "persons_with_one_bundle",
    "max_messages_per_person_channel_minute", "rss_mb",
)


def run(bench: Bench) -> dict[str, Any]:
    """Measure the rate without a worker, then the storm with one, on each database."""
    alerts = bench.options.number("alerts", 20_000, quick=3_000)
    storm = bench.options.number("storm", 50_000, quick=5_000)
    bench.n = {"alerts": alerts, "storm": storm, "batch": BATCH, "townships": 135}
    found: dict[str, Any] = {key: dict.fromkeys(KINDS) for key in KEYS} | {"settings": {}, "wrong": {}}
    for kind in bench.databases():
        place = bench.place(kind)
        found["settings"][kind] = bench.part(place, "bench.world", "seed")
        done = bench.part(place, "bench.alerts", "accept", count=alerts)
        found["accepted_per_s"][kind] = round(alerts / done["seconds"])
        found["accepted_cpu_s"][kind] = round(done["cpu_s"], 2)
        bench.note(f"{kind}: {found['accepted_per_s'][kind]} alerts/s")
        fresh = bench.place(kind)
        bench.part(fresh, "bench.world", "seed")
        storm_found = _storm(bench, fresh, storm)
        found["wrong"][kind] = {**done["wrong"], **storm_found.pop("wrong")}
        for key, value in storm_found.items():
            found[key][kind] = value
        bench.note(f"{kind}: storm in {storm_found['storm_s']} s, lost {storm_found['lost']}")
    found["verified"] = bool(found["wrong"]) and not any(found["wrong"].values())
    return found


def _storm(bench: Bench, place: Place, storm: int) -> dict[str, Any]:
    worker = bench.start(place, "bench.alerts", "worker")
    _wait_for(place.folder / "worker-ready")
    # The lost message is lost while it is being queued: the bench must notice that it is missing.
    web = bench.part(place, "bench.alerts", "storm", count=storm, lose_at=storm // BATCH // 2 if bench.options.self_test else -1)
    (place.folder / "stop").touch()
    working = bench.answer(worker)
    web["rss_mb"] = round(web["rss_mb"] + working["rss_mb"], 1)
    return web


def _wait_for(path: Path, *, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(path.name)
        time.sleep(0.05)


def _client() -> Callable[[int, int], tuple[int, int]]:
    """Return a function that posts alerts first..last and returns the status and how many were accepted."""
    from django.test import Client

    from bench import world
    from shouwang.people.actions import issue_credential
    from shouwang.places.models import Area
    from shouwang.places.queries import children  # noqa: F401 - loads the room before the first request

    world.register()
    world.publish_storm()
    root = Area.objects.get(level="PREFECTURE")
    token = issue_credential("INTEGRATION", subject="bench", paths=[root.path], now=datetime.now(UTC))
    client = Client()

    def post(first: int, last: int) -> tuple[int, int]:
        alerts = [
            {"kind": world.KIND, "subject_kind": world.SUBJECT, "subject_id": n, "severity": 3, "reason": "BENCH", "params": {}}
            for n in range(first, last + 1)
        ]
        answer = client.post(
            "/api/v1/alerts", json.dumps({"alerts": alerts}).encode(), content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        return answer.status_code, answer.json().get("accepted", 0)

    return post


def accept(*, count: int) -> dict[str, Any]:
    """Post `count` alerts in batches and check what stands in the tables afterwards."""
    post = _client()
    post(1, BATCH)
    start, cpu = time.perf_counter(), time.process_time()
    answers = [post(first, first + BATCH - 1) for first in range(BATCH + 1, BATCH + count + 1, BATCH)]
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    wrong = _check(count + BATCH, Counter(answers), Counter({(200, BATCH): count // BATCH}))
    return {"seconds": seconds, "cpu_s": cpu_s, "wrong": wrong}


def _check(total: int, answers: Counter[tuple[int, int]], expected_answers: Counter[tuple[int, int]]) -> dict[str, Any]:
    """Return what differs from an independent count: one of each per alert, at the duty person of its township."""
    from bench import world
    from shouwang.alerts.models import Alert
    from shouwang.cases.models import Case, Task
    from shouwang.journal.models import EventRow, Timer
    from shouwang.journal.queries import verify
    from shouwang.notify.models import Message

    duty = _duty_of_township()
    places = world.townships()
    expected_tasks = Counter(duty[places[n % world.TOWNSHIPS][0]] for n in range(1, total + 1))
    compared: dict[str, tuple[Any, Any]] = {
        "answers": (answers, expected_answers), "alerts": (Alert.objects.count(), total), "cases": (Case.objects.count(), total),
        "tasks by person": (Counter(Task.objects.values_list("assignee_id", flat=True)), expected_tasks),
        "messages by person": (Counter(Message.objects.values_list("person_id", flat=True)), expected_tasks),
        "timers": (Timer.objects.filter(kind="task").count(), total),
        "events": (EventRow.objects.filter(kind="alert.opened").count(), total),
        "offers": (EventRow.objects.filter(kind="case.opened", payload__contains='"offers"').count(), total), "log": (verify(), EventRow.objects.count()),
    }
    return {name: str({"found": one, "expected": two})[:200] for name, (one, two) in compared.items() if one != two}


def _duty_of_township() -> dict[int, int]:
    from shouwang.people.models import Duty

    return dict(Duty.objects.unscoped().filter(code="TOWNSHIP_DUTY", rank="PRIMARY").values_list("area_id", "person_id"))


def worker() -> dict[str, Any]:
    """Run the worker until the file `stop` appears."""
    from django.conf import settings

    from shouwang.config.wiring import run_worker

    folder = settings.SHOUWANG_DATA_DIR
    (folder / "worker-ready").touch()
    stopped = threading.Event()

    def stop() -> bool:
        return stopped.is_set() or (folder / "stop").exists()

    run_worker(stop)
    return {"rss_mb": _peak_rss_mb()}


def storm(*, count: int, lose_at: int) -> dict[str, Any]:
    """Post `count` alerts, wait until nothing waits any more (at most 90 s), and count what each person was sent."""
    from shouwang.cases.actions import changes
    from shouwang.notify.models import Message
    from shouwang.notify.rules import INBOX, State

    post = _client()
    queue, calls = changes.queue, 0

    def losing(messages: Any, *, now: datetime) -> None:
        nonlocal calls
        calls += 1
        queue(messages[1:] if calls == lose_at + 1 else messages, now=now)

    start = time.perf_counter()
    with patch.object(changes, "queue", losing if lose_at >= 0 else queue):
        answers = [post(first, min(first + BATCH - 1, count)) for first in range(1, count + 1, BATCH)]
    accepted_s = time.perf_counter() - start
    web_rss = _peak_rss_mb()  # before the checks below, which the web server does not make
    until = time.monotonic() + 90
    while Message.objects.filter(done_at__isnull=True).exists() and time.monotonic() < until:
        time.sleep(0.02)
    storm_s = time.perf_counter() - start
    wrong = _check(count, Counter(answers), Counter({(200, BATCH): count // BATCH}))
    delivered = Message.objects.filter(state=State.DELIVERED, channel=INBOX, done_at__isnull=False).count()
    pushes = list(Message.objects.filter(push_seq__isnull=False).values_list("person_id", "channel", "done_at").order_by("done_at"))
    led = Message.objects.filter(leader_id__isnull=False)
    if led.exclude(leader_id__in=Message.objects.filter(push_seq__isnull=False).values("pk")).exists():
        wrong["members"] = "some point to a leader that was not pushed"
    bundles = Counter(person for person, _, _ in pushes)
    return {
        "members_delivered": delivered, "lost": count - delivered, "storm_s": round(storm_s, 2), "storm_accepted_s": round(accepted_s, 2),
        "persons_with_one_bundle": sum(times == 1 for times in bundles.values()),
        "max_messages_per_person_channel_minute": _most_in_a_minute(pushes), "rss_mb": web_rss, "wrong": wrong,
    }


def _most_in_a_minute(pushes: list[tuple[int, str, datetime]]) -> int:
    """Return the most that one person was sent on one channel within any 60 seconds."""
    recent: dict[tuple[int, str], list[datetime]] = {}
    most = 0
    for person, channel, at in pushes:
        kept = [before for before in recent.get((person, channel), []) if (at - before).total_seconds() < 60]
        recent[person, channel] = [*kept, at]
        most = max(most, len(kept) + 1)
    return most


def _peak_rss_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
