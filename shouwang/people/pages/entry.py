"""Signing in and out, entry links, the own password."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people import actions, queries
from shouwang.people.guard import needs
from shouwang.people.middleware import LANGUAGE, SEEN, SINCE
from shouwang.people.models import Account
from shouwang.people.pages.forms import PasswordForm, SignInForm
from shouwang.ui.reader import reader
from shouwang.ui.rules import local_path

FIRST_RUN = "/first-run/"
BACKEND = "django.contrib.auth.backends.ModelBackend"
WRONG = Text(
    "用户名或密码不对，或该账号因多次输错暂停 5 分钟。",
    "The user name or password is wrong, or the account is paused for 5 minutes after several wrong passwords.",
)
DEAD_LINK = Text("这个进入链接已失效。请使用用户名和密码登录，或请管理员重新发送。",
                 "This entry link has ended. Sign in with your password, or ask an administrator for a new link.")
CHANGED = Text("密码已修改。", "The password was changed.")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the sign-in form; sign in and go where the person wanted. Where there is nobody yet, lead to the first run."""
    if queries.nobody_yet():
        return HttpResponseRedirect(FIRST_RUN)
    language = reader(request).language
    goal = local_path(request.POST.get("next") or request.GET.get("next"))
    form = SignInForm(request.POST or None, language=language)
    if request.method == "POST" and form.is_valid():
        account = actions.sign_in(form.cleaned_data["username"], form.cleaned_data["password"], now=clock().now())
        if account is not None:
            open_session(request, account)
            return HttpResponseRedirect(goal)
        form.add_error(None, WRONG.render(language, {}))
    status = 422 if form.errors else 200
    return render(request, "people/sign_in.html", {"form": form, "next": goal}, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and go to the sign-in page."""
    if isinstance(request.user, Account):
        actions.sign_out(request.user, now=clock().now())
    logout(request)
    return HttpResponseRedirect("/sign-in/")


@never_cache
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button that signs in (scanners of messages open links, so a GET does nothing); in a demo sign in at once.

    Outside a demo a link serves once.
    """
    language, demo = reader(request).language, bool(settings.SHOUWANG_DEMO)
    now = clock().now()
    goal = local_path(request.POST.get("next") or request.GET.get("next"))
    if request.method == "GET" and not demo:
        live = queries.account_of_entry_link(token, at=now) is not None
        dead = "" if live else DEAD_LINK.render(language, {})
        return render(request, "people/enter.html", {"dead": dead, "next": goal}, status=200 if live else 404)
    account = actions.use_entry_link(token, once=not demo, now=now)
    if account is None:
        return render(request, "people/enter.html", {"dead": DEAD_LINK.render(language, {})}, status=404)
    open_session(request, account)
    return HttpResponseRedirect(goal)


@sensitive_post_parameters("old", "new")
@never_cache
@require_http_methods(["GET", "POST"])
@needs()
def own_password(request: HttpRequest) -> HttpResponse:
    """Change the own password; other sessions of the account end."""
    language = reader(request).language
    form = PasswordForm(request.POST or None, language=language)
    account = request.user
    if isinstance(account, Account) and not account.has_usable_password():
        del form.fields["old"]
    if request.method == "POST" and form.is_valid() and isinstance(account, Account):
        try:
            actions.change_own_password(account, old=form.cleaned_data.get("old", ""), new=form.cleaned_data["new"], now=clock().now())
        except ShouwangError as error:
            form.add_error("old" if error.status == 403 else "new", _said(error, language))
        else:
            update_session_auth_hash(request, account)
            messages.success(request, CHANGED.render(language, {}))
            return HttpResponseRedirect("/")
    return render(request, "people/own_password.html", {"form": form}, status=422 if form.errors else 200)


def _said(error: ShouwangError, language: str) -> str:
    wrong = Text("现在的密码不对。", "The present password is wrong.")
    return wrong.render(language, {}) if error.status == 403 else error.text(language)


def open_session(request: HttpRequest, account: Account) -> None:
    """Sign an account in: a new session, in the language of its person."""
    login(request, account, backend=BACKEND)
    for name in (SEEN, SINCE):
        request.session.pop(name, None)
    card = queries.person_cards([account.person_id], language="zh").get(account.person_id) if account.person_id else None
    request.session[LANGUAGE] = card.language if card else "zh"
