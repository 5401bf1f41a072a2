"""Calls to the installation as a device, another system or a phone makes them: again and again until they are answered."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.faults.records import Record

TRIES = 900
AGAIN_S = 0.1
TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    cookies: str


class Caller:
    """Calls one address, and writes down from when to when each request was open: sent whole, and not yet answered."""

    def __init__(self, port: int, requests: Record) -> None:
        self._port = port
        self._requests = requests

    def until_answered(self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str]) -> Answer:
        """Return the first answer that is not a server's failure. Raises TimeoutError after TRIES."""
        for _ in range(TRIES):
            answer = self.once(method, path, body=body, headers=headers)
            if answer is not None and answer.status < 500:
                return answer
            time.sleep(AGAIN_S)
        message = f"{method} {path[:20]} was not answered in {TRIES} tries"
        raise TimeoutError(message)

    def once(self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str]) -> Answer | None:
        """Return the answer to one request, None when none came whole."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        row: dict[str, Any] = {"path": path[:20], "status": 0}
        try:
            connection.request(method, path, body, dict(headers))
            row["sent"] = time.monotonic()
            response = connection.getresponse()
            content = response.read()
            row["status"] = response.status
            cookies = "; ".join(each.split(";")[0] for each in response.headers.get_all("Set-Cookie", []))
            return Answer(response.status, content, cookies)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
            if "sent" in row:
                self._requests.note(**row, done=time.monotonic())
