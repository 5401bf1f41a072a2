"""An independent client of the live stream: `python -m bench.listening PORT FILE`, token on stdin. Knows nothing of Shouwang's code.

Writes a line of JSON for each item: when its last byte came (seconds since 1970), its id and its data. When the
connection breaks it comes again with Last-Event-ID.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import time
from pathlib import Path
from typing import TextIO

SILENT_S = 40.0
AGAIN_S = 0.2


def listen(port: int, token: str, out: TextIO) -> None:
    """Listen for ever."""
    last_id = ""
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            last_id = _connection(port, token, last_id, out)
        time.sleep(AGAIN_S)


def _connection(port: int, token: str, last_id: str, out: TextIO) -> str:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENT_S)
    headers = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last_id} if last_id else {})}
    client.request("GET", "/stream/", headers=headers)
    answer = client.getresponse()
    print(json.dumps({"at": time.time(), "status": answer.status, "resumed": last_id}), file=out, flush=True)
    try:
        while line := answer.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "id":
                last_id = value
            elif field == "data":
                print(json.dumps({"at": time.time(), "id": last_id, "data": json.loads(value)}), file=out, flush=True)
    except (OSError, http.client.HTTPException):
        pass
    finally:
        client.close()
    return last_id


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w", encoding="utf-8") as file:
        listen(int(sys.argv[1]), sys.stdin.readline().strip(), file)
