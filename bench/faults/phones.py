"""What comes back from outside: persons reply to the SMS, or open the link and close the case; the SMS gateway reports."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench.faults.calling import Caller
from bench.faults.records import ACKED, KEYED, REQUESTS, UNKEYED, Record

REPLIES, CLOSES, REPORTED = 0.06, 0.12, 0.8
REPORTS_EVERY_S, REPORTS_AT_ONCE = 0.5, 100
THINKS_S = (12.0, 20.0)
PERSONS = 2
ANSWERED = "WATER_LOW_USE_OPEN"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Phones:
    """Acts on a share of the messages, some seconds after they came; what was answered is written down."""

    def __init__(self, folder: Path, *, web_port: int, seed: int, callback_token: str) -> None:
        self._caller = Caller(web_port, Record(folder, REQUESTS))
        self._acked = Record(folder, ACKED, durable=True)
        self._seed = seed
        self._json = {"Content-Type": "application/json", "Authorization": f"Bearer {callback_token}"}
        self._waiting: queue.PriorityQueue[tuple[float, str, str]] = queue.PriorityQueue()
        self._reports: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._did: Counter[str] = Counter()
        self._refused: list[str] = []

    def reached(self, gateway: str, key: str, what: Mapping[str, Any]) -> None:
        """Let the person of a new message decide whether to act on it, and how: by SMS, by the link, or not at all.

        Four in five SMS are reported as delivered; about the others the installation has to ask.
        """
        if gateway == UNKEYED and Random(f"report:{self._seed}:{key}").random() < REPORTED:
            self._reports.put(key)
        if what["template"] != "TASK_OFFERED" or what["params"].get("reason") != ANSWERED or what["count"] != 1:
            return
        chance = Random(f"person:{self._seed}:{key}")
        drawn, at = chance.random(), time.monotonic() + chance.uniform(*THINKS_S)
        if gateway == UNKEYED and drawn < REPLIES:
            self._waiting.put((at, "reply", key))
        elif gateway == KEYED and REPLIES <= drawn < CLOSES:
            self._waiting.put((at, "close", f"{key} {what['params']['link']}"))

    def act_until(self, end: Path) -> None:
        """Do what is due until the file `end` appears; what has been begun is finished."""
        threads = [threading.Thread(target=self._live, args=(end,)) for _ in range(PERSONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def report_until(self, end: Path) -> None:
        """Report what was delivered, some at a time, until the file `end` appears."""
        while not end.exists():
            time.sleep(REPORTS_EVERY_S)
            keys = [self._reports.get() for _ in range(min(self._reports.qsize(), REPORTS_AT_ONCE))]
            if keys:
                body = json.dumps([{"out_id": key, "status": "DELIVERED"} for key in keys]).encode()
                answer = self._caller.until_answered("POST", "/api/v1/sms/reports", body=body, headers=self._json)
                if answer.status == 200:
                    self._acked.note(what="reports", ids=keys, at=time.time())
                else:
                    self._refused.append(f"reports: {answer.status}")

    def done(self) -> dict[str, Any]:
        """Return how often each thing was done, and what was refused."""
        return {"did": dict(self._did), "refused": self._refused}

    def _live(self, end: Path) -> None:
        while not end.exists():
            try:
                at, what, detail = self._waiting.get(timeout=0.1)
            except queue.Empty:
                continue
            if at > time.monotonic():
                self._waiting.put((at, what, detail))
                time.sleep(0.05)
                continue
            try:
                self._reply(detail) if what == "reply" else self._close(*detail.split(" ", 1))
            except TimeoutError as error:
                self._refused.append(str(error))

    def _reply(self, key: str) -> None:
        body = json.dumps([{"out_id": key, "text": "1"}]).encode()
        answer = self._caller.until_answered("POST", "/api/v1/sms/replies", body=body, headers=self._json)
        self._note("reply", key, fine=answer.status == 200 and json.loads(answer.body)["taken"] == 1, status=answer.status)

    def _close(self, key: str, link: str) -> None:
        path = urlsplit(link).path
        page = self._caller.until_answered("GET", path, headers={})
        token = dict(each.split("=", 1) for each in page.cookies.split("; ") if each).get("csrftoken", "")
        headers = {**FORM, "Cookie": page.cookies, "X-CSRFToken": token}
        steps = {"accept": {}, "complete": {"result": "WELL", "e_how": "MET", "idempotency_key": f"c{key}"}}
        for step, fields in steps.items():
            body = urlencode({"do": step, **fields}).encode()
            answer = self._caller.until_answered("POST", path, body=body, headers=headers)
            if not self._note(step, key, fine=answer.status == 302, status=answer.status):
                return

    def _note(self, what: str, key: str, *, fine: bool, status: int) -> bool:
        if fine:
            self._acked.note(what=what, key=key, at=time.time())
            self._did[what] += 1
        else:
            self._refused.append(f"{what} {key}: {status}")
        return fine
