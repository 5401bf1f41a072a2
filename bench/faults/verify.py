"""After the last kill: waits until nothing waits any more, then compares the records with what stands in the tables."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.faults.client import LOW
from bench.faults.judge import Compared, Expected, back_after, calls_beyond_the_first, compare, expected_of, in_flight
from bench.faults.records import ACKED, GATEWAYS, KEYED, KILLS, OPEN, REQUESTS, TOLD, UNKEYED, read
from bench.faults.world import ORDINARY, REPORTED, SILENT

QUIET_S = 3.0
SHOWN = 5


class Acknowledged:
    """What was answered 200, from the client's and the persons' record."""

    def __init__(self, folder: Path) -> None:
        world = json.loads((folder / "world.json").read_text("utf-8"))
        meters = world["meters"]
        self.people = {meter[1]: meter[2:] for name in (REPORTED, SILENT) for meter in meters[name]}
        self.ordinary = {meter[1] for meter in meters[ORDINARY]}
        fallible = {meter[1] for meter in meters[SILENT]}
        self.count: Counter[str] = Counter()
        self.alerts: list[tuple[str, int, float]] = []
        self.readings: dict[tuple[int, int], float] = {}
        self.silent: dict[int, float] = {}
        self.keys: dict[str, list[str]] = {"reply": [], "accept": [], "complete": []}
        self.reports: list[str] = []
        for row in read(folder, ACKED):
            self._take(row, fallible)

    def _take(self, row: Mapping[str, Any], fallible: set[int]) -> None:
        if row["what"] == "alerts":
            self.alerts += [(kind, stream, row["at"]) for kind, stream in row["ids"]]
            self.count["alerts"] += len(row["ids"])
            return
        if row["what"] == "reports":
            self.reports += row["ids"]
            return
        self.count[row["what"]] += 1
        if row["what"] == "readings":
            self.readings |= {(stream, at_us): value for stream, at_us, value in row["ids"]}
            self.silent |= {stream: row["at"] for stream, _, _ in row["ids"] if stream in fallible}
        else:
            self.keys[row["what"]].append(row["key"])


def settle(*, folder: str, until: float) -> dict[str, Any]:
    """Wait until every message has ended and every silent meter has its alert, at the latest until `until`."""
    from shouwang.alerts.models import Alert
    from shouwang.notify.models import Message

    silent = set(Acknowledged(Path(folder)).silent)
    quiet_since = time.monotonic()
    while time.time() < until and time.monotonic() - quiet_since < QUIET_S:
        raised = set(Alert.objects.filter(kind=LOW, subject_id__gte=min(silent, default=0)).values_list("subject_id", flat=True))
        if silent - raised or Message.objects.filter(done_at__isnull=True).exists():
            quiet_since = time.monotonic()
        time.sleep(0.2)
    return {"silent": Message.objects.filter(done_at__isnull=True).count(), "judged_at": time.time()}


def verify(*, folder: str, judged_at: float) -> dict[str, Any]:
    """Return the figures of one run and, under `wrong`, every promise that was not kept."""
    place = Path(folder)
    acked, told = Acknowledged(place), read(place, TOLD)
    alerts = _alerts()
    raised = {stream: opened_at for kind, stream, _, opened_at in alerts if kind == LOW}
    posted = acked.alerts + [(LOW, stream, at) for stream, at in acked.silent.items()]
    expected = expected_of(posted, acked.people, judged_at=judged_at)
    by = {gateway: [row for row in told if row["gateway"] == gateway] for gateway in GATEWAYS}
    channels = {"inbox": compare(expected, _inbox()), **{gateway: compare(expected, rows) for gateway, rows in by.items()}}
    lost = {
        "alerts": len({(kind, stream) for kind, stream, _ in posted} - {(kind, stream) for kind, stream, *_ in alerts}),
        "readings": _readings_lost(acked.readings), "reports": _reports_lost(acked.reports), **_acts_lost(acked.keys),
        **{f"untold_{name}": len(each.lost) + each.calm_lost for name, each in channels.items()},
    }
    repeats = {gateway: calls_beyond_the_first(rows) for gateway, rows in by.items()}
    claimed = _claimed_but_untold({(row["gateway"], row["key"]) for row in told})
    wrong = {
        **_promises(alerts, acked), **_repeats_uncounted(repeats[UNKEYED]), **_strange(channels, expected), "claimed_but_untold": claimed,
    }
    return {
        "acked": sum(acked.count.values()), "acked_by": dict(acked.count), "readings_acked": len(acked.readings), "reports_acked": len(acked.reports),
        "lost": sum(lost.values()), "lost_by": lost,
        "duplicated": sum(len(channels[name].repeated) + channels[name].calm_repeated for name in ("inbox", KEYED)),
        **{f"told_{gateway}": len(rows) - repeats[gateway].total() for gateway, rows in by.items()},
        "repeated_unkeyed": repeats[UNKEYED].total() + len(channels[UNKEYED].repeated) + channels[UNKEYED].calm_repeated,
        "dropped_by_key": repeats[KEYED].total(),
        "claimed_but_untold": claimed,
        **_kills(place, [(at, raised[stream]) for stream, at in acked.silent.items() if stream in raised]),
        "lost_examples": [telling for each in channels.values() for telling in each.lost[:SHOWN]],
        "wrong": {name: value for name, value in wrong.items() if value},
    }


def _alerts() -> list[tuple[str, int, str, float]]:
    from shouwang.alerts.models import Alert

    rows = Alert.objects.order_by("id").values_list("kind", "subject_id", "state", "opened_at")
    return [(kind, stream, state, at.timestamp()) for kind, stream, state, at in rows]


def _inbox() -> list[dict[str, Any]]:
    """Return what the inboxes show: what was delivered and is pushed, or belongs to a bundle that is."""
    from shouwang.notify.models import Message
    from shouwang.notify.rules import INBOX, State

    rows = list(Message.objects.filter(channel=INBOX, state=State.DELIVERED).values_list("pk", "person_id", "template", "params", "leader_id", "push_seq"))
    pushed = {pk for pk, *_, push_seq in rows if push_seq is not None}
    return [
        {"person": person, "template": template, "params": json.loads(params), "count": 1, "again": False}
        for pk, person, template, params, leader, _ in rows
        if (leader or pk) in pushed
    ]


def _readings_lost(acked: Mapping[tuple[int, int], float]) -> int:
    from shouwang.telemetry.models import Observation

    rows = Observation.objects.values_list("datastream_id", "at", "result")
    stored = {(stream, round(at.timestamp() * 1e6)): value for stream, at, value in rows.iterator()}
    return sum(stored.get(key) != value for key, value in acked.items())


def _reports_lost(acked: Collection[str]) -> int:
    """Return how many messages are not delivered though the gateway's report of it was taken."""
    from shouwang.notify.models import Message
    from shouwang.notify.rules import State

    return len(set(acked) - set(Message.objects.filter(channel="sms", state=State.DELIVERED).values_list("key", flat=True)))


def _acts_lost(keys: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return how many acknowledged replies and acts of persons left no trace in the task, the case and the alert."""
    from shouwang.alerts.models import Alert
    from shouwang.cases.models import Case, Task

    tasks = {pk: (state, case) for pk, state, case in Task.objects.values_list("pk", "state", "case_id")}
    closed = dict(Case.objects.filter(state="CLOSED").values_list("pk", "alert_id"))
    ended = set(Alert.objects.filter(state="ENDED").values_list("pk", flat=True))
    found = {what: [tasks[int(key.split(":")[0])] for key in those] for what, those in keys.items()}
    return {
        "replies": sum(state not in ("ACCEPTED", "ARRIVED", "DONE") for state, _ in found["reply"]),
        "accepts": sum(state not in ("ACCEPTED", "ARRIVED", "DONE") for state, _ in found["accept"]),
        "completes": sum(state != "DONE" or closed.get(case) not in ended for state, case in found["complete"]),
    }


def _promises(alerts: Iterable[tuple[str, int, str, float]], acked: Acknowledged) -> dict[str, Any]:
    """Return what is wrong with the invariants that hold whatever was posted."""
    from django.db.models import Max

    from shouwang.cases.models import OPEN_TASKS, Clock, Task
    from shouwang.config.wiring import LISTENERS
    from shouwang.journal.models import EventRow, ListenerCursor, Timer

    open_tasks = set(Task.objects.filter(state__in=OPEN_TASKS).values_list("pk", flat=True))
    timers: dict[str, Counter[int]] = {"task": Counter(), "clock": Counter()}
    for kind, subject in Timer.objects.filter(kind__in=timers).values_list("kind", "subject_id"):
        timers[kind][subject] += 1
    running = set(Clock.objects.filter(due_at__isnull=False).values_list("pk", flat=True))
    cursors = dict(ListenerCursor.objects.values_list("name", "seq"))
    behind = {
        name: (cursors.get(name, 0), last)
        for name, kinds, _ in LISTENERS
        if (last := EventRow.objects.filter(kind__in=kinds).aggregate(last=Max("seq"))["last"] or 0) > cursors.get(name, 0)
    }
    keys = Counter((kind, stream) for kind, stream, *_ in alerts)
    return {
        "alerts_of_one_key": [key for key, times in keys.items() if times > 1][:SHOWN],
        "open_tasks_without_one_timer": sum(timers["task"][task] != 1 for task in open_tasks),
        "timers_without_open_task": len(set(timers["task"]) - open_tasks),
        "clocks_without_one_timer": sum(timers["clock"][clock] != 1 for clock in running) + len(set(timers["clock"]) - running),
        "listeners_behind": behind, "replies_not_heard": _replies_not_heard(), "ends_not_heard": _ends_not_heard(),
        "alerts_of_ordinary_meters": sum(stream in acked.ordinary for _, stream, *_ in alerts),
    }


def _replies_not_heard() -> int:
    """Return how many tasks whose person has accepted by SMS still wait for somebody."""
    from shouwang.cases.models import Task
    from shouwang.journal.models import EventRow
    from shouwang.notify.events import REPLY_RECEIVED

    waiting = set(Task.objects.filter(state__in=("CONFIRM", "OFFERED")).values_list("pk", flat=True))
    said = [json.loads(text) for text in EventRow.objects.filter(kind=REPLY_RECEIVED).values_list("payload", flat=True)]
    return len({task for payload in said if payload["code"] == "ACCEPT" for task in payload["tasks"]} & waiting)


def _ends_not_heard() -> int:
    """Return how many alerts are open though the log says that their case was closed."""
    from shouwang.alerts.models import Alert
    from shouwang.journal.models import EventRow

    still = set(Alert.objects.filter(state="OPEN").values_list("pk", flat=True))
    closed = EventRow.objects.filter(kind__in=("case.closed", "case.withdrawn")).values_list("payload", flat=True)
    return len({json.loads(text).get("alert") for text in closed} & still)


def _repeats_uncounted(repeats: Mapping[str, int]) -> dict[str, Any]:
    """Return the messages that the unkeyed gateway was sent more often than their row says (invariant I5)."""
    from shouwang.notify.models import Message

    counted = dict(Message.objects.filter(channel="sms", key__in=list(repeats)).values_list("key", "repeats"))
    return {"repeats_uncounted": {key: (times, counted.get(key)) for key, times in repeats.items() if counted.get(key, 0) < times}}


def _claimed_but_untold(reached: Collection[tuple[str, str]]) -> int:
    """Return how many messages have ended as sent or delivered though their gateway has never accepted their key."""
    from shouwang.notify.models import Message
    from shouwang.notify.rules import State

    gateways = {"webhook": KEYED, "sms": UNKEYED}
    rows = Message.objects.filter(
        channel__in=gateways, leader_id__isnull=True, done_at__isnull=False, state__in=(State.SENT, State.DELIVERED),
    )
    return sum((gateways[channel], key) not in reached for channel, key in rows.values_list("channel", "key"))


def _strange(channels: Mapping[str, Compared], expected: Expected) -> dict[str, Any]:
    nobody = not expected.tellings
    return {"nothing_expected": nobody, **{f"strange_{name}": each.strange[:SHOWN] for name, each in channels.items()}}


def _kills(folder: Path, silences: Sequence[tuple[float, float]]) -> dict[str, Any]:
    kills, opened = read(folder, KILLS), read(folder, OPEN)
    requests = read(folder, REQUESTS)
    landed = Counter(
        kill["kind"] for kill in kills if in_flight(kill, requests=requests, opened=opened, silences=silences)
    )
    return {
        "kills": len(kills), "kills_by": dict(Counter(kill["kind"] for kill in kills)), "kills_in_flight": landed.total(),
        "in_flight_by": dict(landed), "back_s": back_after(kills, requests=requests, opened=opened, silences=silences),
    }
