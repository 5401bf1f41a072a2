"""Bodies that come in blocks (RFC 7959, Block1): put together within limits of number, size and age. Pure.

The library's own store has no limits. A block may come again, since its answer may have been lost.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from shouwang.kernel.errors import ShouwangError
from shouwang.ui.answers import BodyTooLarge


class BlockMissing(ShouwangError):
    """A block does not follow those that came before; the sender has to begin anew."""

    zh = "数据块从第 {found} 字节开始，应为第 {expected} 字节；请从第 0 块重新发送。"
    en = "The block begins at byte {found}, expected byte {expected}; send again from block 0."
    status = 408


@dataclass
class Upload:
    """What has come of one body, where its last block began, and when that was."""

    body: bytes
    last_start: int
    at_s: float


class Uploads:
    """The bodies under way, oldest first."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._uploads: OrderedDict[Hashable, Upload] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._uploads)

    def add(self, key: Hashable, block: bytes, *, start: int, is_last: bool, at_s: float) -> bytes | None:
        """Return the whole body with its last block, None before. Raises BodyTooLarge, BlockMissing.

        A body stays until it is too old, so that its last block may come again.
        """
        self._forget(at_s)
        if start + len(block) > self._limits["body_bytes"]:
            self._drop(key)
            raise BodyTooLarge(found=f"at least {start + len(block)} B", most=f"{self._limits['body_bytes']} B")
        known = self._uploads.get(key)
        before = known.body if known is not None and start else b""
        if known is not None and start and start == known.last_start:
            before = before[:start]
        if len(before) != start:
            raise BlockMissing(found=start, expected=len(before))
        self._drop(key)
        self._uploads[key] = Upload(before + block, start, at_s)
        self._bytes += start + len(block)
        self._forget(at_s)
        return before + block if is_last else None

    def _forget(self, at_s: float) -> None:
        while self._uploads:
            key, oldest = next(iter(self._uploads.items()))
            is_old = at_s - oldest.at_s > self._limits["upload_s"]
            if not is_old and len(self._uploads) <= self._limits["uploads"] and self._bytes <= self._limits["upload_bytes"]:
                break
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        gone = self._uploads.pop(key, None)
        self._bytes -= len(gone.body) if gone is not None else 0
