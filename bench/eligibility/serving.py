"""One person over HTTP: a small WSGI page behind granian that decides and explains 39 policies, asked 50 times a second.

No page of the product does this yet; what is measured is the engine behind the product's web server.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np

from bench.eligibility.people import people, records
from bench.harness import ROOT, Bench
from bench.serving import free_port
from shouwang.eligibility import Judgement, blocking, shipped

PER_S, READY_S = 50, 60
PROGRAM = shipped().at(date(2026, 1, 1))


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer facts with the outcome, amount and blocking lines of every policy."""
    facts = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
    judgement = Judgement(PROGRAM, facts)
    answer = []
    for name, each in judgement.decisions().items():
        explanation = judgement.explanation(name)
        lines = [{"line": leaf.node.note.text, "cite": leaf.cite, "seen": {key: str(value) for key, value in leaf.seen.items()}} for leaf in blocking(explanation)]
        answer.append({"policy": name, "outcome": each.outcome, "amount": str(each.amount), "lines": lines})
    body = json.dumps(answer, ensure_ascii=False).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def run(bench: Bench, *, seconds: int) -> dict[str, Any]:
    """Return the 99th percentile of answers, from when each was due."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "bench.eligibility.serving:app"]
    with (bench.folder / "serving.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        taken = asked(port, seconds, seed=bench.seed)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    return {"http_p99_ms": round(float(np.percentile(taken, 99)) * 1_000, 1), "http_p50_ms": round(float(np.percentile(taken, 50)) * 1_000, 1), "http_requests": len(taken)}


def asked(port: int, seconds: int, *, seed: int) -> list[float]:
    """Return how long each answer took."""
    bodies = [json.dumps(each).encode() for each in records(people(shipped(), 500, seed=seed + 3, unknown=0.3), np.arange(500))]
    connection = ready(port)
    taken = []
    started = time.perf_counter() + 0.1
    for n in range(seconds * PER_S):
        due = started + n / PER_S
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.request("POST", "/", bodies[n % len(bodies)])
        answer = connection.getresponse()
        text = answer.read()
        taken.append(time.perf_counter() - due)
        if answer.status != 200 or len(json.loads(text)) != len(PROGRAM.asked):
            raise RuntimeError(f"answer {n} was {answer.status}")
    return taken


def ready(port: int) -> http.client.HTTPConnection:
    """Return a connection once the server listens. Raises TimeoutError."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", "/", b"{}")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.2)
        else:
            return connection
    raise TimeoutError(f"nothing listens on {port}")
