"""From a request to its answer: who sends, what it says, and 2.04 once it is committed.

An empty acknowledgement, which the library sends when a commit takes longer than a tenth of a second, promises nothing (RFC 7252, 5.2.2):
the answer follows by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial

from aiocoap import Code, ContentFormat, Message
from aiocoap.pipe import Pipe
from aiocoap.resource import PathCapable, Resource
from django.db import connections

from shouwang.kernel.errors import NotFound, ShouwangError, StorageAway
from shouwang.telemetry.addresses import FORMS, Address, address_of, unknown
from shouwang.telemetry.admission import key_of
from shouwang.telemetry.listening import OVERHEAD_BYTES
from shouwang.telemetry.placing import Reading
from shouwang.telemetry.rules import Unmapped
from shouwang.telemetry.sources.coap.uploads import Uploads
from shouwang.telemetry.writing import Incoming, Key, Writer, Written
from shouwang.ui.answers import BodyTooLarge

SOURCE = "coap"
TOKEN = "token="  # noqa: S105 - the name of a parameter
RETRY_S = 5
LONGEST = 400
CODES = {
    400: Code.BAD_REQUEST, 401: Code.UNAUTHORIZED, 403: Code.FORBIDDEN, 404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED,
    408: Code.REQUEST_ENTITY_INCOMPLETE, 413: Code.REQUEST_ENTITY_TOO_LARGE, 415: Code.UNSUPPORTED_CONTENT_FORMAT, 422: Code.BAD_REQUEST,
    500: Code.INTERNAL_SERVER_ERROR,
}
JSON = int(ContentFormat.JSON)
TEXT = int(ContentFormat.TEXT)
_log = logging.getLogger(__name__)


class MethodUnknown(ShouwangError):
    """Something else than POST or PUT."""

    zh = "方法 {found} 不受理；请用 POST 或 PUT 上报读数。"
    en = "{found} is not taken; send readings by POST or PUT."
    status = 405


class FormatUnknown(ShouwangError):
    """A body that says it is something else than JSON."""

    zh = "内容格式 {found} 不受理；请发送 application/json（50）。"
    en = "Content-Format {found} is not taken; send application/json (50)."
    status = 415


class Busy(ShouwangError):
    """More waits to be stored than is held at once."""

    zh = "等待入库的数据过多，没有保存；请稍后重新发送。"
    en = "Too much waits to be stored and this was not; send it again shortly."
    status = 503


class Unexpected(ShouwangError):
    """Something failed that should not."""

    zh = "出现意外错误，没有保存；请稍后重新发送，并查看服务器日志。"
    en = "Something unexpected failed and this was not stored; send it again later, the server's log says more."
    status = 500


class TlsUnknown(ShouwangError):
    """A certificate was given to something that speaks no TLS."""

    zh = "CoAP 走 UDP，不支持 --cert 和 --key；请让设备经专用 APN 或 VPN 接入，或在前面放置 DTLS 代理。"
    en = "CoAP runs over UDP and takes no --cert and --key; let devices come by a private APN or VPN, or put a DTLS proxy in front."


class ReadingsResource(Resource, PathCapable):  # type: ignore[misc]
    """Everything that is served: POST and PUT of readings, under the addresses that MQTT has, too."""

    def __init__(self, *, now: Callable[[], datetime], limits: Mapping[str, int]) -> None:
        super().__init__()
        self._now, self._limits = now, limits
        self._loop = asyncio.get_running_loop()
        self._uploads = Uploads(limits)
        self._waiting_bytes = 0
        self._is_over = False
        self._door = ThreadPoolExecutor(1, thread_name_prefix="coap-door")
        self._writer = Writer(source=SOURCE, now=now, answered=self._written)

    async def needs_blockwise_assembly(self, request: Message) -> bool:
        """Return False: blocks are put together here, within limits."""
        del request
        return False

    async def render_to_pipe(self, pipe: Pipe) -> None:
        """Answer a request, whatever it holds."""
        try:
            answer = await self._answer(pipe.request)
        except ShouwangError as error:
            answer = refusal(error)
        except Exception:  # noqa: BLE001 - the device is told that it failed, and the log why
            _log.exception("a request over CoAP could not be answered")
            answer = refusal(Unexpected())
        answer.opt.no_response = pipe.request.opt.no_response
        if pipe.request.opt.block1 is not None:
            answer.opt.block1 = pipe.request.opt.block1
        pipe.add_response(answer, is_last=True)

    async def end(self) -> None:
        """Take no more; write and answer what was taken."""
        self._is_over = True
        await self._loop.run_in_executor(None, self._writer.end)
        await asyncio.sleep(0)  # the last answers are on their way
        await self._loop.run_in_executor(self._door, connections.close_all)
        self._door.shutdown()

    async def _answer(self, request: Message) -> Message:
        if self._is_over:
            raise Busy
        address = address_in(request)
        key = await self._loop.run_in_executor(self._door, partial(key_of, token_in(request), at=self._now()))
        body = self._body(request)
        if body is None:
            return Message(code=Code.CONTINUE)
        await self._store(body, address, key)
        return Message(code=Code.CHANGED)

    def _body(self, request: Message) -> bytes | None:
        """Return the whole body, None while blocks are missing. Raises BodyTooLarge, BlockMissing."""
        payload: bytes = request.payload
        block, most = request.opt.block1, self._limits["body_bytes"]
        if block is None:
            if len(payload) > most:
                raise BodyTooLarge(found=f"{len(payload)} B", most=f"{most} B")
            return payload
        kind = (request.remote.blockwise_key, int(request.code), request.opt.uri_path, request.opt.uri_query)
        return self._uploads.add(kind, payload, start=block.start, is_last=not block.more, at_s=self._loop.time())

    async def _store(self, body: bytes, address: Address, key: Key) -> None:
        """Wait until it is committed. Raises BodyInvalid, Busy, StorageAway, SourceSettingsInvalid, and what a token is refused with."""
        size = len(body) + OVERHEAD_BYTES
        if self._waiting_bytes + size > self._limits["waiting_bytes"]:
            raise Busy
        committed: asyncio.Future[bool] = self._loop.create_future()
        message = Incoming(body, decoded(address, body), key, address.device, (committed, size), address.topic)
        self._waiting_bytes += size
        self._writer.put([message])
        if not await committed:
            await self._loop.run_in_executor(self._door, partial(key_of, key.token, at=self._now()))
            raise StorageAway

    def _written(self, written: Written) -> None:
        with suppress(RuntimeError):  # the loop has been closed: nobody is left to be answered
            self._loop.call_soon_threadsafe(self._tell, written)

    def _tell(self, written: Written) -> None:
        for messages, is_stored in ((written.stored, True), (written.refused, False)):
            for each in messages:
                committed, size = each.ticket
                self._waiting_bytes -= size
                if not committed.done():  # its request came again meanwhile
                    committed.set_result(is_stored)


def address_in(request: Message) -> Address:
    """Return what a request's path says. Raises NotFound, MethodUnknown, FormatUnknown."""
    address = address_of("/".join(request.opt.uri_path))
    if address.decode is unknown:
        raise NotFound(what=f"{address.topic[:100]!r}, expected {FORMS}:")
    if request.code not in {Code.POST, Code.PUT}:
        raise MethodUnknown(found=str(request.code))
    kind = request.opt.content_format
    if kind is not None and int(kind) not in {JSON, TEXT}:
        raise FormatUnknown(found=int(kind))
    return address


def token_in(request: Message) -> str:
    """Return the token of a request, empty where there is none."""
    return next((each[len(TOKEN) :] for each in request.opt.uri_query if each.startswith(TOKEN)), "")


def decoded(address: Address, body: bytes) -> Callable[[bytes], Sequence[Reading]]:
    """Decode a body, so that its sender can be told what is wrong, and return what gives the writer the readings. Raises BodyInvalid."""
    try:
        readings = address.decode(body)
    except Unmapped:
        return address.decode
    return lambda _: readings


def refusal(error: ShouwangError) -> Message:
    """Return the answer that says why; in English alone, so that an answer is not much longer than what was asked (RFC 7252, 11.3)."""
    code = CODES.get(error.status, Code.SERVICE_UNAVAILABLE)
    answer = Message(code=code, payload=error.text("en").encode()[:LONGEST])
    if code == Code.SERVICE_UNAVAILABLE:
        answer.opt.max_age = RETRY_S
    return answer
