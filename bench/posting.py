"""Posts alerts at a steady rate whatever the answers take: `python -m bench.posting PORT BODIES FILE RATE [PATH]`, token on stdin.

BODIES holds one JSON body a line. Writes for each: when it was due and when it began to be sent, when the answer had
come, and the status. An alert that finds every connection busy begins late; its time counts from when it was due.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

CONNECTIONS = 48
ALERTS = "/api/v1/alerts"
LEAD_S = 1.0
ANSWER_S = 30.0
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def post_all(port: int, token: str, bodies: list[bytes], *, per_s: float, path: str = ALERTS) -> list[dict[str, float]]:
    """Post each body at its moment and return what came of them, in order."""
    idle: asyncio.Queue[Stream] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    start = time.time() + LEAD_S

    async def one(n: int, body: bytes) -> dict[str, float]:
        due = start + n / per_s
        await asyncio.sleep(max(0.0, due - time.time()))
        stream = await idle.get()
        began = time.time()
        status = await asyncio.wait_for(_post(stream, token, body, path), ANSWER_S)
        idle.put_nowait(stream)
        return {"due": due, "began": began, "acked": time.time(), "status": status}

    return list(await asyncio.gather(*(one(n, body) for n, body in enumerate(bodies))))


async def _post(stream: Stream, token: str, body: bytes, path: str) -> int:
    reader, writer = stream
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    await reader.readexactly(int(headers["content-length"]))
    return int(lines[0].split(" ")[1])


if __name__ == "__main__":
    to, bodies_file, out, rate, *address = sys.argv[1:]
    found = asyncio.run(post_all(
        int(to), sys.stdin.readline().strip(), Path(bodies_file).read_bytes().splitlines(), per_s=float(rate), path=next(iter(address), ALERTS),
    ))
    Path(out).write_text(json.dumps(found))
