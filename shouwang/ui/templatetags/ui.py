"""Words, moments and severities in templates. Loaded everywhere: no `{% load %}` is needed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, cast

from django import template
from django.forms import BoundField
from django.http import HttpRequest
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.ui import navigation as ways
from shouwang.ui import reader as readers
from shouwang.ui.lists import Marked
from shouwang.ui.rules import Reader, time_ago, time_left

register = template.Library()

DASH = "—"
SOON = timedelta(minutes=10)
NAMES = {
    Severity.BLUE: Text("蓝色", "Blue"),
    Severity.YELLOW: Text("黄色", "Yellow"),
    Severity.ORANGE: Text("橙色", "Orange"),
    Severity.RED: Text("红色", "Red"),
}


@register.simple_tag(takes_context=True)
def reader(context: Context) -> Reader:
    """Return the reader of the page: `{% reader as who %}`."""
    return readers.reader(cast("HttpRequest | None", context.get("request")))


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> list[ways.Link]:
    """Return the ways open to the reader of the page: `{% navigation as ways %}`."""
    return ways.links(cast("HttpRequest | None", context.get("request")))


@register.simple_tag(takes_context=True)
def search_href(context: Context) -> str:
    """Return where the reader of the page searches, or nothing: `{% search_href as search %}`."""
    return ways.search_href(cast("HttpRequest | None", context.get("request")))


@register.simple_tag(takes_context=True)
def t(context: Context, zh: str, en: str, **params: object) -> str:
    """Return the sentence in the reader's language: `{% t "剩 {n} 条" "{n} left" n=3 %}`."""
    return Text(zh, en).render(_language(context), params) if params else _choose(context, zh, en)


@register.simple_tag(takes_context=True)
def say(context: Context, text: object) -> str:
    """Return a Text in the reader's language; anything else as it is, nothing as a dash."""
    if isinstance(text, Text):
        return text.render(_language(context), {})
    return DASH if text is None or text == "" else str(text)


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime | None, form: str = "") -> str:
    """Return a moment on the local wall clock as a `<time>`: the hour today, else with the day; `form` full|day|hour fixes it."""
    if at is None:
        return DASH
    here, today = local(at), local(readers.moment_of(_flat(context)))
    if not form:
        form = "hour" if here.date() == today.date() else "day_hour" if here.year == today.year else "full"
    pattern = {"full": "%Y-%m-%d %H:%M", "day_hour": "%m-%d %H:%M", "day": "%Y-%m-%d", "hour": "%H:%M"}[form]
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', here.isoformat(), f"{here:%Y-%m-%d %H:%M:%S}", f"{here:{pattern}}"
    )


@register.simple_tag
def day(on: date | None) -> str:
    """Return a day as a `<time>`."""
    return DASH if on is None else format_html('<time datetime="{}">{}</time>', on.isoformat(), on.isoformat())


@register.simple_tag(takes_context=True)
def ago(context: Context, at: datetime | None) -> str:
    """Return how long ago a moment was, as a `<time>` the browser keeps current."""
    if at is None:
        return DASH
    spoken = time_ago(readers.moment_of(_flat(context)) - at, _language(context))
    return format_html(
        '<time class="ago" datetime="{}" data-since="{}" title="{}">{}</time>',
        at.isoformat(),
        at.isoformat(),
        _full(at),
        spoken,
    )


@register.simple_tag(takes_context=True)
def left(context: Context, due_at: datetime | None) -> str:
    """Return the time left until a deadline, as a `<time>` that ticks: 剩 12 分, or 超时 5 分 in red."""
    if due_at is None:
        return DASH
    away = due_at - readers.moment_of(_flat(context))
    kind = "left late" if away <= timedelta(0) else "left soon" if away <= SOON else "left"
    return format_html(
        '<time class="{}" datetime="{}" data-due="{}" title="{}">{}</time>',
        kind,
        due_at.isoformat(),
        due_at.isoformat(),
        _full(due_at),
        time_left(away, _language(context)),
    )


@register.simple_tag(takes_context=True)
def severity(context: Context, value: Severity | int | str | None, form: str = "badge") -> SafeString | str:
    """Return a severity as colour and character; `form` is badge, or label for colour, character and word."""
    if value is None or value == "":
        return DASH
    level = Severity[value.upper()] if isinstance(value, str) and not value.isdigit() else Severity(int(value))
    name = NAMES[level].render(_language(context), {})
    if form == "label":
        return format_html(
            '<span class="severity {} label">{}</span>', level.css, name if _language(context) == "zh" else f"{level.zh} {name}"
        )
    return format_html(
        '<span class="severity {}" title="{}"><span aria-hidden="true">{}</span><span class="unseen">{}</span></span>',
        level.css,
        name,
        level.zh,
        name,
    )


@register.simple_tag(takes_context=True)
def cell(context: Context, value: object) -> str:
    """Return a list cell: severity, what is marked by one, moment and day in their own form, anything else as words."""
    if isinstance(value, Marked):
        words = say(context, value.words)
        told = format_html('<a class="unbroken" href="{}">{}</a>', value.link, words) if value.link else format_html('<span class="unbroken">{}</span>', words)
        more = format_html(' <span class="unbroken">{}</span>', say(context, value.more)) if value.more.zh else ""
        return format_html("{} {}{}", severity(context, value.severity, "label"), told, more)
    if isinstance(value, Severity):
        return severity(context, value)
    if isinstance(value, datetime):
        return moment(context, value)
    return day(value) if isinstance(value, date) else say(context, value)


@register.simple_tag
def bar(value: float, most: float) -> SafeString | str:
    """Return a bar of `value` out of `most`; the number stands beside it in words, so the bar itself is silent."""
    share = min(1.0, max(0.0, value / most)) if most > 0 else 0.0
    return format_html(
        '<svg class="bar" aria-hidden="true" focusable="false"><rect width="{}%" height="100%"/></svg>', f"{share * 100:.1f}"
    )


@register.simple_tag
def control(field: BoundField, extra_class: str = "") -> SafeString:
    """Return a form field's input, tied to its hint and errors for readers of the page by ear."""
    described = [
        *([f"{field.auto_id}_hint"] if field.help_text else []),
        *([f"{field.auto_id}_error"] if field.errors else []),
    ]
    attributes: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if field.errors:
        attributes["aria-invalid"] = "true"
    if extra_class:
        attributes["class"] = extra_class
    return SafeString(field.as_widget(attrs=attributes))


@register.simple_tag(takes_context=True)
def clock_attributes(context: Context) -> SafeString:
    """Return the attributes of `<html>` by which the browser knows the page's clock: `data-now` (ms) and `data-speed`."""
    flat = _flat(context)
    return format_html(
        'data-now="{}" data-speed="{}"', int(readers.moment_of(flat).timestamp() * 1000), f"{readers.speed_of(flat):g}"
    )


@register.simple_tag(takes_context=True)
def page_moment(context: Context) -> str:
    """Return the moment the page was made at, in full."""
    return _full(readers.moment_of(_flat(context)))


def _language(context: Context) -> str:
    return readers.reader(cast("HttpRequest | None", context.get("request"))).language


def _choose(context: Context, zh: str, en: str) -> str:
    return en if _language(context) == "en" else zh


def _flat(context: Context) -> dict[str, object]:
    return {name: context.get(name) for name in ("now", "request", "clock_speed")}


def _full(at: datetime) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"
