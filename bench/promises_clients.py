"""Clients of `promises_disk`: meters, another system and phones, who keep what was acknowledged and what was refused."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

KINDS = ("readings", "alerts", "cases")
CLEAR = (503, 507)
SAID = ("磁盘已满", "数据库暂时无法写入")
STEPS = ("accept", "arrive", "complete")
FIRST_SUBJECT = 1_000_000
PAUSE_S = 0.03
START_LIMIT_S = 240
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Clients:
    """Three clients in threads, each asking again and again until stopped."""

    def __init__(self, base: str, token: str, links: list[tuple[int, str]], *, meters: int) -> None:
        self._base, self._token, self._links, self._meters = base, token, links, meters
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(kind,), daemon=True) for kind in KINDS]
        self._phase = "before"
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._phase_at: dict[str, float] = {}
        self._first_after: dict[str, float] = {}
        self.acknowledged: dict[str, list[Any]] = {kind: [] for kind in KINDS}
        self.unclear: list[str] = []

    def start(self) -> None:
        """Begin, once the server answers and every kind was acknowledged once."""
        until = time.monotonic() + START_LIMIT_S
        while True:
            try:
                httpx.get(f"{self._base}/api/openapi.json", timeout=5)
                break
            except httpx.HTTPError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        for thread in self._threads:
            thread.start()
        while not self.all_kinds("acknowledged", "before"):
            if time.monotonic() > until:
                raise TimeoutError(f"nothing was acknowledged: {self.unclear[:3]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop asking."""
        self._stopped.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=60)

    def begin_phase(self, name: str) -> None:
        """Count from now on under another name."""
        self._phase_at[name] = time.monotonic()
        self._phase = name

    def all_kinds(self, what: str, phase: str) -> bool:
        """Return whether every kind of request was acknowledged, or refused, in a phase."""
        return all(self._counts[what][f"{phase} {kind}"] for kind in KINDS)

    def counts(self, what: str) -> dict[str, int]:
        """Return how many were acknowledged or refused, by phase and kind."""
        return dict(self._counts[what])

    def resumed_s(self) -> dict[str, float]:
        """Return how long after the space came back each kind was first acknowledged."""
        return {kind: round(at - self._phase_at["after"], 2) for kind, at in self._first_after.items()}

    def _client(self, kind: str) -> None:
        ask = {"readings": self._readings, "alerts": self._alerts, "cases": self._cases}[kind]
        with httpx.Client(base_url=self._base, timeout=60) as http:
            n = 0
            while not self._stopped.is_set():
                phase = self._phase
                try:
                    value, answer = ask(http, n)
                except httpx.HTTPError as error:
                    self.unclear.append(f"{phase} {kind}: {type(error).__name__}")
                    value, answer = None, None
                if answer is not None:
                    n += self._note(kind, phase, value, answer)
                self._stopped.wait(PAUSE_S)

    def _note(self, kind: str, phase: str, value: Any, answer: httpx.Response) -> int:
        """Note an answer and return 1 when it was an acknowledgement."""
        if answer.status_code in (200, 302):
            self.acknowledged[kind].append(value)
            self._counts["acknowledged"][f"{phase} {kind}"] += 1
            if phase == "after":
                self._first_after.setdefault(kind, time.monotonic())
            return 1
        self._counts["refused"][f"{phase} {kind}"] += 1
        if answer.status_code not in CLEAR or not any(words in answer.text for words in SAID):
            self.unclear.append(f"{phase} {kind}: {answer.status_code} {answer.text[:200]}")
        return 0

    def _readings(self, http: httpx.Client, n: int) -> tuple[int, httpx.Response]:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n)
        readings = [
            {"device": f"M{m}", "datastream": "register_l", "phenomenon_time": at.isoformat(), "result": n} for m in range(self._meters)
        ]
        return int(at.timestamp()) * 1_000_000, http.post("/api/v1/readings", json={"readings": readings}, headers=self._bearer())

    def _alerts(self, http: httpx.Client, n: int) -> tuple[int, httpx.Response]:
        subject = FIRST_SUBJECT + n
        alert = {"kind": "BENCH", "subject_kind": "bench", "subject_id": subject, "severity": 2, "reason": "BENCH"}
        return subject, http.post("/api/v1/alerts", json={"alerts": [alert]}, headers=self._bearer())

    def _cases(self, http: httpx.Client, n: int) -> tuple[str, httpx.Response]:
        task, link = self._links[n // len(STEPS) % len(self._links)]
        step = STEPS[n % len(STEPS)]
        shown = http.get(link)
        found = _TOKEN.search(shown.text)
        if found is None:
            return "", shown
        form = {"csrfmiddlewaretoken": found.group(1), "do": step, "result": "WELL", "idempotency_key": f"k{task}"}
        return f"{task} {step}", http.post(link, data=form, headers={"Origin": self._base})

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}
