"""The fake gateways, and the persons they reach: a process of its own that is never killed.

`/keyed/PERSON` takes webhooks and honours their key: the same key again gets the first receipt and counts once. `/sms`
takes every call and counts it. Both refuse, answer late or not at all, so that kills land in flight; which request does
what follows from the seed, the key and the number of the attempt.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.faults.phones import Phones
from bench.faults.records import KEYED, OPEN, TOLD, UNKEYED, Record

REFUSED, LOST, TIMED_OUT, SLOW_TO_ACCEPT = 0.02, 0.05, 0.054, 0.15
TIMEOUT_S = 6.0
STATUS_LAG, LAG_S = 0.05, 4.0


@dataclass(frozen=True)
class Behaviour:
    """How one request is treated: waits before it is accepted and before the answer, in seconds."""

    name: str
    before_s: float
    after_s: float


def behaviour(seed: int, key: str, attempt: int) -> Behaviour:
    """Return how attempt number `attempt` of `key` is treated."""
    chance = Random(f"{seed}:{key}:{attempt}")
    drawn, before_s, after_s = chance.random(), chance.uniform(0.05, 0.2), chance.uniform(0.02, 0.2)
    if drawn < REFUSED:
        return Behaviour("refused", 0.0, 0.0)
    if drawn < LOST:
        return Behaviour("reply_lost", 0.0, after_s)
    if drawn < TIMED_OUT:
        return Behaviour("timed_out", 0.0, TIMEOUT_S)
    if drawn < SLOW_TO_ACCEPT:
        return Behaviour("slow_to_accept", before_s, after_s)
    return Behaviour("answered", 0.0, after_s)


class Gateways:
    """What both gateways remember."""

    def __init__(self, folder: Path, *, seed: int, phones: Phones) -> None:
        self.seed = seed
        self.phones = phones
        self.treated: Counter[str] = Counter()
        self._told, self._open = Record(folder, TOLD, durable=True), Record(folder, OPEN)
        self._lock = threading.Lock()
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._accepted: dict[tuple[str, str], float] = {}

    def begin(self, gateway: str, key: str) -> Behaviour:
        """Note an attempt and return how it is treated."""
        with self._lock:
            self._attempts[gateway, key] += 1
            found = behaviour(self.seed, f"{gateway}:{key}", self._attempts[gateway, key])
            self.treated[found.name] += 1
        return found

    def accept(self, gateway: str, key: str, **what: Any) -> None:
        """Write down that this call told a person something, or that its key had been accepted before."""
        with self._lock:
            again = (gateway, key) in self._accepted
            self._accepted.setdefault((gateway, key), time.monotonic())
        self._told.note(gateway=gateway, key=key, again=again, **what)
        if not again:
            self.phones.reached(gateway, key, what)

    def end(self, gateway: str, arrived: float) -> None:
        """Note from when to when the request was open."""
        self._open.note(gateway=gateway, arrived=arrived, left=time.monotonic())

    def knows(self, gateway: str, key: str) -> bool:
        """Return whether the status of a message can be asked yet: some gateways take a while."""
        accepted = self._accepted.get((gateway, key))
        lags = Random(f"lag:{self.seed}:{key}").random() < STATUS_LAG
        return accepted is not None and (not lags or time.monotonic() - accepted > LAG_S)


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    gateways: Gateways

    def do_POST(self) -> None:
        """Take a message."""
        arrived = time.monotonic()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/keyed/"):
            data = body["data"]
            what = {"person": int(self.path.rsplit("/", 1)[1]), "template": data["template"], "params": data["params"], "count": data["count"]}
            self._take(KEYED, self.headers["webhook-id"], what, arrived)
        else:
            what = {"person": int(body["phone"].removeprefix("person-")), "template": body["template"], "params": body["params"]}
            self._take(UNKEYED, body["out_id"], {**what, "count": body["params"].get("count", 1)}, arrived)

    def do_GET(self) -> None:
        """Say what became of a message."""
        key = parse_qs(urlsplit(self.path).query)["out_id"][0]
        if self.gateways.knows(UNKEYED, key):
            self._answer(200, {"status": "DELIVERED", "ref": f"r-{key}"})
        else:
            self._answer(404, {})

    def _take(self, gateway: str, key: str, what: dict[str, Any], arrived: float) -> None:
        how = self.gateways.begin(gateway, key)
        try:
            if how.name == "refused":
                self._answer(429, {}, {"Retry-After": "1"})
                return
            time.sleep(how.before_s)
            self.gateways.accept(gateway, key, **what)
            time.sleep(how.after_s)
            if how.name == "reply_lost":
                self.close_connection = True
                return
            self._answer(200, {"code": "OK", "ref": f"r-{key}"})
        finally:
            self.gateways.end(gateway, arrived)

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), "Connection": "close", **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            return  # whoever asked has been killed meanwhile
        finally:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """One thread per request; a kill leaves many connections broken, which is no news."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


def serve(*, folder: str, port: int, web_port: int, seed: int) -> dict[str, Any]:
    """Serve until the file `gateways-end` appears; return how requests were treated and what the persons did."""
    place = Path(folder)
    world = json.loads((place / "world.json").read_text("utf-8"))
    phones = Phones(place, web_port=web_port, seed=seed, callback_token=world["callback_token"])
    Handler.gateways = gateways = Gateways(place, seed=seed, phones=phones)
    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (place / "gateways-ready").touch()
    reporter = threading.Thread(target=phones.report_until, args=(place / "services-end",))
    reporter.start()
    phones.act_until(place / "load-ended")
    reporter.join()
    while not (place / "gateways-end").exists():
        time.sleep(0.05)
    server.shutdown()
    return {"treated": dict(gateways.treated), "persons": phones.done()}
