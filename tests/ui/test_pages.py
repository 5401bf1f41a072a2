"""Headers, preference switches, error pages and tags."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client, RequestFactory

from shouwang.kernel.errors import Refused
from shouwang.kernel.severity import Severity
from shouwang.ui.middleware import SecurityHeaders
from tests.conftest import NOW

PAGES = ("/ui/guide/", "/ui/guide/phone/", "/ui/guide/list/", "/ui/guide/list/?format=print", "/nowhere/")


def render(source: str, *, language: str = "zh", **context: object) -> str:
    """Return a template rendered for a reader of `language` at NOW."""
    request = RequestFactory().get("/", HTTP_COOKIE=f"sw_language={language}")
    return engines["django"].from_string(source).render({"now": NOW, **context}, request)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_forbids_inline_and_foreign_code_and_holds_none(browser_client: Client, page: str) -> None:
    response = browser_client.get(page)
    html = response.content.decode()
    assert response["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert " style=" not in html
    assert " onclick=" not in html
    assert "http://" not in html.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_a_view_may_set_a_stricter_policy(ui_settings: None) -> None:
    stack = SecurityHeaders(lambda _: HttpResponse(headers={"Content-Security-Policy": "sandbox"}))
    assert stack(RequestFactory().get("/"))["Content-Security-Policy"] == "sandbox"


def test_a_refusal_is_shown_with_its_status_and_what_to_do(ui_settings: None) -> None:
    request = RequestFactory().get("/")
    shown = SecurityHeaders(lambda _: HttpResponse()).process_exception(request, Refused(right="case.close"))
    assert shown is not None
    assert shown.status_code == 403
    assert "请联系上级管理员授予" in shown.content.decode()


def test_other_exceptions_are_not_hidden(ui_settings: None) -> None:
    assert SecurityHeaders(lambda _: HttpResponse()).process_exception(HttpRequest(), ValueError()) is None


def test_a_switch_keeps_the_choice_and_goes_back(ui_settings: None) -> None:
    client = Client()
    response = client.post("/ui/preferences/", {"display": "elder", "theme": "purple", "next": "/ui/guide/?a=1"})
    assert (response.status_code, response["Location"]) == (302, "/ui/guide/?a=1")
    assert client.cookies["sw_display"].value == "elder"
    assert client.cookies["sw_display"]["samesite"] == "Lax"
    assert "sw_theme" not in client.cookies
    assert 'data-display="elder"' in client.get("/ui/guide/").content.decode()


def test_a_switch_never_leads_elsewhere(ui_settings: None) -> None:
    assert Client().post("/ui/preferences/", {"next": "//elsewhere.example/"})["Location"] == "/"


def test_a_switch_without_its_token_is_refused(browser_client: Client) -> None:
    assert browser_client.post("/ui/preferences/", {"theme": "dark"}).status_code == 403


def test_the_phone_page_is_small(browser_client: Client) -> None:
    assert len(browser_client.get("/ui/guide/phone/").content) < 10_000


@pytest.mark.parametrize(
    ("source", "zh", "en"),
    [
        ('{% t "未办结" "Open" %}', "未办结", "Open"),
        ('{% t "剩 {n} 条" "{n} left" n=3 %}', "剩 3 条", "3 left"),
        (
            "{% severity level 'label' %}",
            '<span class="severity red label">红色</span>',
            '<span class="severity red label">红 Red</span>',
        ),
        (
            "{% bar 1 4 %}",
            *['<svg class="bar" aria-hidden="true" focusable="false"><rect width="25.0%" height="100%"/></svg>'] * 2,
        ),
        ("{% moment none %}{% left none %}{% ago none %}{% day none %}{% say none %}", "—————", "—————"),
        ("{% say text %}", "&lt;b&gt;", "&lt;b&gt;"),
    ],
)
def test_tags_speak_both_languages(source: str, zh: str, en: str) -> None:
    context: dict[str, Any] = {"level": Severity.RED, "none": None, "text": "<b>"}
    assert (render(source, **context), render(source, language="en", **context)) == (zh, en)


@pytest.mark.parametrize(
    ("minutes", "kind", "spoken"),
    [(12, "left", "剩 12 分"), (10, "left soon", "剩 10 分"), (0, "left late", "超时 0 秒"), (-5, "left late", "超时 5 分")],
)
def test_time_left_is_marked_soon_and_late(minutes: int, kind: str, spoken: str) -> None:
    shown = render("{% left due %}", due=NOW + timedelta(minutes=minutes))
    assert f'class="{kind}"' in shown
    assert f">{spoken}</time>" in shown


def test_a_moment_is_local_and_as_short_as_the_day_allows() -> None:
    assert ">10:00</time>" in render("{% moment at %}", at=NOW)
    assert ">01-14 10:00</time>" in render("{% moment at %}", at=NOW - timedelta(days=1))
    assert ">2025-01-15 10:00</time>" in render("{% moment at %}", at=NOW - timedelta(days=365))


def test_a_wrong_field_is_tied_to_its_error() -> None:
    class Form(forms.Form):
        phone = forms.CharField(label="电话", help_text="手机")

    shown = render(
        '{% include "ui/_errors.html" %}{% for field in form %}{% include "ui/_field.html" %}{% endfor %}', form=Form({})
    )
    assert 'aria-describedby="id_phone_hint id_phone_error"' in shown
    assert 'href="#id_phone"' in shown
    assert 'id="id_phone_error"' in shown
