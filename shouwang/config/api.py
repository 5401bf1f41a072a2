"""The JSON interface of all rooms: every room's `api` module, found by scanning; one OpenAPI file, one shape of error."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError

from shouwang.kernel.errors import ShouwangError
from shouwang.ui.answers import TokenInvalid, components, failure
from shouwang.ui.outage import outage_of

DESCRIPTION = (
    'What other systems and devices call. Every answer that is not 200 is {"error": {code, message, message_zh}}, '
    "with the field where one is wrong."
)
DESCRIPTION_ZH = '供设备和其他系统调用。除 200 外，应答均为 {"error": {code, message, message_zh}}；字段有误时带 field。'

api = NinjaAPI(
    title="守望 Shouwang", version="1", description=DESCRIPTION, docs_url=None, openapi_url=None, urls_namespace="api",
    openapi_extra={"info": {"x-zh": {"description": DESCRIPTION_ZH}}},
)
modules = [
    importlib.import_module(f"shouwang.{room}.api") for room in settings.ROOMS if importlib.util.find_spec(f"shouwang.{room}.api")
]
for module in modules:
    if hasattr(module, "router"):
        api.add_router("/v1", module.router)


@api.exception_handler(ShouwangError)
def refused(request: HttpRequest, error: ShouwangError) -> HttpResponse:
    """Say what cannot be done, and what to do."""
    del request
    return failure(error)


@api.exception_handler(AuthenticationError)
def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """Say that the token is not valid."""
    del request, error
    return failure(TokenInvalid())


@api.exception_handler(DatabaseFailure)
def unkept(request: HttpRequest, error: Exception) -> HttpResponse:
    """Say that nothing could be kept; what is not the storage's own failure goes on."""
    del request
    said = outage_of(error)
    if said is None:
        raise error
    return failure(said)


api.exception_handler(OSError)(unkept)


@cache
def openapi() -> dict[str, Any]:
    """Return the whole OpenAPI file: the routers, what rooms serve elsewhere (`ELSEWHERE`, `SCHEMES`), and the shared parts."""
    found: dict[str, Any] = api.get_openapi_schema()
    for module in modules:
        found["paths"].update(getattr(module, "ELSEWHERE", {}))
        found["components"]["securitySchemes"].update(getattr(module, "SCHEMES", {}))
    for name, parts in components().items():
        found["components"][name] = {**found["components"].get(name, {}), **parts}
    return found
