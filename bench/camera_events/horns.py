"""Network horns as devices are: `python -m bench.camera_events.horns PORT FILE`. Knows nothing of Shouwang's code.

Takes a sound at /play/N, notes when its first and its last byte came and how long it was, and answers 200. Writes everything
when it is told to end.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

Heard = dict[str, float | int | str]


async def serve(port: int, heard: list[Heard]) -> None:
    """Listen until SIGTERM."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                began = time.time()
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                heard.append({"at": began, "whole": time.time(), "path": head[0].split(" ")[1], "bytes": len(body), "type": headers.get("content-type", "")})
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", port, backlog=1024)
    print("ready", flush=True)
    await over.wait()
    server.close()


if __name__ == "__main__":
    found: list[Heard] = []
    asyncio.run(serve(int(sys.argv[1]), found))
    Path(sys.argv[2]).write_text(json.dumps(found))
