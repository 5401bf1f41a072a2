"""The ten invariants, by number (docs/reference/invariants.md). I6 is walked whole in `tests/scope`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client

from shouwang.alerts.actions import take_findings
from shouwang.alerts.models import Alert
from shouwang.cases import actions
from shouwang.cases.jobs import run_due_timers
from shouwang.cases.models import OPEN_TASKS, Case, Evidence, ProcedureVersion, Task
from shouwang.cases.queries import procedure_of
from shouwang.cases.rules.errors import CaseError
from shouwang.cases.rules.evidence import EvidenceMissing, Given, require
from shouwang.indicators.actions import KINDS, LISTENER, fold, rebuild
from shouwang.indicators.queries import lines_of
from shouwang.journal.actions import listen
from shouwang.journal.queries import events_after, timers_of, verify
from shouwang.journal.rules import Lease
from shouwang.notify import jobs
from shouwang.notify.actions import NewMessage, queue
from shouwang.notify.contract import Delivered, Outcome, Rejected, Retry, Sent, Unknown
from shouwang.notify.models import Message
from shouwang.notify.queries import alive_count, messages_of_tasks
from shouwang.notify.rules import State
from shouwang.people.actions import issue_credential
from shouwang.people.models import Account
from shouwang.requests.actions import publish_shipped as publish_requests
from shouwang.telemetry.models import Observation
from tests.invariants.conftest import finding
from tests.journeys.conftest import County
from tests.notify.conftest import GATEWAY, KEYED, Queue, Scripted, served

pytestmark = pytest.mark.django_db
WELL = [Given("how", "MET")]
LONG = timedelta(hours=30)


def post(client: Client, path: str, body: object, token: str) -> int:
    return client.post(path, json.dumps(body), content_type="application/json", headers={"Authorization": f"Bearer {token}"}).status_code


def ways_in(county: County, now: datetime) -> list[tuple[str, dict[str, Any], str, Callable[[], int]]]:
    """Return each way in: address, body, token, and how many rows stand for it."""
    device = issue_credential("DEVICE", subject="WM1", paths=[county.path], now=now)
    system = issue_credential("INTEGRATION", subject="x", paths=[county.path], now=now)
    reading = {"datastream": "register_l", "phenomenon_time": now.isoformat(), "result": 5}
    alert = {"kind": "WATER_HIGH_USE", "subject_kind": "datastream", "subject_id": county.datastream, "severity": 2, "reason": "X"}
    return [
        ("/api/v1/readings", {"readings": [reading]}, device, Observation.objects.count),
        ("/api/v1/alerts", {"alerts": [alert]}, system, Alert.objects.count),
    ]


def test_i01_what_was_acknowledged_is_stored(county: County, now: datetime, client: Client) -> None:
    for path, body, token, stored in ways_in(county, now):
        assert post(client, path, body, token) == 200
        assert stored() == 1


@pytest.mark.parametrize("place", ["shouwang.telemetry.actions._log", "shouwang.alerts.actions.append"])
def test_i01_what_could_not_be_stored_is_not_acknowledged(
    county: County, now: datetime, client: Client, place: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OperationalError

    path, body, token, stored = ways_in(county, now)[0 if "telemetry" in place else 1]
    monkeypatch.setattr(place, fails)
    assert post(client, path, body, token) == 503
    assert stored() == 0


def test_i02_one_open_alert_per_key(county: County, task: Task, now: datetime) -> None:
    take_findings([finding(county, episode=2), finding(county, episode=3)], now=now)
    alert = Alert.objects.get()
    assert alert.merged == 1
    alert.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        alert.save(force_insert=True)
    assert Case.objects.get().pk == task.case_id


def test_i03_an_open_task_has_exactly_one_live_timer(county: County, now: datetime) -> None:
    """Whatever is done to the tasks, in any order: sixty random steps over five spells."""
    chance, at = Random(3), now
    for episode in range(1, 6):
        take_findings([finding(county, episode=episode)], now=at)
        for _ in range(60):
            at += timedelta(minutes=chance.choice((0, 1, 7, 40)))
            _step(chance, county, at)
            assert_one_timer_each()
        Alert.objects.filter(state="OPEN").update(state="ENDED")


def _step(chance: Random, county: County, at: datetime) -> None:
    """Do one thing that anybody may do at any moment; what is refused changes nothing."""
    case, task = Case.objects.latest("pk"), Task.objects.latest("pk")
    person, by = chance.choice((county.worker, county.deputy, county.township_officer)), county.county_officer
    doings: tuple[Callable[[], object], ...] = (
        lambda: run_due_timers(at), lambda: actions.accept(task.pk, person_id=person, now=at),
        lambda: actions.arrive(task.pk, person_id=person, now=at), lambda: actions.remind(task.pk, by=by, now=at),
        lambda: actions.escalate(task.pk, by=by, now=at), lambda: actions.hand_over(task.pk, to=person, reason="X", by=by, now=at),
        lambda: actions.suspend(case.pk, clocks=["promised", "task:visit"], reason="X", review_at=at + LONG, by=by, now=at),
        lambda: actions.resume(case.pk, by=by, now=at), lambda: actions.extend(task.pk, minutes=30, reason="X", by=by, now=at),
        lambda: actions.complete(task.pk, person_id=person, result="WELL", evidence=WELL, now=at),
        lambda: actions.reopen(case.pk, reason="DESK", by=by, now=at), lambda: actions.withdraw(case.pk, reason="X", by=by, now=at),
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                chance.choice(doings)()
        except CaseError:
            pass


def assert_one_timer_each() -> None:
    tasks = list(Task.objects.values_list("pk", "state"))
    live = timers_of("task", [pk for pk, _ in tasks])
    assert sorted(live) == sorted(pk for pk, state in tasks if state in OPEN_TASKS)


def test_i03_a_suspended_task_has_its_review_timer(county: County, task: Task, now: datetime) -> None:
    actions.accept(task.pk, person_id=county.worker, now=now)
    review = now + timedelta(days=3)
    actions.suspend(task.case_id, clocks=["task:visit"], reason="X", review_at=review, by=county.county_officer, now=now)
    assert {task.pk: review} == timers_of("task", [task.pk])


ENDS: list[tuple[list[Outcome], bool, State]] = [
    # what the provider answers, whether it gives receipts, how the message ends
    ([Delivered()], True, State.DELIVERED),
    ([Sent("r")], False, State.SENT),
    ([Rejected("NO")], True, State.FAILED),
    ([Retry(1, "HTTP_429"), Retry(1, "HTTP_429"), Sent("r")], False, State.SENT),
    ([Retry(1, "HTTP_500")] * 99, False, State.FAILED),
]


@pytest.mark.parametrize(("answers", "receipts", "ends"), ENDS)
def test_i04_every_message_ends(
    answers: list[Outcome], receipts: bool, ends: State, put_in: Queue, book: object, lease: Lease, senders: jobs.InlineSenders, now: datetime,
) -> None:
    put_in(channel="x")
    run_until_quiet(served(Scripted(list(answers)), GATEWAY if receipts else KEYED), lease, senders, now)
    assert [(ends, True)] == [(State(row.state), row.done_at is not None) for row in Message.objects.all()]


@pytest.mark.parametrize("traits", [KEYED, GATEWAY])
def test_i04_no_message_stays_silent_when_the_provider_never_says_what_became_of_it(
    traits: Any, put_in: Queue, book: object, lease: Lease, senders: jobs.InlineSenders, now: datetime,
) -> None:
    put_in(channel="x")
    run_until_quiet(served(Scripted([Unknown("TIMEOUT")] * 99), traits), lease, senders, now)
    (row,) = Message.objects.all()
    assert row.done_at is not None
    assert State(row.state) in {State.FAILED, State.UNKNOWN}
    told = [event.payload["reason"] for event in events_after(0, kinds=["notify.message_failed"])]
    assert told


def run_until_quiet(channel: jobs.Served, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    """Let the worker pass again and again, a day long, until nothing waits."""
    at = now + timedelta(seconds=1)
    for _ in range(400):
        done = jobs.make_pass(at, channels={"x": channel}, senders=senders, lease=lease)
        if not alive_count():
            return
        at = max(done.next_at or at, at + timedelta(minutes=5))
    pytest.fail("a message waits for ever")


def test_i05_a_person_is_told_once_per_rung_and_reminder(county: County, task: Task, now: datetime) -> None:
    for _ in range(2):  # the same timer, rung twice at the same moment
        run_due_timers(now + timedelta(minutes=30))
    sent = messages_of_tasks([task.pk])
    assert len(sent) == len({(message.person_id, message.template, message.channel) for message in sent})
    keys = list(Message.objects.values_list("key", "channel"))
    assert len(keys) == len(set(keys))
    with pytest.raises(IntegrityError), transaction.atomic():
        queue([NewMessage(county.worker, keys[0][1], "TASK_OFFERED", keys[0][0], 2)], now=now)


def test_i05_what_is_sent_again_carries_the_same_key(
    put_in: Queue, book: object, lease: Lease, senders: jobs.InlineSenders, now: datetime,
) -> None:
    """A channel that honours the key then tells a person once, however often the answer was lost."""
    channel = Scripted([Unknown("TIMEOUT"), Unknown("TIMEOUT"), Sent("r")])
    put_in(channel="x")
    run_until_quiet(served(channel, KEYED), lease, senders, now)
    assert len(channel.taken) == 3
    assert len({outgoing.key for outgoing in channel.taken}) == 1


def test_i06_what_lies_elsewhere_is_as_if_it_were_not(county: County, task: Task, now: datetime, client: Client) -> None:
    client.force_login(Account.objects.unscoped().get(username="county"))
    pages = [f"/cases/{task.case_id}/", f"/desk/cases/{task.case_id}/"]
    assert [client.get(page).status_code for page in pages] == [200, 200]
    Case.objects.filter(pk=task.case_id).update(path="/999/")
    there, nowhere = (client.get(page.replace(str(task.case_id), number)) for page in pages[:1] for number in (str(task.case_id), "424242"))
    assert there.status_code == nowhere.status_code == 404


def test_i07_folded_figures_are_a_fold_of_the_journal(county: County, now: datetime) -> None:
    """Folding event by event, in portions, twice, or all anew comes to the same."""
    for episode in range(1, 4):
        take_findings([finding(county, episode=episode)], now=now + timedelta(minutes=episode))
        newest = Task.objects.latest("pk")
        actions.accept(newest.pk, person_id=county.worker, now=now + timedelta(minutes=episode + 1))
        if episode > 1:
            actions.complete(newest.pk, person_id=county.worker, result="WELL", evidence=WELL, now=now + timedelta(minutes=episode + 9))
            Alert.objects.filter(state="OPEN").update(state="ENDED")
    cases = list(Case.objects.values_list("pk", flat=True))
    for limit in (1, 2, 500):
        while listen(LISTENER, fold, lambda seq, limit=limit: events_after(seq, kinds=KINDS, limit=limit)).count:
            pass
    folded = lines_of(cases)
    assert len(folded) == len(cases)
    fold(events_after(0, kinds=KINDS))
    assert folded == lines_of(cases)
    rebuild()
    assert folded == lines_of(cases)


def test_i08_the_same_inputs_and_clock_give_the_same_journal(county: County, now: datetime) -> None:
    assert _played(county, now, seed=8) == _played(county, now, seed=8)
    assert _played(county, now, seed=8) != _played(county, now, seed=9)


def _played(county: County, now: datetime, *, seed: int) -> list[tuple[object, ...]]:
    """Return the journal of a seeded morning, ids renumbered by first appearance; nothing of it is kept."""
    chance, at, begin = Random(seed), now, max((event.seq for event in events_after(0, limit=10_000)), default=0)
    with transaction.atomic():
        take_findings([finding(county)], now=at)
        for _ in range(30):
            at += timedelta(minutes=chance.choice((1, 7, 40)))
            _step(chance, county, at)
        verify()
        events = [(event.at, event.kind, event.subject_id, dict(event.payload)) for event in events_after(begin, limit=10_000)]
        transaction.set_rollback(True)
    return [(at, kind, json.dumps(_renumbered(subject, payload), sort_keys=True)) for at, kind, subject, payload in events]


_KEPT = frozenset({"person", "to", "by", "told", "holder", "area", "severity", "rung", "minutes", "due_us"})


def _renumbered(subject: int | None, payload: dict[str, Any]) -> dict[str, Any]:
    """Return a payload without the numbers that the database gives rows: they go on after a rollback on PostgreSQL."""
    del subject
    offers = {"offers": list(payload["offers"].values())} if "offers" in payload else {}
    payload = {**payload, **offers}
    return {key: value for key, value in payload.items() if key in _KEPT or not isinstance(value, int)}


def test_i09_a_case_closes_only_through_the_evidence_gate_of_its_result(county: County, now: datetime) -> None:
    """Every result of every shipped procedure, with any required piece of evidence left out."""
    publish_requests(now=now)
    gates = 0
    for version in ProcedureVersion.objects.values_list("pk", flat=True):
        for step in procedure_of(version).steps:
            for result in step.results:
                needed = [need for need in result.evidence if not need.optional]
                whole = {need.code: Given(need.code, need.options[0][0] if need.options else "5") for need in needed}
                for missing in combinations(whole, 1):
                    gates += 1
                    with pytest.raises(EvidenceMissing):
                        require(step, result.code, {code: given for code, given in whole.items() if code not in missing})
    assert gates > 3


def test_i09_nothing_is_kept_of_a_result_without_its_evidence(county: County, task: Task, now: datetime) -> None:
    actions.accept(task.pk, person_id=county.worker, now=now)
    before = events_after(0, limit=10_000)
    with pytest.raises(EvidenceMissing):
        actions.complete(task.pk, person_id=county.worker, result="NEEDED_HELP", evidence=[Given("called", "120")], now=now)
    assert before == events_after(0, limit=10_000)
    assert (Case.objects.get().state, Task.objects.get().state, Evidence.objects.count()) == ("OPEN", "ACCEPTED", 0)


def test_i10_an_exercise_stands_beside_the_real_and_keeps_its_number(county: County, task: Task, now: datetime) -> None:
    take_findings([replace(finding(county), exercise_id=5)], now=now)
    drill = Case.objects.get(exercise_id=5)
    assert Case.objects.get(exercise_id=None).pk == task.case_id
    for task_id in Task.objects.filter(case_id=drill.pk).values_list("pk", flat=True):
        actions.accept(task_id, person_id=county.worker, now=now)
        actions.complete(task_id, person_id=county.worker, result="WELL", evidence=WELL, now=now)
    of_drill = [event for event in events_after(0, limit=10_000) if event.subject_id == drill.pk and event.kind.startswith("case.")]
    assert of_drill
    assert {event.exercise_id for event in of_drill} == {5}
    assert {message.exercise_id for message in Message.objects.filter(case_id=drill.pk)} == {5}
    assert Case.objects.get(pk=task.case_id).state == "OPEN"


def test_i10_the_desk_of_the_real_shows_no_exercise(county: County, task: Task, now: datetime, client: Client) -> None:
    client.force_login(Account.objects.unscoped().get(username="county"))
    before = [_numbers(client.get(page).content.decode()) for page in ("/desk/queue/", "/cases/")]
    take_findings([replace(finding(county), exercise_id=5)], now=now)
    drill = Case.objects.get(exercise_id=5)
    for page, said in zip(("/desk/queue/", "/cases/"), before, strict=True):
        shown = client.get(page).content.decode()
        assert f"/{drill.pk}/" not in shown
        assert said == _numbers(shown)


def _numbers(page: str) -> int:
    """Return how many links to cases a page holds."""
    return page.count("/cases/")
