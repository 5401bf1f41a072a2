"""How every room's JSON interface answers and describes itself: one shape of error, and schemas read from the decoder's types.

A room's `api.py` holds a ninja `Router`. Bodies that must be decoded fast are msgspec structs, which ninja does not know:
`described` turns them into the OpenAPI of the operation, so that what is described is what is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse

from shouwang.kernel.errors import ShouwangError, StorageAway, StorageFull
from shouwang.kernel.texts import Text

REFERENCE = "#/components/schemas/{name}"
RETRY_AFTER_S = "5"
T = TypeVar("T")
_AT = re.compile(r" - at `\$\.?(.+)`$")
_encode = msgspec.json.Encoder().encode


class Problem(msgspec.Struct, omit_defaults=True):
    """What cannot be done and what to do; `field` is the path of the wrong value, as in `readings[3].result`."""

    code: str
    message: str
    message_zh: str
    field: str | None = None


class Failure(msgspec.Struct):
    """The body of every answer that is not 200."""

    error: Problem


class TokenInvalid(ShouwangError):
    """A request came without a token, or with one that is not valid here."""

    zh = "令牌缺失、无效或已过期；请重新签发。"
    en = "The token is missing, not valid or has expired; issue a new one."
    status = 401


class DigestWanted(TokenInvalid):
    """A request came without a token, to an address where a digest would do as well; `challenge` asks for it."""

    def __init__(self, challenge: str) -> None:
        super().__init__()
        self.challenge = challenge

    @property
    def code(self) -> str:
        """Return the name of the error it is to whoever asked."""
        return TokenInvalid.__name__


class NotSignedIn(ShouwangError):
    """A person's session is asked for and there is none."""

    zh = "请先登录。"
    en = "Sign in first."
    status = 401


class BodyTooLarge(ShouwangError):
    """A request is larger than is taken at once."""

    zh = "请求为 {found}，一次最多 {most}；请分批发送。"
    en = "The body has {found}, at most {most} are taken at once; send smaller batches."
    status = 413


class BodyInvalid(ShouwangError):
    """A request's body cannot be read."""

    zh = "字段 {field} 无法读取：{found}；应为 {expected}。"
    en = "{field} cannot be read: {found}; expected {expected}."
    status = 422


FAILURES: Mapping[int, Text] = {
    401: Text("没有登录，或令牌缺失、无效、已过期", "Not signed in, or the token is missing, not valid or has expired"),
    403: Text("令牌没有这项权限", "The token lacks the right"),
    404: Text("不存在，或不在管辖范围内", "It does not exist, or lies outside the scope"),
    409: Text("与现状不符，例如任务已由他人签收", "It contradicts what is there, as a task that another has accepted"),
    413: Text("请求过大，请分批发送", "The body is too large; send smaller batches"),
    422: Text("请求无法读取，field 指出哪个字段", "The body cannot be read; `field` names the field"),
    503: Text("数据库暂时无法写入，没有保存，请重新提交", "The database cannot be written now; nothing was saved, send it again"),
    507: Text("磁盘已满，没有保存；恢复后请重新提交", "The disk is full; nothing was saved, send it again later"),
}
KEPT_OR_NOT = (503, 507)
_components: dict[str, Any] = {}


def answer(body: object, *, status: int = 200) -> HttpResponse:
    """Return a JSON answer."""
    return HttpResponse(_encode(body), status=status, content_type="application/json")


def problem_of(error: ShouwangError) -> Problem:
    """Return an error as JSON says it."""
    field = error.params.get("field")
    return Problem(error.code, error.text("en"), error.text("zh"), str(field) if field is not None else None)


def failure(error: ShouwangError) -> HttpResponse:
    """Return the JSON answer that says why something cannot be done, with the status the error carries."""
    said = answer(Failure(problem_of(error)), status=error.status)
    if isinstance(error, TokenInvalid):
        said["WWW-Authenticate"] = error.challenge if isinstance(error, DigestWanted) else 'Bearer realm="shouwang"'
    if isinstance(error, StorageAway | StorageFull):
        said["Retry-After"] = RETRY_AFTER_S
    return said


def body_of(request: HttpRequest, *, most: int) -> bytes:
    """Return the bytes of a request's body. Raises BodyTooLarge past `most` bytes, without reading them."""
    said = request.headers.get("Content-Length", "")
    size = int(said) if said.isdecimal() else 0
    body = request.read(most + 1) if size <= most else b""
    if max(size, len(body)) > most:
        raise BodyTooLarge(found=f"{max(size, len(body))} B", most=f"{most} B")
    return body


def read_body(decoder: msgspec.json.Decoder[T], body: bytes, *, expected: str) -> T:
    """Return what a body holds. Raises BodyInvalid naming the field that is wrong, or "body" for all of it."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        at = _AT.search(str(error))
        raise BodyInvalid(field=at.group(1) if at else "body", found=_AT.sub("", str(error)), expected=expected) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyInvalid(field="body", found=str(error), expected=expected) from error


def described_field(zh: str, en: str) -> msgspec.Meta:
    """Return what the OpenAPI says of a field."""
    return msgspec.Meta(description=en, extra_json_schema={"x-zh": {"description": zh}})


def described(
    *, zh: str, zh_about: str, takes: Any = None, gives: Any, example: object = None, right: str = "", failures: tuple[int, ...] = (),
) -> dict[str, Any]:
    """Return the OpenAPI of an operation beside what ninja knows: body, answers, right needed, and its words in Chinese.

    `takes` and `gives` are types of msgspec; `example` is a body that is taken.
    """
    done = {"description": "Done.", "x-zh": {"description": "已完成"}, "content": _content(gives)}
    said: dict[str, Any] = {"x-zh": {"summary": zh, "description": zh_about}, "responses": {200: done}}
    if right:
        said["x-right"] = right
    if takes is not None:
        said["requestBody"] = {"required": True, "content": _content(takes, example=example)}
    for status in failures:
        said["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return said


def components() -> dict[str, Any]:
    """Return the shared parts of the OpenAPI: the schemas that `described` has met, and the answers to what fails."""
    content = _content(Failure)
    return {
        "schemas": dict(sorted(_components.items())),
        "responses": {
            str(status): {"description": text.en, "x-zh": {"description": text.zh}, "content": content} for status, text in FAILURES.items()
        },
    }


def _content(shape: Any, *, example: object = None) -> dict[str, Any]:
    (schema,), known = msgspec.json.schema_components([shape], ref_template=REFERENCE)
    for name, each in known.items():
        if _components.setdefault(name, each) != each:
            raise ValueError(f"Two different schemas are named {name}; rename one of the structs.")
    said: dict[str, Any] = {"schema": schema}
    if example is not None:
        said["example"] = example
    return {"application/json": said}


