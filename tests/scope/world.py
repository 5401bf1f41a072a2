"""A city of two counties with the same in each, and a canary in every personal field and free text of either.

What is planted where is read from the models: a new table or column must be classified below, or a test fails.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import models

from shouwang.activities.actions import give_number, move, plan
from shouwang.activities.queries import kind_of
from shouwang.activities.rules.plans import Plan
from shouwang.alerts.actions import take_findings
from shouwang.alerts.models import Alert
from shouwang.alerts.rules import FoundFinding
from shouwang.cases.actions import accept, add_note, give_shift
from shouwang.cases.links import task_link
from shouwang.cases.models import CaseFact, Evidence, Task
from shouwang.files.actions import store
from shouwang.files.models import Upload
from shouwang.journal.fields import MomentField
from shouwang.kernel.moments import local
from shouwang.notify.models import Robot
from shouwang.people import actions as people
from shouwang.people.actions import NewDuty, NewPerson
from shouwang.people.models import Account
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import SYSTEM, Scope
from shouwang.people.rules.codes import DUTIES
from shouwang.places import queries as places
from shouwang.places.actions import add_area
from shouwang.requests.actions import publish_shipped as publish_requests
from shouwang.requests.actions import take_call
from shouwang.requests.rules.intake import NewReport
from shouwang.systems.living_alone.actions import enrol, publish_shipped
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.rules import NewThing

DIGITS = {"东": 1, "西": 2}
LEVELS = ("COUNTY", "TOWNSHIP", "VILLAGE")
ROLES = tuple(code for code in DUTIES if code != "CITY_DUTY")
# Every personal field and free text. Phones and identity numbers are planted as digits, all else as words.
PLANTED = {
    "people.Organisation": ("name", "phone"), "people.Person": ("name", "phone", "id_number"),
    "people.Household": ("name", "address"), "people.Member": ("relation",), "people.DatedFact": ("value", "source"),
    "people.Consent": ("source", "wording"), "people.ContactPreference": ("address",), "people.Account": ("username",),
    "people.AccessLog": ("reason",), "people.ImportDraft": ("file_name",), "people.SavedView": ("name",), "files.Upload": ("name",), "telemetry.Thing": ("name",),
    "notify.Robot": ("url", "secret"), "notify.Speaker": ("name", "settings", "secret"), "notify.Sound": ("said",), "cases.CaseFact": ("value",), "cases.Evidence": ("value",), "cases.Note": ("text",),
    "cases.Handover": ("note",), "requests.ServiceRequest": ("address", "description"), "requests.Report": ("description",),
    "activities.Activity": ("title", "about", "place", "reason"), "activities.SignUp": ("name", "phone"),
    "activities.Consent": ("guardian", "relation"), "activities.Matter": ("note",), "living_alone.Enrolment": ("hospital", "hospital_phone"),
    "drowning.Water": ("name", "owner", "note"), "drowning.Camera": ("name",), "drowning.Known": ("reason",), "drowning.Hazard": ("what", "unit", "done"),
    "drowning.Patrol": ("note",), "drowning.PartyItem": ("note",), "drowning.JointItem": ("title", "unit", "done"),
}
# Names of columns that hold codes, numbers, keys and hashes wherever they stand.
CODES = frozenset({
    "kind", "code", "state", "rank", "level", "role", "channel", "purpose", "language", "path", "object_kind", "subject_kind", "duty",
    "result", "step", "steps", "template", "key", "done_key", "params", "handled", "entry", "organiser_duty", "reason_code", "media_type",
    "sensitivity", "derivation", "sha256", "hash", "phone_hash", "id_number_hash", "address_hash", "action", "phase", "property", "unit", "detector", "definition", "version",
})
# The rest, each with its reason.
HARMLESS = {
    "living_alone.Enrolment.category": "a code, on pages for people.read only", "living_alone.Enrolment.ended_reason": "a code",
    "drowning.Zone.band": "a code", "drowning.Zone.polygon": "shares of a picture", "drowning.Sighting.who": "numbers of a device and of its object",
    "drowning.Sighting.band": "a code", "drowning.Sighting.verdict": "a code", "drowning.Label.what": "a code",
    "living_alone.Label.alert_kind": "a code", "living_alone.Label.label": "a code",
    "people.Person.initials": "three letters, which many share", "people.Account.password": "a hash",
    "people.Credential.subject": "the number of a device or the name of a system", "people.Credential.rights": "codes",
    "people.ImportDraft.head": "headings", "people.ImportDraft.good": "JSON; the draft is its account's alone",
    "people.ImportDraft.bad": "JSON; the draft is its account's alone", "people.SavedView.page": "a code", "people.SavedView.query": "codes and ids",
    "places.Area.name": "public", "places.Area.official_name": "public",
    "places.Area.spelling": "public", "places.Area.outline": "public", "places.AreaSetting.value": "a parameter",
    "telemetry.Thing.external_id": "the number of a device", "telemetry.Thing.thing_kind": "a code", "telemetry.IngestBatch.source": "a code",
    "telemetry.Quarantine.source": "a code", "telemetry.Quarantine.device": "the number of a device nobody knows, so without a place",
    "telemetry.Quarantine.reason": "a code", "telemetry.Quarantine.raw": "readings of a device nobody knows",
    "telemetry.DeviceEvent.source": "a code", "telemetry.DeviceEvent.dedupe_key": "a hash", "telemetry.DeviceEvent.object": "a code",
    "telemetry.DeviceEvent.rule": "a rule as the camera names it, on no page", "telemetry.DeviceEvent.zone": "a zone as the camera names it, on no page",
    "telemetry.DeviceEvent.object_id": "the camera's own number", "telemetry.DeviceEvent.box": "shares of a picture",
    "telemetry.DeviceEvent.polygon": "shares of a picture", "telemetry.DeviceEvent.snapshots": "ids", "notify.Message.reason": "a code",
    "notify.Message.provider_ref": "a provider's number", "notify.ChannelSetting.settings": "of the whole installation",
    "notify.TargetUse.target": "a hash", "notify.TargetUse.sent": "moments", "notify.Preference.steps": "codes", "notify.Speaker.reason": "a code", "notify.Sound.ladder": "a code", "notify.Sound.prompt": "a code", "notify.Sound.reason": "a code", "cases.Case.reason": "a code",
    "cases.CaseFact.name": "a code", "cases.Handover.kept": "ids", "alerts.Alert.reason": "a code", "alerts.Inhibited.reason": "a code",
    "requests.ServiceRequest.number": "a receipt's number", "requests.ServiceRequest.service_code": "a code", "requests.Report.answer": "a code",
    "requests.Allowance.budget": "a code", "requests.Allowance.who": "a hash", "watch.Watch.thing_kind": "a code",
    "watch.ReviewFinding.reason": "a code", "journal.ListenerCursor.name": "a listener", "journal.LeaseRow.name": "a kind of work",
    "journal.LeaseRow.owner": "a process", "journal.EventRow.payload": "ids and codes, by rule", "journal.Head.algorithm": "a code",
}


@dataclass
class Side:
    """One county and what the tests need to know of it."""

    tag: str
    path: str
    areas: dict[str, int]
    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)
    persons: dict[str, int] = field(default_factory=dict)
    link: str = ""
    device: str = ""
    integration: str = ""
    ids: dict[str, list[int]] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)


@dataclass
class World:
    """Both counties, and what is planted in each."""

    now: datetime
    east: Side
    west: Side
    canaries: dict[str, str]
    """Canary → "tag model.column": who may see it, and what it is."""
    nobodys: dict[str, list[int]] = field(default_factory=dict)
    """Rows that lie in no county, by table."""
    secret: frozenset[str] = frozenset()
    """Canaries that no page shows to anybody unless a reason was given: identity numbers and sensitive facts."""


def build() -> World:
    """Return the two counties, planted."""
    now = datetime.now(UTC)
    root = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
    publish_shipped(now=now)
    publish_requests(now=now)
    east, west = (_side(root, tag, number, now) for number, tag in enumerate(("东", "西"), 1))
    owners = _owners({east.path: east, west.path: west})
    _make("telemetry.Quarantine", source="http", device="M404", reason="UNKNOWN_DEVICE", raw="[]", rows=1, now=now)
    canaries = dict(_plant(owners))
    secret = frozenset(canary for canary, what in canaries.items() if what.split(" ")[1] in {"people.Person.id_number", "people.DatedFact.value"})
    nobodys = {
        model._meta.label: [pk for pk in model._base_manager.values_list("pk", flat=True)[:50] if pk not in owners[model._meta.label]]
        for model in rooms_models()
    }
    return World(now, east, west, canaries, {label: pks for label, pks in nobodys.items() if pks}, secret)


def _side(root: int, tag: str, number: int, now: datetime) -> Side:
    county = add_area(parent_id=root, name=f"{tag}县", now=now)
    township = add_area(parent_id=county, name=f"{tag}镇", now=now)
    village = add_area(parent_id=township, name=f"{tag}村", now=now)
    side = Side(tag, places.area(county).path, {"COUNTY": county, "TOWNSHIP": township, "VILLAGE": village})
    _officers(side, now)
    _home(side, number, now)
    _case(side, number, now)
    _request(side, number, now)
    _activity(side, number, now)
    _rest(side, now)
    return side


def _officers(side: Side, now: datetime) -> None:
    """Put a person with an account on every duty at every level: whoever may be given a duty there."""
    since = local(now).date() - timedelta(days=9)
    for role in ROLES:
        for level in LEVELS:
            (person,) = people.add_persons(SYSTEM, [NewPerson(f"{side.tag}{role}", side.areas[level])], now=now)
            people.assign_duties(SYSTEM, [NewDuty(person, role, side.areas[level], since)], now=now)
            account = people.add_account(SYSTEM, username=f"{side.tag}-{role}-{level}", person_id=person, now=now)
            side.accounts[role, level] = account
            side.persons[f"{role} {level}"] = person


def _home(side: Side, number: int, now: datetime) -> None:
    village = side.areas["VILLAGE"]
    office = people.add_organisation(SYSTEM, name="x", kind="OFFICE", area_id=village, phone="1")
    resident, relative = people.add_persons(SYSTEM, [NewPerson("住户甲", village, organisation_id=office), NewPerson("子女乙", village)], now=now)
    household = people.enrol_household(SYSTEM, name="x", address="x", area_id=village, residents=[resident], now=now)
    people.add_member(SYSTEM, household, person_id=relative, role="RELATIVE", relation="x", now=now)
    people.record_fact(SYSTEM, resident, kind="HEALTH", source="x", value="x", from_date=local(now).date(), now=now)
    people.give_consent(SYSTEM, resident, purpose="METER_WATCH", wording="x", source="x", now=now)
    people.set_contact(SYSTEM, relative, channel="webhook", address="x")
    path, meter = places.area(village).path, f"WM{number}"
    (thing,) = add_things([NewThing(meter, "WATER_METER", "x", (("register_l", "L"),), village, path, household)], now=now)
    enrol(household_id=household, datastream_id=thing.datastreams["register_l"], area_id=village, path=path, now=now)
    apps.get_model("living_alone", "Enrolment").objects.filter(household_id=household).update(hospital="x", hospital_phone="1")
    side.device = people.issue_credential("DEVICE", subject=meter, paths=[side.path], now=now)
    side.integration = people.issue_credential("INTEGRATION", subject=f"x{number}", paths=[side.path], now=now)
    side.persons |= {"resident": resident, "relative": relative}
    side.ids["datastream"] = [thing.datastreams["register_l"]]


def _case(side: Side, number: int, now: datetime) -> None:
    """Open two cases, the second accepted by the grid worker, with note, fact, evidence and photo."""
    (stream,) = side.ids["datastream"]
    params = {"used_l": 3.0, "window_h": 24, "limit_l": 10}
    for kind in ("WATER_LOW_USE", "WATER_HIGH_USE"):
        take_findings([FoundFinding(kind, "datastream", stream, number, "OPEN", 3, number, f"{kind}_OPEN", params)], now=now)
    worker = side.persons["GRID_WORKER VILLAGE"]
    first, second = Task.objects.filter(case__path__startswith=side.path).order_by("pk")
    accept(second.pk, person_id=worker, now=now)
    side.link = task_link(second.pk, worker)
    add_note(second.case_id, text="x", by=worker, now=now)
    photo = store(f"photo {side.tag}".encode(), limit_bytes=100, media_type="image/jpeg", now=now)
    for task in (first, second):
        CaseFact.objects.create(case_id=task.case_id, name="x", value='"x"', at=now, person_id=worker)
        Evidence.objects.create(case_id=task.case_id, task_id=task.pk, code="how", value="x", file_id=photo.id, person_id=worker, at=now)
    give_shift(
        area_id=side.areas["COUNTY"], path=side.path, duty="COUNTY_DUTY", by=side.persons["COUNTY_DUTY COUNTY"],
        to=side.persons["CIVIL_AFFAIRS COUNTY"], note="x", kept={"open": [first.case_id], "odd": []}, now=now,
    )
    side.ids["photo"] = [photo.id]


def _request(side: Side, number: int, now: datetime) -> None:
    scope = scope_of_account(side.accounts["TOWNSHIP_DUTY", "TOWNSHIP"], now)
    taken = take_call(scope, NewReport(
        "LIGHT", "TELEPHONE", side.areas["VILLAGE"], "x", f"scope-test-{number}", address="x", phone=f"1000001{number}001", name="来电丙",
    ), now=now)
    _make("requests.Photo", report_id=taken.report_id, file_id=side.ids["photo"][0], now=now)


def _activity(side: Side, number: int, now: datetime) -> None:
    scope = scope_of_account(side.accounts["TOWNSHIP_DUTY", "TOWNSHIP"], now)
    kind = kind_of("HELP_DAY")
    made = plan(scope, Plan(
        kind.code, "x", side.areas["TOWNSHIP"], "x", now + timedelta(minutes=30), now + timedelta(hours=3), kind.entries[0], windows=2,
        organiser_id=scope.person_id, about="x",
    ), key=f"scope-plan-{number}", now=now)
    move(scope, made, "OPEN", now=now)
    move(scope, made, "START", now=now)
    give_number(scope, made, key=f"scope-give-{number}", now=now)
    case_id = Task.objects.filter(case__path__startswith=side.path).order_by("pk").values_list("case_id", flat=True)[0]
    signed = _make("activities.SignUp", activity_id=made, state="SIGNED", key=f"scope-sign-{number}", now=now)
    _make("activities.Consent", sign_up_id=signed, now=now)
    _make("activities.Matter", activity_id=made, case_id=case_id, code="OTHER", handled="HANDED_ON", now=now)
    _make("activities.Photo", activity_id=made, file_id=side.ids["photo"][0], now=now)


def _rest(side: Side, now: datetime) -> None:
    account = side.accounts["ADMINISTRATOR", "COUNTY"]
    scope = scope_of_account(account, now)
    people.note_access(scope, action="REVEAL", object=("person", side.persons["resident"]), path=side.path, reason="x", now=now)
    people.plan_shift(
        SYSTEM, area_id=side.areas["COUNTY"], code="COUNTY_DUTY", person_id=side.persons["COUNTY_DUTY COUNTY"], deputy_id=None,
        start_at=now, until_at=now + timedelta(hours=8), now=now,
    )
    day = now.date()
    people.note_leave(SYSTEM, side.persons["COUNTY_DUTY COUNTY"], from_date=day + timedelta(99), until_date=day + timedelta(100), now=now)
    Robot.objects.create(channel="wecom", area_id=side.areas["COUNTY"], url="x", secret="x")
    speaker = _make("notify.Speaker", code=f"SP-{side.tag}", kind="isapi", area_id=side.areas["COUNTY"], path=side.path, now=now)
    _make("notify.Sound", speaker_id=speaker, prompt="WATER_EDGE", key=f"scope-{side.tag}", due_at=now, not_after=now + timedelta(seconds=5), now=now)
    purposes = sorted({"people.import", "places.import", "telemetry.import", "living_alone.import", "requests.import"})
    file = store(f"list {side.tag}".encode(), limit_bytes=100, now=now)
    for purpose in purposes:
        Upload.objects.create(account_id=account.pk, purpose=purpose[:24], name="x", file_id=file.id, made_at_us=int(now.timestamp() * 1e6))
    _water(side, file.id, now)
    _make("living_alone.Trial", area_id=side.areas["COUNTY"], path=side.path, now=now)
    people.save_view(scope, page="desk", name="x", query="kind=living_alone", now=now)
    people.keep_draft(scope, name="x", head=["姓名"], good=[], bad=[], now=now)


def _water(side: Side, file_id: int, now: datetime) -> None:
    village = side.areas["VILLAGE"]
    path = places.area(village).path
    water = _make("drowning.Water", area_id=village, path=path, kind="POND", active=True, now=now)
    thing = _make("telemetry.Thing", external_id=f"CAM {side.tag}", kind="CAMERA", area_id=village, path=path, partition=0, now=now)
    event = _make(
        "telemetry.DeviceEvent", thing_id=thing, kind="ENTER", state="START", object="HUMAN", dedupe_key=side.tag, is_clock_wrong=False,
        snapshots=[file_id], now=now,
    )
    camera = _make("drowning.Camera", thing_id=thing, water_id=water, picture_event_id=event, now=now)
    _make("drowning.Zone", camera_id=camera, band="SHORE", polygon=[[0, 0], [1, 0], [1, 1]], now=now)
    _make("drowning.Known", water_id=water, persons=1, until=now + timedelta(hours=1), now=now)
    _make("drowning.Sighting", event_id=event, camera_id=camera, water_id=water, path=path, verdict="ALARM", kind="WATER_EDGE", now=now)
    _make("drowning.Label", case_id=event, camera_id=camera, water_id=water, path=path, result="LEFT", now=now)
    _make("drowning.Hazard", water_id=water, path=path, kind="FENCE", state="OPEN", until=now.date(), now=now)
    _make("drowning.Patrol", water_id=water, path=path, now=now)
    _make("drowning.PartyItem", area_id=village, path=path, code="LESSON", due=now.date(), now=now)
    _make("drowning.JointItem", area_id=village, path=path, key=f"scope-{side.tag}", until=now.date(), state="OPEN", now=now)


def _make(label: str, *, now: datetime, **known: Any) -> int:
    """Add a row with what is `known`, moments now and words "x", where no action makes one so simply; return its id."""
    model = apps.get_model(label)
    values = dict(known)
    for each in model._meta.concrete_fields:
        if each.primary_key or each.null or each.has_default() or each.attname in values or each.name in values:
            continue
        values[each.attname] = now if isinstance(each, MomentField) else "x" if isinstance(each, models.CharField | models.TextField) else 1
    return int(model._base_manager.create(**values).pk)


# Planting

Owner = Mapping[str, Mapping[int, Side]]
# What a number in a column refers to, where it is no foreign key.
REFERS = {
    "case_id": "cases.Case", "task_id": "cases.Task", "person_id": "people.Person", "account_id": "people.Account",
    "actor_id": "people.Person", "area_id": "places.Area", "given_by": "people.Person", "assignee_id": "people.Person",
    "water_id": "drowning.Water",
}


def rooms_models() -> list[type[models.Model]]:
    """Return the models of the rooms."""
    return [model for model in apps.get_models() if model.__module__.startswith("shouwang.")]


def _owners(sides: Mapping[str, Side]) -> dict[str, dict[Any, Side]]:
    """Return to which county each row of each table belongs: by its path, else by what it refers to."""
    found: dict[str, dict[Any, Side]] = {model._meta.label: {} for model in rooms_models()}
    before = -1
    while before != (before := sum(map(len, found.values()))):
        for model in rooms_models():
            for row in model._base_manager.all():
                side = _owner(row, sides, found)
                if side is not None and row.pk not in found[model._meta.label]:
                    found[model._meta.label][row.pk] = side
                    side.ids.setdefault(model._meta.label, []).append(row.pk)
    return found


def _owner(row: models.Model, sides: Mapping[str, Side], found: Owner) -> Side | None:
    path = getattr(row, "path", "") or next(iter(getattr(row, "paths", ())), "")
    for begin, side in sides.items():
        if path and path.startswith(begin):
            return side
    for each in row._meta.concrete_fields:
        label = each.related_model._meta.label if each.related_model else REFERS.get(each.attname)
        owner = found.get(str(label), {}).get(getattr(row, each.attname)) if label else None
        if owner is not None:
            return owner
    return None


def _plant(owners: Mapping[str, Mapping[Any, Side]]) -> Iterator[tuple[str, str]]:
    number = 0
    for label, columns in PLANTED.items():
        model = apps.get_model(label)
        for pk, side in owners[label].items():
            for column in columns:
                number += 1
                canary = _canary(side.tag, column, number)
                limit = model._meta.get_field(column).max_length
                assert limit is None or len(canary) <= limit, (label, column)
                value = f'{{"url": "{canary}"}}' if label == "notify.Speaker" and column == "settings" else canary  # its page reads it
                model._base_manager.filter(pk=pk).update(**{column: value})
                yield canary, f"{side.tag} {label}.{column}"


def _canary(tag: str, column: str, number: int) -> str:
    digit = DIGITS[tag]
    if column.endswith("phone"):
        return f"1{digit}0{secrets.randbelow(10**4):04d}{number:04d}"
    if column == "id_number":
        return f"3715{digit}{secrets.randbelow(10**6):06d}{number:06d}X"
    return f"{tag}雀{number:04d}鸣"


def masked(tag: str) -> tuple[str, str]:
    """Return how every masked name and telephone number of a county begins: a row that shows is a leak, masked or not."""
    return f"{tag}*", f"1{DIGITS[tag]}0*"


def canaries_of(tag: str, world: World) -> Iterator[str]:
    """Yield what is planted in one county."""
    for canary, what in world.canaries.items():
        if what.startswith(tag):
            yield canary


def scope_of(account: Account, now: datetime) -> Scope:
    """Return what an account may do."""
    return scope_of_account(account, now)


def alerts_of(side: Side) -> list[int]:
    """Return the ids of the alerts of a county."""
    return list(Alert.objects.filter(path__startswith=side.path).values_list("pk", flat=True))
