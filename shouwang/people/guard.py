"""Who may open a page: for the pages of every room."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from shouwang.kernel.errors import Refused
from shouwang.people.rules.scope import Scope

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def scope_of(request: HttpRequest) -> Scope:
    """Return the scope of whoever asks. Raises Refused for nobody."""
    scope = getattr(request, "scope", None)
    if not isinstance(scope, Scope):
        raise Refused(right="sign-in")
    return scope


def needs(*rights: str) -> Callable[[View[P]], View[P]]:
    """Return a decorator: nobody is sent to the sign-in page, a principal without any of `rights` is refused.

    Without rights, being signed in is enough.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if getattr(request, "scope", None) is None:
                return redirect_to_login(request.get_full_path())
            if rights and not scope_of(request).rights.intersection(rights):
                raise Refused(right=rights[0])
            return view(request, *args, **kwargs)

        return guarded

    return decorate
