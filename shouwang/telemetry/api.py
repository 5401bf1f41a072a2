"""`POST /api/v1/readings`, beside it the shape of every source that is pushed, and `POST /api/v1/events/…` of cameras: ninja asks for the token; the bytes go undecoded to the source, for speed."""

from __future__ import annotations

import importlib

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.security import APIKeyHeader
from ninja.security.base import AuthBase

from shouwang.journal.clock import clock
from shouwang.people.callers import DeviceBasic, DeviceToken, IntegrationToken, caller
from shouwang.people.queries import scope_of_token
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.telemetry.cameras import Family, digest
from shouwang.telemetry.cameras.family import logins_of
from shouwang.telemetry.cameras.running import families
from shouwang.telemetry.cameras.taking import EventsTaken
from shouwang.telemetry.cameras.taking import take as take_events
from shouwang.telemetry.platforms import Platform, is_signed
from shouwang.telemetry.sources import PUSH, settings_of, sources_found
from shouwang.telemetry.sources.http import MAX_BODY_BYTES, RIGHT, Readings, ReadingsTaken
from shouwang.telemetry.sources.http import take as take_readings
from shouwang.ui.answers import KEPT_OR_NOT, DigestWanted, answer, body_of, described

router = Router(tags=["telemetry"])
EXAMPLE = {"readings": [{"datastream": "register_l", "phenomenon_time": "2026-01-15T02:00:00Z", "result": 36412}]}


@router.post(
    "/readings", auth=[DeviceToken(), IntegrationToken(), DeviceBasic()], url_name="readings", summary="Post readings",
    openapi_extra=described(
        zh="上报读数", zh_about="全部读数提交入库后才答 200；重复发送无害。", takes=Readings, gives=ReadingsTaken, example=EXAMPLE, right=RIGHT, failures=(401, 403, 413, 422, *KEPT_OR_NOT),
    ),
)
def readings(request: HttpRequest) -> HttpResponse:
    """Answers 200 only after all readings are committed; sending the same again is safe."""
    scope = caller(request, RIGHT)
    return answer(take_readings(body_of(request, most=MAX_BODY_BYTES), scope, now=clock().now()))


class PlatformSignature(APIKeyHeader):
    """The headers signature, timestamp and nonce of a platform that signs with the token set for its source."""

    param_name = "signature"

    def __init__(self, source: str, shape: type[Platform]) -> None:
        super().__init__()
        self._source, self._shape = source, shape

    def authenticate(self, request: HttpRequest, key: str | None) -> Scope | None:
        """Return what the token allows when the signature is good, None otherwise. Raises SourceSettingsInvalid."""
        if not key:
            return None
        said, now = settings_of(self._source, self._shape), clock().now()
        headers = {name.lower(): value for name, value in request.headers.items()}
        return scope_of_token(said.token, INTEGRATION, now) if is_signed(headers, said, at_s=now.timestamp()) else None


def _offer(name: str) -> None:
    """Serve a source's own shape of body at `/readings/{name}`."""
    source, module = sources_found()[name], importlib.import_module(f"shouwang.telemetry.sources.{name}")

    def pushed(request: HttpRequest) -> HttpResponse:
        scope = caller(request, RIGHT)
        return answer(take_readings(body_of(request, most=source.limits["body_bytes"]), scope, now=clock().now(), source=name))

    pushed.__name__ = f"readings_{name}"
    shape = getattr(module, "SETTINGS", None)
    auth: list[AuthBase] = [DeviceToken(), IntegrationToken(), DeviceBasic()]
    if shape is not None and issubclass(shape, Platform):
        auth.append(PlatformSignature(name, shape))
    router.post(
        f"/readings/{name}", auth=auth, url_name=f"readings_{name}", summary=f"Post readings of {name}",
        description=f"{source.en}. Answers 200 only after all of it is committed; sending the same again is safe.",
        openapi_extra=described(
            zh=f"上报读数（{name}）", zh_about=f"{source.zh}。全部读数提交入库后才答 200；重复发送无害。", takes=module.BODY, gives=ReadingsTaken, example=module.EXAMPLE,
            right=RIGHT, failures=(401, 403, 413, 422, *KEPT_OR_NOT),
        ),
    )(pushed)


class CameraDigest(AuthBase):
    """Digest authentication of a camera that pushes and has a user, a password and a token in its settings."""

    openapi_type = "http"
    openapi_scheme = "digest"

    def __init__(self, family: Family) -> None:
        super().__init__()
        self._family = family

    def __call__(self, request: HttpRequest) -> Scope | None:
        """Return what the camera's token allows when its answer is right. Raises DigestWanted where a digest is set for anybody."""
        logins = logins_of(settings_of(self._family.name, self._family.settings))
        if not logins:
            return None
        now, given = clock().now(), digest.read_answer(request.headers.get("Authorization", ""))
        login = logins.get(given.username) if given else None
        if given and login and digest.is_right(
            given, password=login.password, method=request.method or "", uri=request.get_full_path(), secret=settings.SECRET_KEY, at_s=now.timestamp(),
        ):
            return scope_of_token(login.token, DEVICE, now)
        raise DigestWanted(digest.challenge(settings.SECRET_KEY, at_s=now.timestamp()))


def _offer_events(family: Family) -> None:
    """Serve what a family of cameras pushes at `/events/{source}`; `device` says whose it is with an integration's token."""
    source = sources_found()[family.name]

    def told(request: HttpRequest, device: str = "", map: str = "") -> HttpResponse:  # noqa: A002 - the name in the address
        scope = caller(request, RIGHT)
        body = body_of(request, most=source.limits["body_bytes"])
        content_type = request.headers.get("Content-Type", "") + (f'; map="{map}"' if map else "")
        return answer(take_events(family, body, scope, media_type=content_type, device=device, now=clock().now()))

    told.__name__ = f"events_{family.name}"
    router.post(
        f"/events/{family.name}", auth=[DeviceToken(), IntegrationToken(), DeviceBasic(), CameraDigest(family)], url_name=f"events_{family.name}",
        summary=f"Post events of {family.name}", description=f"{source.en}. Answers 200 only after all of it is committed; sending the same again is safe.",
        openapi_extra=described(
            zh=f"上报摄像机事件（{family.name}）", zh_about=f"{source.zh}。全部提交入库后才答 200；重复发送无害。", takes=family.body, gives=EventsTaken, example=family.example,
            right=RIGHT, failures=(401, 403, 413, 422, *KEPT_OR_NOT),
        ),
    )(told)


for each in sources_found().values():
    if each.direction == PUSH and each.name != "http":
        _offer(each.name)
for family in families().values():
    if family.is_pushed:
        _offer_events(family)
