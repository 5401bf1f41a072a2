"""Who calls a JSON interface: the tokens of devices and integrations, as ninja asks for them. `request.auth` is the Scope."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBasicAuth, HttpBearer

from shouwang.journal.clock import clock
from shouwang.kernel.errors import Refused
from shouwang.people.queries import scope_of_token
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import DEVICE, INTEGRATION


class DeviceToken(HttpBearer):
    """The token of one device."""

    def authenticate(self, request: HttpRequest, token: str) -> Scope | None:
        """Return what the token allows, None when it is not valid."""
        del request
        return scope_of_token(token.strip(), DEVICE, clock().now())


class IntegrationToken(HttpBearer):
    """The token of another system."""

    def authenticate(self, request: HttpRequest, token: str) -> Scope | None:
        """Return what the token allows, None when it is not valid."""
        del request
        return scope_of_token(token.strip(), INTEGRATION, clock().now())


class DeviceBasic(HttpBasicAuth):
    """Device id and token, for devices that know no bearer tokens."""

    def authenticate(self, request: HttpRequest, username: str, password: str) -> Scope | None:
        """Return what the token allows when it is that device's, None when it is not valid."""
        del request
        scope = scope_of_token(password, DEVICE, clock().now()) if password else None
        return scope if scope is not None and scope.subject == username else None


def caller(request: HttpRequest, right: str) -> Scope:
    """Return the scope of whoever calls. Raises Refused without `right`."""
    scope: Scope = request.auth  # type: ignore[attr-defined] # set by ninja
    if right not in scope.rights:
        raise Refused(right=right)
    return scope
