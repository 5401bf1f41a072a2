"""How the installation is: one word for machines, and the doctor's page for the administrator."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from shouwang.journal.queries import last_seq
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs
from shouwang.web.doctor import ERROR, OK, WARNING, examine
from shouwang.web.pages.desk import language_of

WORDS = {OK: Text("正常", "Fine"), WARNING: Text("警告", "Warning"), ERROR: Text("错误", "Error")}
HERE = "http://…"
TONES = {OK: "done", WARNING: "waiting", ERROR: "late"}


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the database answers, 503 while it does not: what a load balancer or a supervisor asks."""
    del request
    try:
        last_seq()
    except DatabaseError:
        return HttpResponse("shouwang: no database\n", content_type="text/plain", status=503)
    return HttpResponse("shouwang: ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


@require_GET
@needs("settings.edit")
def doctor(request: HttpRequest) -> HttpResponse:
    """Show what is well and what is not, what is wrong first, with what to type."""
    language = language_of(request)
    order = (ERROR, WARNING, OK)
    checks = sorted(examine(), key=lambda check: order.index(check.state))
    return render(request, "web/doctor.html", {
        "checks": [
            {
                "word": WORDS[check.state], "tone": TONES[check.state], "text": check.en if language == "en" else check.zh,
                "type": check.type, "link": check.type.removeprefix(HERE).partition(" ")[0] if check.type.startswith(HERE) else "",
            }
            for check in checks
        ],
        "wrong": sum(check.state != OK for check in checks),
    })
