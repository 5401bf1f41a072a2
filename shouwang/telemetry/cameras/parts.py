"""Multipart as cameras send it: bodies that are whole, and streams that never end, cut anywhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shouwang.ui.answers import BodyInvalid

HEAD_BYTES = 8 * 1024
PART_BYTES = 12 * 1024 * 1024
PARTS_MOST = 32
EMPTY_MOST = 100
_PARAMETER = re.compile(r""";\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^;\s]+))""")
_DELIMITER = b"\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers with names in lower case, and its content."""

    headers: dict[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """Return the media type without parameters, in lower case."""
        return media_type_of(self.headers.get("content-type", ""))

    @property
    def names(self) -> frozenset[str]:
        """Return by which names other parts may speak of this one: content id, field name, file name."""
        disposition = parameters_of(self.headers.get("content-disposition", ""))
        found = (self.headers.get("content-id", "").strip("<> "), disposition.get("name", ""), disposition.get("filename", ""))
        return frozenset(each for each in found if each)


def media_type_of(header: str) -> str:
    """Return the media type of a Content-Type header, without its parameters."""
    return header.partition(";")[0].strip().lower()


def parameters_of(header: str) -> dict[str, str]:
    """Return the parameters of a header, names in lower case."""
    return {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(header)}


def boundary_of(content_type: str, body: bytes = b"") -> bytes:
    """Return the boundary that a Content-Type says; of a body without one, what its first line shows. Empty for none."""
    declared = parameters_of(content_type).get("boundary", "").encode("latin-1", "replace")
    if declared:
        return declared.removeprefix(b"--") if b"--" + declared not in body[:HEAD_BYTES] and body[:2] == b"--" else declared
    first = body.lstrip(_DELIMITER)[:200].partition(b"\n")[0].strip()
    return first[2:] if first.startswith(b"--") and len(first) > 2 else b""


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of a whole body. Raises BodyInvalid."""
    boundary = boundary_of(content_type, body)
    if not boundary:
        raise BodyInvalid(field="body", found="no boundary", expected="multipart with its boundary in Content-Type")
    splitter = Splitter(boundary)
    found = [*splitter.feed(body), *splitter.end()]
    if len(found) > PARTS_MOST:
        raise BodyInvalid(field="body", found=f"{len(found)} parts", expected=f"at most {PARTS_MOST}")
    return found


class Splitter:
    """Cuts a stream into parts. A part ends after its Content-Length, which is believed where a boundary follows it, else at the next boundary."""

    def __init__(self, boundary: bytes) -> None:
        self._mark = b"--" + boundary
        self._buffer = b""

    @property
    def pending(self) -> bytes:
        """Return what has come of a part that has not ended."""
        return self._buffer

    def feed(self, data: bytes) -> Iterator[Part]:
        """Take bytes and yield the parts that are complete with them. Raises BodyInvalid for a part over its limits."""
        self._buffer += data
        while (found := self._next()) is not None:
            yield found
        if len(self._buffer) > HEAD_BYTES + PART_BYTES:
            raise BodyInvalid(field="body", found="a part without end", expected=f"at most {PART_BYTES} B")

    def end(self) -> Iterator[Part]:
        """Yield the part that the end of the stream ends."""
        self._buffer += b"\r\n" + self._mark
        yield from self.feed(b"")
        self._buffer = b""

    def _next(self) -> Part | None:
        """Return the next part that is whole, None until one is."""
        for _ in range(EMPTY_MOST):
            begin = self._buffer.find(self._mark)
            if begin < 0:
                self._buffer = self._buffer[-len(self._mark) :]
                return None
            head_at = self._buffer.find(b"\n", begin)
            if head_at < 0:
                self._buffer = self._buffer[begin:]
                return None
            is_last = self._buffer[begin + len(self._mark) : begin + len(self._mark) + 2] == b"--"  # what follows the last boundary begins anew
            blank = _blank(self._buffer, head_at)
            again = self._buffer.find(self._mark, head_at)
            if is_last or 0 <= again < blank[0] or (blank[0] < 0 <= again):  # a boundary with nothing behind it
                self._buffer = self._buffer[head_at if is_last else again :]
                continue
            return None if blank[0] < 0 else self._content(_headers(self._buffer[head_at + 1 : blank[0]]), blank[1])
        raise BodyInvalid(field="body", found="boundaries with nothing between them", expected="parts")

    def _content(self, headers: dict[str, str], start: int) -> Part | None:
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and 0 < int(length[:12]) <= PART_BYTES:
            end = start + int(length[:12])
            if end <= len(self._buffer) and self._follows(end):
                return self._cut(headers, start, end, end)
            if end > len(self._buffer) and self._buffer.find(self._mark, start) < 0:
                return None
        end = self._buffer.find(self._mark, start)
        return None if end < 0 else self._cut(headers, start, end, end)

    def _follows(self, end: int) -> bool:
        """Return whether a boundary follows, or nothing has come yet that says otherwise."""
        rest = self._buffer[end : end + len(self._mark) + 4].lstrip(_DELIMITER)
        return self._mark.startswith(rest[: len(self._mark)])

    def _cut(self, headers: dict[str, str], start: int, end: int, rest: int) -> Part:
        content = self._buffer[start:end]
        self._buffer = self._buffer[rest:]
        return Part(headers, content.removesuffix(b"\n").removesuffix(b"\r"))


def _blank(buffer: bytes, start: int) -> tuple[int, int]:
    """Return where the headers end and the content begins, -1 where they have not ended."""
    found = [(at, at + len(mark)) for mark in (b"\n\r\n", b"\n\n") if (at := buffer.find(mark, start, start + HEAD_BYTES)) >= 0]
    return min(found, default=(-1, -1))


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}
