"""The list of enrolled homes, one home, and enrolling one; a grid worker sees them in the phone's frame."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, Refused, ShouwangError
from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.notify.rules import phrase
from shouwang.people.actions import find_area, note_access
from shouwang.people.guard import needs, scope_of
from shouwang.people.rules import ROLES, Scope
from shouwang.people.rules.lines import digits, is_phone
from shouwang.systems.living_alone import actions, queries
from shouwang.systems.living_alone.pages.forms import BAD_PHONE, HomeForm
from shouwang.systems.living_alone.queries import HomeRow, lives
from shouwang.systems.living_alone.queries.checks import OpenCase
from shouwang.systems.living_alone.queries.gateways import gateway_of
from shouwang.systems.living_alone.rules.absence import LONGEST_DAYS, until_of
from shouwang.systems.living_alone.rules.endings import ENDINGS
from shouwang.systems.living_alone.rules.kinds import KINDS
from shouwang.systems.living_alone.rules.labels import LABELS
from shouwang.systems.living_alone.rules.learning import known_by
from shouwang.systems.living_alone.rules.lines import CATEGORIES, PROBLEMS, UPLOADS
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, Marked, list_response
from shouwang.ui.reader import reader
from shouwang.ui.rules import local_path
from shouwang.watch.queries import learning_of

READ = "people.read"
EDIT = "people.edit"
SPEAK = ("case.handle", "case.dispatch", "people.edit")
CHECK = Text("有未办结的事件", "A case is open")
STATES = {
    "HOME": Text("没有登记外出", "Not announced away"), "AWAY": Text("已登记外出", "Announced away"), "SILENT": Text("水表无读数", "Meter silent"),
    "ENDED": Text("已停止关注", "No longer watched"),
}
DAY_STATES = {
    "USUAL": Text("往常", "Usual"), "LESS": Text("不到往常一半", "Under half"), "MORE": Text("往常两倍以上", "Over twice"),
    "NONE": Text("没有用水", "No water"), "UNKNOWN": Text("读数不足", "Not known"),
}
WEEKDAYS = tuple(map(Text, "一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")))
ENROLLED = Text("已登记。", "Enrolled.")
CHANGED = Text("这户已登记过，已更新。", "This home was enrolled already; it was updated.")
AWAY = Text("已登记外出至 {until}，期间不报用水过少。", "Noted: away until {until}; low use raises no alert until then.")
BACK = Text("已登记在家。", "Noted: at home.")
SAVED = Text("已保存。", "Saved.")
ENDED = Text("已停止关注这户；重新登记即可恢复。", "This home is no longer watched; enrol it again to go on.")


def _state_of(row: HomeRow) -> Marked | Text:
    """Return what is open about a home: its number and since when; where nothing is, the home's state."""
    case = row.open_case
    if case is None:
        return STATES[row.state]
    since, more = f"{local(case.opened_at):%m-%d %H:%M}", f" +{case.more}" if case.more else ""
    return Marked(Severity(case.severity), Text(case.number, case.number), f"/cases/{case.id}/", Text(f"自 {since}{more}", f"since {since}{more}"))


LIST: ListSpec[HomeRow] = ListSpec(
    title=Text("独居关爱", "Living alone"),
    columns=(
        Column("residents", Text("住户", "Resident"), lambda row: row.residents),
        Column("area", Text("地区", "Area"), lambda row: row.area, sortable=True),
        Column("address", Text("住址", "Address"), lambda row: row.address),
        Column("state", Text("状态", "State"), _state_of),
        Column("away", Text("外出至", "Away until"), lambda row: row.away_until if row.state == "AWAY" else None, sortable=True),
        Column("meter", Text("水表", "Meter"), lambda row: row.meter),
        Column("last_at", Text("最近读数", "Last reading"), lambda row: row.last_at),
        Column("enrolled_at", Text("登记时间", "Enrolled"), lambda row: row.enrolled_at, sortable=True),
    ),
    filters=(Filter("state", Text("状态", "State"), [Choice(code, title) for code, title in {queries.CHECK: CHECK, **STATES}.items()]),),
    sort="area",
    link=lambda row: f"/living-alone/{row.household_id}/",
    searched=Text("姓名、拼音首字母、住址、表号或完整电话", "Name, pinyin initials, address, meter or whole phone"),
)


def why_of(case: OpenCase | None, language: str) -> str:
    """Return in one sentence why a case was opened."""
    return str(phrase(case.reason, language, case.params)) if case else ""


def frame_of(scope: Scope) -> dict[str, object]:
    """Return the frame of this system's pages: the desk's, or the phone's for those who only go and look."""
    at_desk = bool(scope.rights & {"case.dispatch", "settings.edit", "people.edit"})
    return {"frame": "ui/base.html" if at_desk else "ui/phone.html", "at_desk": at_desk, "can_edit": EDIT in scope.rights}


@never_cache
@require_GET
@needs(READ)
def homes(request: HttpRequest) -> HttpResponse:
    """List the enrolled homes in the reader's scope, masked; an export is written into the access log."""
    scope, now = scope_of(request), clock().now()

    def fetch(query: ListQuery) -> tuple[Sequence[HomeRow], int]:
        return queries.list_homes(
            scope, now=now, text=query.text, state=query.chosen.get("state", ""), sort=query.sort, offset=query.offset,
            limit=query.limit,
        )

    if request.GET.get("format") in {"xlsx", "print"}:
        note_access(scope, action="EXPORT", object=("household", None), now=now)
    return list_response(request, spec=LIST, fetch=fetch, template="living_alone/homes.html", context=frame_of(scope))


@never_cache
@require_GET
@needs(READ)
def home(request: HttpRequest, household_id: int) -> HttpResponse:
    """Show one home: where, which meter, whom to call, and whether it is away."""
    return render(request, "living_alone/home.html", _context(request, household_id))


@require_http_methods(["GET", "POST"])
@needs(EDIT)
def enrol(request: HttpRequest) -> HttpResponse:
    """Enrol a home with its meter; one that is enrolled already is changed."""
    language, scope = reader(request).language, scope_of(request)
    form = HomeForm(request.POST or None, language=language)
    if request.method == "POST" and form.is_valid():
        found = find_area(scope, form.cleaned_data["area"])
        if found.area_id is None:
            problem = PROBLEMS["AREA_AMBIGUOUS" if found.count > 1 else "AREA_UNKNOWN"]
            form.add_error("area", problem.render(language, {"found": form.cleaned_data["area"]}))
        else:
            try:
                done = actions.enrol_home(scope, form.home(found.area_id), source="form", now=clock().now())
            except ShouwangError as error:
                form.add_error("meter", error.text(language))
            else:
                messages.success(request, (ENROLLED if done.is_new else CHANGED).render(language, {}))
                return HttpResponseRedirect(reverse("living_alone:home", args=[done.household_id]))
    return render(request, "living_alone/enrol.html", {"form": form, **frame_of(scope)}, status=422 if form.errors else 200)


@require_POST
@needs(*SPEAK)
def absence(request: HttpRequest, household_id: int) -> HttpResponse:
    """Note in one tap that a home is empty tonight, until a day, or no longer."""
    scope, now = scope_of(request), clock().now()
    row = queries.enrolment_in(scope, household_id)
    if not any(scope.may(right, row.path) for right in SPEAK):
        raise Refused(right=SPEAK[0])
    language = reader(request).language
    try:
        until = until_of(request.POST, now=now)
        actions.announce_absence(household_id, until=until, by=scope.person_id, now=now)
    except ShouwangError as error:
        messages.error(request, error.text(language))
    else:
        said = BACK if until is None else AWAY
        messages.success(request, said.render(language, {"until": f"{local(until):%Y-%m-%d %H:%M}" if until else ""}))
    goal = request.POST.get("next") or reverse("living_alone:home", args=[household_id])
    return HttpResponseRedirect(local_path(goal))


@require_POST
@needs(EDIT)
def change(request: HttpRequest, household_id: int, what: str) -> HttpResponse:
    """Set the home's own hospital or how often its meter sends, or stop watching it."""
    scope, language = scope_of(request), reader(request).language
    row = queries.enrolment_in(scope, household_id)
    scope.require(EDIT, row.path)
    if what == "hospital":
        phone = digits(request.POST.get("phone", ""))
        if phone and not is_phone(phone):
            messages.error(request, BAD_PHONE.render(language, {}))
        else:
            actions.set_hospital(household_id, name=request.POST.get("name", "").strip()[:80], phone=phone)
            messages.success(request, SAVED.render(language, {}))
    elif what == "upload":
        actions.set_upload(household_id, hours=request.POST.get("hours", ""))
        messages.success(request, SAVED.render(language, {}))
    elif what == "end":
        actions.end_watching(household_id, reason=request.POST.get("reason", ""), by=scope.person_id, now=clock().now())
        messages.success(request, ENDED.render(language, {}))
    else:
        raise NotFound(what=what)
    return HttpResponseRedirect(reverse("living_alone:home", args=[household_id]))


def _context(request: HttpRequest, household_id: int) -> dict[str, object]:
    scope, now = scope_of(request), clock().now()
    shown = queries.home_page(scope, household_id, now=now, language=reader(request).language)
    path = shown.enrolment.path
    life = lives.life_of(household_id, shown.enrolment.datastream_id, now=now, language=reader(request).language)
    titles = {kind.code: Text(kind.title_zh, kind.title_en) for kind in KINDS}
    return {
        "life": life, "day_states": DAY_STATES, "weekdays": WEEKDAYS,
        "weeks": [[(day, DAY_STATES[day.state], LABELS.get(day.label)) if day else (None, None, None) for day in week] for week in life.weeks],
        "labels": [(row, titles.get(row.alert_kind, ""), LABELS[row.label]) for row in life.labels],
        "home": shown, "why": why_of(shown.open_case, reader(request).language), "away": shown.enrolment.is_away(now), "roles": ROLES,
        "members": [(ROLES[member.role], member.relation, card) for member, card in shown.members],
        "may_speak": any(scope.may(right, path) for right in SPEAK), "may_edit": scope.may(EDIT, path),
        "endings": list(ENDINGS.items()), "ended_reason": ENDINGS.get(shown.enrolment.ended_reason),
        "upload": UPLOADS.get(shown.enrolment.upload_h), "upload_learnt": UPLOADS.get(shown.enrolment.upload_learnt_h or 0), "holiday": queries.holiday_of(household_id, now=now),
        "habits": _habits(shown.enrolment.datastream_id, now=now, language=reader(request).language),
        "gateway": gateway_of(household_id), "category": CATEGORIES.get(shown.enrolment.category),
        "first_day": (local(now) + timedelta(days=1)).date(), "last_day": (local(now) + timedelta(days=LONGEST_DAYS)).date(),
        **frame_of(scope),
    }


def _habits(datastream_id: int, *, now: datetime, language: str) -> str:
    """Return in words how well the watch knows a home; nothing where that was never asked."""
    row = learning_of(datastream_id)
    if row is None:
        return ""
    said, days = known_by(row.first_at, is_learnt=row.is_learnt, is_taken=row.is_taken, now=now)
    return said.render(language, {"days": days})
