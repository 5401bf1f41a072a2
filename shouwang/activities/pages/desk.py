"""The list, the calendar, one activity, and planning one; a grid worker sees them in the phone's frame."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.activities import actions, queries
from shouwang.activities.actions.matters import HANDLED
from shouwang.activities.models import Activity
from shouwang.activities.pages.forms import DUTY, MOMENT_FORMAT, PERSON, CopyForm, PlanForm
from shouwang.activities.pages.parts import frame_of, new_key, number_in, qr_of, told
from shouwang.activities.queries import MANAGE, READ, ActivityRow, Filters, kind_of, kinds
from shouwang.activities.rules.errors import ActivityError
from shouwang.activities.rules.kinds import Kind
from shouwang.activities.rules.money import fen_of, yuan_of
from shouwang.activities.rules.months import month_before, month_of, next_month, weeks_of
from shouwang.activities.rules.plans import ENTRIES
from shouwang.activities.rules.procedures import HANDED_ON
from shouwang.activities.rules.states import MOVES, REASONS, STATES
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text
from shouwang.people.actions import find_area
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import holders, person_cards
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import DUTIES
from shouwang.places.queries import full_names
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

WHEN = {"TODAY": Text("今天", "Today"), "COMING": Text("未结束", "To come"), "PAST": Text("已过去", "Past")}
AREA_UNKNOWN = Text("没有找到这个地区，或不止一处；请写全称或区划代码。", "This area was not found, or there are several; write the full name or its code.")
SAVED = Text("已保存。", "Saved.")
HALF_DAY = timedelta(hours=2, minutes=30)
DONE = {
    "open": Text("已发布，公开页可以打开了。", "Open: the public page can be seen now."), "start": Text("活动开始。", "The activity is running."),
    "end": Text("活动已结束，请核对人数和费用。", "Ended; please check the count and the cost."), "cancel": Text("活动已取消。", "Cancelled."),
    "reopen": Text("已重新打开。", "Reopened."),
}
DETAILS = (
    Column[ActivityRow]("numbers", Text("叫号", "Numbers"), lambda row: row.numbers_done, numeric=True),
    Column[ActivityRow]("matters", Text("事项", "Matters"), lambda row: row.matters, numeric=True),
    Column[ActivityRow]("here", Text("当场办结", "On the spot"), lambda row: row.matters_here, numeric=True),
    Column[ActivityRow]("people", Text("人次", "People"), lambda row: row.people, numeric=True),
    Column[ActivityRow]("cost", Text("费用（元）", "Cost (yuan)"), lambda row: None if row.cost_fen is None else yuan_of(row.cost_fen), numeric=True),
    Column[ActivityRow]("mean", Text("评价", "Evaluation"), lambda row: None if row.evaluation.mean is None else f"{row.evaluation.mean:.1f}", numeric=True),
)
LIST: ListSpec[ActivityRow] = ListSpec(
    title=Text("活动", "Activities"),
    columns=(
        Column("title", Text("名称", "Title"), lambda row: row.title, sortable=True),
        Column("kind", Text("类型", "Kind"), lambda row: row.kind.title),
        Column("starts_at", Text("开始", "From"), lambda row: row.starts_at, sortable=True),
        Column("area", Text("地区", "Area"), lambda row: row.area),
        Column("place", Text("地点", "Place"), lambda row: row.place, sortable=True),
        Column("state", Text("状态", "State"), lambda row: row.state),
        *DETAILS,
    ),
    filters=(
        Filter("kind", Text("类型", "Kind"), [Choice(kind.code, kind.title) for kind in kinds()]),
        Filter("state", Text("状态", "State"), [Choice(code, title) for code, title in STATES.items()]),
        Filter("when", Text("时间", "When"), [Choice(code, title) for code, title in WHEN.items()]),
    ),
    sort="-starts_at",
    link=lambda row: f"/activities/{row.id}/",
    searched=Text("名称、地点或地区", "Title, place or area"),
)


@require_GET
@needs(READ)
def activities(request: HttpRequest) -> HttpResponse:
    """List the activities in the reader's scope, with filters in the address, as page, XLSX or print."""
    scope, now = scope_of(request), clock().now()

    def fetch(query: ListQuery) -> tuple[Sequence[ActivityRow], int]:
        filters = Filters(query.text, query.chosen.get("kind", ""), query.chosen.get("state", ""), query.chosen.get("when", ""))
        return queries.list_activities(scope, filters, now=now, sort=query.sort, offset=query.offset, limit=query.limit)

    return list_response(request, spec=LIST, fetch=fetch, template="activities/list.html", context=frame_of(scope))


@require_GET
@needs(READ)
def calendar(request: HttpRequest) -> HttpResponse:
    """Show a month of activities, day by day."""
    scope, today = scope_of(request), local(clock().now()).date()
    month = month_of(request.GET.get("month", ""), today=today)
    found = queries.in_month(scope, month)
    weeks = [[(day, found.get(day, []), day.month == month.month) for day in week] for week in weeks_of(month)]
    return render(request, "activities/calendar.html", {
        "month": month, "weeks": weeks, "today": today, "before": month_before(month), "after": next_month(month),
        "number": len({row.id for rows in found.values() for row in rows}), **frame_of(scope),
    })


@never_cache
@require_GET
@needs(READ)
def activity(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Show one activity: what is planned, what was done, and what may be done next."""
    return render(request, "activities/activity.html", context_of(request, activity_id))


def context_of(request: HttpRequest, activity_id: int) -> dict[str, Any]:
    """Return what the page of an activity shows."""
    scope, language = scope_of(request), reader(request).language
    page = queries.activity_page(scope, activity_id, language=language)
    row = page.row
    pages = [("", Text("公开页与报名", "Public page and sign-up"))]
    pages += [("number/", Text("取号", "Take a number")), ("board/", Text("叫号屏", "Board"))] if "QUEUE" in row.kind.uses else []
    pages += [("rate/", Text("评价", "Rate it"))] if "EVALUATION" in row.kind.uses else []
    return {
        "page": page, "row": row, "uses": row.kind.uses, "entry": ENTRIES[row.entry], "windows": range(1, row.windows + 1),
        "moves": [(move, MOVES[move]) for move in page.moves if move != "CANCEL"], "may_cancel": "CANCEL" in page.moves,
        "reasons": REASONS.items(), "matter_kinds": queries.matters_of(row.kind), "handled": HANDLED, "handed_on": HANDED_ON,
        "cost": None if row.cost_fen is None else yuan_of(row.cost_fen), "key": new_key(),
        "links": [(title, *qr_of(row.code, each)) for each, title in pages], "sees_people": scope.may("people.read", row.path), **frame_of(scope),
    }


@require_http_methods(["GET", "POST"])
@needs(*MANAGE)
def new(request: HttpRequest) -> HttpResponse:
    """Plan an activity: first its kind, then the rest."""
    scope, language = scope_of(request), reader(request).language
    asked = request.POST if request.method == "POST" else request.GET
    if not asked.get("kind"):
        return render(request, "activities/kinds.html", {"kinds": kinds(), **frame_of(scope)})
    kind = kind_of(asked["kind"])
    organisers = _organisers(scope, None, language=language)
    data = request.POST if request.method == "POST" else None
    initial = {**_offered(scope), "title": kind.title.render(language, {}), "entry": kind.entries[0], "organiser": organisers[0][0]}
    form = PlanForm(data, kind=kind, organisers=organisers, language=language, initial=initial)
    if form.is_valid():
        area_id = _area(scope, form)
        if area_id is not None:
            try:
                made = actions.plan(scope, form.plan(kind.code, area_id), key=form.cleaned_data["key"], now=clock().now())
                return HttpResponseRedirect(reverse("activities:activity", args=[made]))
            except ActivityError as error:
                form.add_error(None, error.text(language))
    return _plan_page(request, form, kind)


def _offered(scope: Scope) -> dict[str, Any]:
    """Return what a new plan begins with: the reader's own area, and tomorrow morning."""
    path = next((path for right in MANAGE for path in scope.paths_for(right)), "")
    own = full_names([int(path.rstrip("/").rpartition("/")[2])]) if path.strip("/") else {}
    morning = local(clock().now()).replace(hour=9, minute=0) + timedelta(days=1)
    return {
        "area": next(iter(own.values()), ""), "starts_at": f"{morning:{MOMENT_FORMAT}}", "ends_at": f"{morning + HALF_DAY:{MOMENT_FORMAT}}",
        "windows": 1, "key": new_key(),
    }


@require_http_methods(["GET", "POST"])
@needs(*MANAGE)
def edit(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Change what is planned."""
    scope, language = scope_of(request), reader(request).language
    row = queries.activity_in(scope, activity_id)
    kind = kind_of(row.kind)
    data = request.POST if request.method == "POST" else None
    form = PlanForm(data, kind=kind, organisers=_organisers(scope, row, language=language), language=language, initial=_as_planned(row))
    if form.is_valid():
        area_id = _area(scope, form)
        if area_id is not None and _changed(request, form, row, area_id):
            return HttpResponseRedirect(reverse("activities:activity", args=[activity_id]))
    return _plan_page(request, form, kind, activity_id)


def _changed(request: HttpRequest, form: PlanForm, row: Activity, area_id: int) -> bool:
    try:
        actions.change(scope_of(request), row.pk, form.plan(row.kind, area_id), now=clock().now())
    except ActivityError as error:
        form.add_error(None, error.text(form.spoken))
        return False
    return True


def _plan_page(request: HttpRequest, form: PlanForm, kind: Kind, activity_id: int | None = None) -> HttpResponse:
    context = {"form": form, "kind": kind, "activity_id": activity_id, **frame_of(scope_of(request))}
    return render(request, "activities/plan.html", context, status=422 if form.errors else 200)


def _area(scope: Scope, form: PlanForm) -> int | None:
    """Return the one area a form names where the reader may plan; else say so in the form."""
    text = form.cleaned_data["area"]
    for right in MANAGE:
        found = find_area(scope, text, right).area_id
        if found is not None:
            return found
    form.add_error("area", form.say(AREA_UNKNOWN))
    return None


def _organisers(scope: Scope, row: Activity | None, *, language: str) -> list[tuple[str, str]]:
    """Return who may be chosen: oneself, whoever has it, the holders of duties at the activity's own area, and the duties."""
    today = local(clock().now()).date()
    names = dict.fromkeys(each for each in (scope.person_id, row.organiser_id if row else None) if each)
    if row is not None:
        for code in DUTIES:
            names |= dict.fromkeys(person for person, _ in holders(scope, row.area_id, code, on=today, language=language))
    cards = person_cards(names, language=language)
    persons = [(f"{PERSON}{person}", " · ".join(part for part in (cards[person].name, cards[person].duty) if part)) for person in names if person in cards]
    return [*persons, *((f"{DUTY}{code}", title.render(language, {})) for code, title in DUTIES.items())]


def _as_planned(row: Activity) -> dict[str, Any]:
    return {
        "title": row.title, "area": queries.rows_of([row])[0].area, "place": row.place, "starts_at": f"{local(row.starts_at):{MOMENT_FORMAT}}",
        "ends_at": f"{local(row.ends_at):{MOMENT_FORMAT}}", "entry": row.entry, "capacity": row.capacity, "windows": row.windows,
        "organiser": f"{PERSON}{row.organiser_id}" if row.organiser_id else f"{DUTY}{row.organiser_duty}", "about": row.about, "key": row.key,
    }


@require_http_methods(["GET", "POST"])
@needs(*MANAGE)
def copy(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Plan the same on another day."""
    scope, language = scope_of(request), reader(request).language
    row = queries.activity_in(scope, activity_id)
    form = CopyForm(request.POST if request.method == "POST" else None, language=language)
    form.initial = {"key": new_key()}
    if form.is_valid():
        try:
            made = actions.copy_to(scope, activity_id, day=form.cleaned_data["day"], key=form.cleaned_data["key"], now=clock().now())
            return HttpResponseRedirect(reverse("activities:activity", args=[made]))
        except ActivityError as error:
            form.add_error("day", error.text(language))
    context = {"form": form, "row": row, **frame_of(scope)}
    return render(request, "activities/copy.html", context, status=422 if form.errors else 200)


@require_POST
@needs(*MANAGE)
def move(request: HttpRequest, activity_id: int, what: str) -> HttpResponse:
    """Open, start, end, cancel or reopen an activity."""
    scope, post = scope_of(request), request.POST
    if what not in DONE:
        raise NotFound(what=what[:20])
    told(request, lambda: actions.move(
        scope, activity_id, what.upper(), reason_code=post.get("reason_code", ""), reason=post.get("reason", ""), now=clock().now(),  # type: ignore[arg-type]
    ), done=DONE[what])
    return _back(activity_id)


@require_POST
@needs(*MANAGE)
def count(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Count some more who came, or set how many there were."""
    scope, post = scope_of(request), request.POST
    key, total = post.get("idempotency_key", ""), number_in(post.get("total", ""))
    if post.get("do") == "set" and total is not None:
        told(request, lambda: actions.correct_attendance(scope, activity_id, total=total, key=key, now=clock().now()))
    else:
        change = {"+1": 1, "+5": 5, "+10": 10, "-1": -1}.get(post.get("do", ""), 0)
        told(request, lambda: actions.count_attendance(scope, activity_id, change=change, key=key, now=clock().now()))
    return _back(activity_id, "attendance")


@require_POST
@needs(*MANAGE)
def cost(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Note what an activity cost, given in yuan."""
    scope = scope_of(request)
    told(request, lambda: actions.note_cost(scope, activity_id, fen=fen_of(request.POST.get("yuan", "")), now=clock().now()), done=SAVED)
    return _back(activity_id, "cost")


def _back(activity_id: int, part: str = "") -> HttpResponse:
    return HttpResponseRedirect(reverse("activities:activity", args=[activity_id]) + (f"#{part}" if part else ""))
