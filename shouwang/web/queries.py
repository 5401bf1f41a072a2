"""What the shared screens show, gathered from several rooms and rendered in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shouwang.cases.links import task_link
from shouwang.cases.queries import (
    CaseRow,
    TaskRow,
    case_in_scope,
    case_row,
    evidence_of,
    gaps_within,
    notes_of,
    procedure_of_case,
    tasks_for,
    tasks_of,
)
from shouwang.cases.rules.procedures import Step
from shouwang.indicators.queries import overview
from shouwang.indicators.rules.figures import tile
from shouwang.journal.queries import events_of
from shouwang.journal.rules import Event
from shouwang.kernel.moments import from_us, local
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.notify.queries import messages_of_tasks, newest
from shouwang.notify.rules import phrase
from shouwang.people.queries import household_cards, members_of, person_cards
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import CHANNELS, DUTIES, RANKS
from shouwang.places.queries import areas, children, outlines, roots
from shouwang.places.rules.tree import LEVEL_NAMES
from shouwang.systems.living_alone.queries.curves import use_curve
from shouwang.web.rules import (
    CASE_STATES,
    EVENTS,
    KINDS,
    OFFERED,
    SENDING_STATES,
    TASK_STATES,
    Link,
    Worked,
    chain,
    event_words,
)

GAPS_SHOWN = 8
GAPS_SINCE = timedelta(hours=24)
REVIEW_NUMBER = "审图号 GS(2024)0650号"
ALERT, LAST_USE = Text("预警", "Alert"), Text("最后用水", "Last use")
TONES = {"CONFIRM": "waiting", "OFFERED": "waiting", "ACCEPTED": "doing", "ARRIVED": "doing", **dict.fromkeys(("DONE", *CASE_STATES), "done")}
"""How the words of a state are coloured: those of a case's open task, and of the case where it has none."""


@dataclass(frozen=True)
class Row:
    """One case as a line of the queue."""

    id: int
    severity: Severity
    css: str
    number: str
    title: str
    reason: str
    place: str
    state: str
    tone: str
    due_at: datetime | None
    opened_at: datetime
    open: bool
    path: str
    area_id: int
    fresh: bool = False
    rate: str = ""
    """How often such an alert is one for nothing, where it is known."""


def rows_of(cases: Sequence[CaseRow], language: str) -> list[Row]:
    """Return the cases as lines; two queries for all of them."""
    names = place_names(cases)
    return [_row(case, names.get(case.area_id, ""), language) for case in cases]


def _row(case: CaseRow, place: str, language: str) -> Row:
    severity = Severity(case.severity)
    open_ = case.state == "OPEN"
    task = case.task
    state = TASK_STATES[task.state] if open_ and task else CASE_STATES.get(case.state, Text(case.state, case.state))
    return Row(
        case.id, severity, severity.css, case.number, KINDS.get(case.kind, Text(case.kind, case.kind)).render(language, {}),
        reason_text(case.reason, case.params, language), place, state.render(language, {}),
        TONES.get(task.state if task and open_ else case.state, ""), task.due_at if task and open_ else case.due_at,
        case.opened_at, open_, case.path, case.area_id, rate=rate_text(case.reason, language),
    )


def reason_text(reason: str, params: Mapping[str, Any], language: str) -> str:
    """Return the one sentence that says why."""
    return str(phrase(reason, language, params))


def rate_text(reason: str, language: str) -> str:
    """Return how often an alert with this reason is one for nothing, in words; nothing where nobody has measured it."""
    code = f"{reason.removesuffix('_LATE')}_RATE"
    words = phrase(code, language, {})
    return "" if words == code else str(words)


def place_names(cases: Sequence[CaseRow]) -> dict[int, str]:
    """Return the full name of each case's area, from the county down."""
    ids = {int(part) for case in cases for part in case.path.split("/") if part}
    known = areas(sorted(ids))
    found = {}
    for case in cases:
        parts = [int(part) for part in case.path.split("/") if part][1:]
        found[case.area_id] = " ".join(known[part].name for part in parts if part in known)
    return found


def midnight(now: datetime) -> datetime:
    """Return when today began on the local clock."""
    return local(now).replace(hour=0, minute=0, second=0, microsecond=0)


def desk_overview(scope: Scope, *, now: datetime) -> dict[str, Any]:
    """Return the figures of the desk and how many cases are open in each area below, most first; three queries."""
    root = next(iter(scope.paths_for("case.read")), "/")
    depth = max(1, root.count("/") - 1)
    figures, counts = overview(scope, since=midnight(now), depth=depth)
    names = areas(sorted(counts))
    return {
        "figures": [tile(figure) for figure in figures],
        "counties": [(names[area_id].name, number) for area_id, number in counts.most_common() if number and area_id in names],
    }


def map_points(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the map's markers: a case stands at its area's point, never at the home."""
    known = areas(sorted({row.area_id for row in rows}))
    return [
        {
            "id": row.id, "lon": known[row.area_id].lon, "lat": known[row.area_id].lat, "severity": row.css,
            "title": f"{row.title} · {row.place}", "href": f"/cases/{row.id}/",
        }
        for row in rows
        if row.area_id in known and known[row.area_id].lon is not None
    ]


def gaps(scope: Scope, *, now: datetime, language: str) -> list[dict[str, Any]]:
    """Return where nobody was on duty in the last day, newest first, each place and duty once."""
    found = gaps_within(scope, since=now - GAPS_SINCE)
    names = areas(sorted({int(gap.path.rstrip("/").rpartition("/")[2]) for gap in found}))
    shown: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for gap in found:
        area = names.get(int(gap.path.rstrip("/").rpartition("/")[2]))
        shown.setdefault((gap.path, gap.duty, gap.level, gap.rank), {
            "place": area.name if area else "", "case": gap.case_id, "at": gap.at,
            **_codes({"duty": gap.duty, "level": gap.level, "rank": gap.rank}, language),
        })
    return list(shown.values())[:GAPS_SHOWN]


def _codes(payload: Mapping[str, Any], language: str) -> dict[str, str]:
    """Return the words of the duty, level and rank in `payload`."""
    words: dict[str, Mapping[str, Text]] = {"duty": DUTIES, "level": LEVEL_NAMES, "rank": RANKS}
    return {
        name: known[payload[name]].render(language, {}) if payload[name] in known else str(payload[name])
        for name, known in words.items()
        if name in payload
    }


def case_view(scope: Scope, case_id: int, *, language: str) -> dict[str, Any]:
    """Return what the drawer and the case page show of one case. Raises NotFound out of scope."""
    case = case_in_scope(case_id, scope)
    (row,) = rows_of([case], language)
    tasks = tasks_of([case_id])
    cards = person_cards({task.assignee_id for task in tasks if task.assignee_id}, language=language)
    home, _ = home_of(case, revealed=False, language=language)
    return {
        "case": row, "raw": case, "task": case.task, "home": home,
        "person": cards.get((case.task.assignee_id if case.task else None) or 0),
        "chain": chain_of(tasks, {key: card.shown for key, card in cards.items()}, case),
    }


def chain_of(tasks: Sequence[TaskRow], names: Mapping[int, str], case: CaseRow) -> list[Link]:
    """Return the chain of a case, with who did what when."""
    worked = [
        Worked(task.state, names.get(task.assignee_id or 0, ""), task.accepted_at, task.arrived_at, task.ended_at) for task in tasks
    ]
    return chain(worked, opened_at=case.opened_at, ended_at=None if case.state == "OPEN" else case.ended_at)


def case_history(case: CaseRow, *, language: str) -> dict[str, Any]:
    """Return a case's chain of events, evidence, notes and messages, with names."""
    events = [event for event in events_of(case.id) if event.kind in EVENTS]
    notes = notes_of(case.id)
    messages = messages_of_tasks([task.id for task in tasks_of([case.id])])
    said = [(event, payload) for event in events for payload in (event.payload, *_offers(event))]
    ids = {value for _, payload in said for key, value in payload.items() if key in _PERSONS and value}
    ids |= {note[0] for note in notes if note[0]} | {message.person_id for message in messages}
    names = {key: card.shown for key, card in person_cards(ids, language=language).items()}
    titles = _result_titles(case, language)
    return {
        "events": [
            {
                "at": event.at, "gap": event.kind == "case.coverage_gap",
                "text": (event_words(event.kind, payload) if payload is event.payload else OFFERED).render(
                    language, _named(payload, names, titles, language),
                ),
            }
            for event, payload in said
        ],
        "notes": [{"text": text, "by": names.get(by or 0, "—"), "at": at} for by, text, at in notes],
        "evidence": [
            {"title": titles.get(f"need:{item.code}", item.code), "value": titles.get(f"option:{item.value}", item.value), "at": item.at}
            for item in evidence_of(case.id)
        ],
        "messages_sent": [
            {
                "to": names.get(message.person_id, "—"), "at": message.queued_at,
                "channel": _word(CHANNELS, message.channel, language), "state": _word(SENDING_STATES, message.state.name, language),
                "tone": "waiting" if message.state.name == "FAILED" else "done" if message.state.name == "DELIVERED" else "",
            }
            for message in messages
        ],
    }


def _word(words: Mapping[str, Text], code: str, language: str) -> str:
    return words[code].render(language, {}) if code in words else code


def own_tasks(person_id: int, language: str) -> list[dict[str, Any]]:
    """Return a person's open tasks as cards, most urgent first."""
    found = tasks_for(person_id)
    rows = {row.id: row for row in rows_of([case_row(task.case_id) for task in found], language)}
    return [
        {"case": rows[task.case_id], "due_at": task.due_at, "state": TASK_STATES[task.state], "link": task_link(task.id, person_id)}
        for task in found
    ]


def own_messages(person_id: int, language: str, *, may_open: bool) -> list[dict[str, Any]]:
    """Return what a person's inbox shows, newest first, each with where it leads."""
    return [
        {
            "id": entry.id, "text": entry.text(language), "severity": Severity(entry.severity) if entry.severity else None,
            "at": entry.queued_at, "unread": entry.read_at is None, "link": _leads_to(entry.task_id, entry.case_id, person_id, may_open=may_open),
        }
        for entry in newest(person_id, limit=100)
    ]


def _leads_to(task_id: int | None, case_id: int | None, person_id: int, *, may_open: bool) -> str:
    if task_id:
        return task_link(task_id, person_id)
    return f"/cases/{case_id}/" if case_id and may_open else ""


def _offers(event: Event) -> list[dict[str, Any]]:
    """Return what was offered in an event, but for a dispatch, which says itself to whom."""
    offers = {} if event.kind == "case.dispatched" else event.payload.get("offers", {})
    return [{"person": person} for _, _, person in offers.values()]


_PERSONS = frozenset({"person", "to", "told", "holder", "by"})


def _named(payload: Mapping[str, Any], names: Mapping[int, str], titles: Mapping[str, str], language: str) -> dict[str, Any]:
    named = {key: names.get(value, "—") if key in _PERSONS else value for key, value in payload.items()}
    if "result" in named:
        named["result"] = titles.get(f"result:{named['result']}", named["result"])
    if "answer" in named:
        named["answer"] = titles.get(f"answer:{named['answer']}", named["answer"])
    return {**named, **_codes(named, language)}


def _result_titles(case: CaseRow, language: str) -> dict[str, str]:
    titles: dict[str, str] = {}
    for step in procedure_of_case(case.id).steps:
        for result in step.results:
            titles[f"result:{result.code}"] = result.title.render(language)
            for need in result.evidence:
                titles[f"need:{need.code}"] = need.title.render(language)
                titles |= {f"option:{code}": title.render(language) for code, title in need.options}
        for answer in (answer for rung in step.rungs for answer in rung.answers):
            titles[f"answer:{answer.code}"] = answer.title.render(language)
    return titles


def meter_curve(case: CaseRow, *, now: datetime, language: str) -> dict[str, Any] | None:
    """Return the water used each hour around the alert, with its usual band, as a chart; None where there are no readings."""
    datastream = case.params.get("datastream")
    if datastream is None:
        return None
    marks = [(case.opened_at, ALERT, Severity(case.severity).css)]
    if "last_use_us" in case.params:
        marks.append((from_us(case.params["last_use_us"]), LAST_USE, "blue"))
    end = min(now, case.opened_at + timedelta(hours=12))
    return use_curve(int(datastream), until=case.opened_at, end=end, marks=marks, language=language)


def home_of(case: CaseRow, *, revealed: bool, language: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the home and whom to call: masked until the task is accepted, since the link may be read by others."""
    if case.subject_kind != "household":
        return {"name": "", "address": ""}, []
    card = household_cards([case.subject_id])[case.subject_id]
    members = members_of([case.subject_id]).get(case.subject_id, ())
    cards = person_cards([member.person_id for member in members], language=language)
    residents = [cards[member.person_id] for member in members if member.role == "RESIDENT"]
    name = "、".join(person.name if revealed else person.masked_name for person in residents) or card.name
    roles = {"RELATIVE": "Relative" if language == "en" else "亲属", "KEY_HOLDER": "Key-holder" if language == "en" else "持钥匙人", "RESIDENT": "Resident" if language == "en" else "本人"}
    contacts = [
        {"role": roles.get(member.role, member.role), "name": cards[member.person_id].name, "phone": cards[member.person_id].phone}
        for member in members
        if revealed and cards[member.person_id].phone
    ]
    return {"name": name, "address": card.address}, contacts


def result_forms(step: Step, language: str) -> list[dict[str, Any]]:
    """Return a step's results with the evidence each asks for, in the reader's language; what only contacts answer is left out."""
    by_contacts = {given for rung in step.rungs for answer in rung.answers for given in answer.evidence}
    return [
        {
            "code": result.code, "title": result.title.render(language),
            "needs": [
                {
                    "code": need.code, "title": need.title.render(language), "optional": need.optional,
                    "options": [
                        {"code": code, "title": title.render(language)} for code, title in need.options if (need.code, code) not in by_contacts
                    ],
                }
                for need in result.evidence if need.kind != "PHOTO"  # every result has a place for photos
            ],
        }
        for result in step.results
    ]


def map_outlines(scope: Scope) -> dict[str, Any]:
    """Return the outlines of the counties, with the review number the map must show."""
    del scope
    root = roots()[:1]
    counties = children(root[0].id) if root else []
    found = outlines([county.id for county in counties])
    features = [
        {
            "type": "Feature", "geometry": found[county.id][0],
            "properties": {"name": county.name, "lon": county.lon, "lat": county.lat},
        }
        for county in counties
        if county.id in found
    ]
    return {"outlines": {"type": "FeatureCollection", "features": features}, "review": REVIEW_NUMBER}
