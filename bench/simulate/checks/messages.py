"""I4 and I5 at the end: every message has ended, and what the outbox says of it is what the outside has seen."""

from __future__ import annotations

from collections import defaultdict

from bench.simulate import store
from bench.simulate.gateway import Gateway
from bench.simulate.stage import Stage
from shouwang.journal.queries import events_after
from shouwang.notify.events import MESSAGE_FAILED
from shouwang.notify.models import Message
from shouwang.notify.queries import alive_count
from shouwang.notify.rules import State

WENT = (State.SENT, State.DELIVERED)
_COLUMNS = (
    "pk", "channel", "key", "state", "leader_id", "person_id", "exercise_id", "push_seq", "repeats", "reason", "done_at", "case_id", "task_id",
)


def check(stage: Stage, gateway: Gateway) -> int:
    """Check the outbox against the outside and return how many messages there were."""
    if alive_count():
        stage.violate("I4 every message ends", found=f"{alive_count()} alive", expected="0")
    messages = list(Message.objects.order_by("pk").values(*_COLUMNS))
    by_id = {row["pk"]: row for row in messages}
    members: dict[int, int] = defaultdict(int)
    for row in messages:
        if row["leader_id"] is not None:
            members[row["leader_id"]] += 1
    for row in messages:
        leader = by_id.get(row["leader_id"], row)
        _bundled(stage, row, leader)
        if row["channel"] == "inbox":
            _in_the_inbox(stage, row, leader)
        elif row["leader_id"] is None:
            _outside(stage, row, gateway, members[row["pk"]] + 1)
    _failures(stage, messages)
    _strangers(stage, messages, gateway)
    return len(messages)


def _bundled(stage: Stage, row: dict, leader: dict) -> None:
    """A member goes where its leader goes, ends as it ends, and never mixes an exercise with the real."""
    about = {"case": row["case_id"], "task": row["task_id"], "message": row["pk"]}
    if row["done_at"] is None or row["state"] not in (*WENT, State.FAILED, State.UNKNOWN):
        stage.violate("I4 every message ends", found=f"{row['channel']} {State(row['state']).name}", expected="an end", **about)
    if (row["person_id"], row["channel"], row["state"]) != (leader["person_id"], leader["channel"], leader["state"]):
        stage.violate("I4 a member ends as its leader", found=str(row), expected=str(leader), **about)
    if row["exercise_id"] != leader["exercise_id"]:
        stage.violate("I10 an exercise is bundled apart", found=str(row["exercise_id"]), expected=str(leader["exercise_id"]), **about)


def _in_the_inbox(stage: Stage, row: dict, leader: dict) -> None:
    if row["state"] != State.DELIVERED or leader["push_seq"] is None:
        stage.violate(
            "I4 an inbox shows every message", found=f"{State(row['state']).name} {row['reason']}, number {leader['push_seq']}", expected="DELIVERED with a number",
            case=row["case_id"], task=row["task_id"], message=row["pk"],
        )


def _outside(stage: Stage, row: dict, gateway: Gateway, count: int) -> None:
    """What is said to have gone has gone; a person got it once, but for the repeats that were counted."""
    key, about = row["key"], {"case": row["case_id"], "task": row["task_id"], "message": row["pk"]}
    held = gateway.sms.get(key)
    if row["channel"] == "sms":
        if row["state"] in WENT and held is None:
            stage.violate("I4 what went has gone", found="the gateway never had it", expected="accepted", **about)
        if held is not None and held.copies > 1 + row["repeats"]:
            stage.violate("I5 repeats are counted", found=f"{held.copies} copies, {row['repeats']} repeats", expected="at most one more", **about)
        if held is not None and held.person != row["person_id"]:
            stage.violate("I6 a message is for its person", found=str(held.person), expected=str(row["person_id"]), **about)
        return
    if row["state"] in WENT and key not in gateway.hooks:
        stage.violate("I4 what went has gone", found="the receiver never had it", expected="received", **about)
    if key in gateway.hooks and gateway.hooks[key] != row["person_id"]:
        stage.violate("I6 a message is for its person", found=str(gateway.hooks[key]), expected=str(row["person_id"]), **about)
    if key in gateway.counts_in and gateway.counts_in[key] != count:
        stage.violate("I4 a bundle says how many it is", found=str(gateway.counts_in[key]), expected=str(count), **about)


def _failures(stage: Stage, messages: list[dict]) -> None:
    """What ended failed or unknown was published, so that it is not silent."""
    published: set[int] = set()
    seq = 0
    while page := events_after(seq, kinds=[MESSAGE_FAILED]):
        published |= {event.payload["message"] for event in page}
        seq = page[-1].seq
    for row in messages:
        if row["state"] in (State.FAILED, State.UNKNOWN) and row["pk"] not in published:
            stage.violate("I4 a failure is published", found="no event", expected=MESSAGE_FAILED, message=row["pk"], case=row["case_id"])


def _strangers(stage: Stage, messages: list[dict], gateway: Gateway) -> None:
    """Whatever reached the outside carries the key of a message."""
    known = {(row["channel"], row["key"]) for row in messages}
    came = [("sms", key) for key in gateway.sms] + [("webhook", key) for key in gateway.hooks]
    for channel, key in came:
        if (channel, key) not in known:
            stage.violate("I5 a key stays the same", found=f"{channel} {key}", expected="the key of a message")
    told = store.rows("SELECT person_id, channel, key, count(*) FROM notify_message GROUP BY person_id, channel, key HAVING count(*) > 1")
    for person, channel, key, count in told:
        stage.violate("I5 told once", found=f"person {person} {channel} {key}: {count}", expected="1")
