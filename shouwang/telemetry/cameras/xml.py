"""XML as cameras send it, into nested dictionaries, without entities: nothing a sender declares is ever expanded. Pure."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from shouwang.ui.answers import BodyInvalid

DEPTH_MOST = 32
ELEMENTS_MOST = 5_000
EXPECTED = "XML without DOCTYPE and entities"
TEXT = ""
"""The key under which an element with attributes or children has its text."""

Tree = dict[str, Any]
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,80}encoding\s*=\s*["']([A-Za-z0-9_.\-]{1,20})["']""")


def read_xml(body: bytes) -> Tree:
    """Return the root element as {its name: content}, names without prefix. Raises BodyInvalid.

    Content is text, or a dictionary of attributes ("@name") and children; children of the same name are a list.
    """
    reader = _Reader()
    try:
        reader.parse(text_of(body))
    except expat.ExpatError as error:
        raise BodyInvalid(field="body", found=str(error), expected=EXPECTED) from error
    return reader.root


def text_of(body: bytes) -> str:
    """Return XML as text: in the Chinese encoding it declares or turns out to have, else UTF-8. Never fails."""
    declared = _ENCODING.match(body[:200])
    name = declared.group(1).decode("ascii").lower() if declared else ""
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return body.decode("utf-16", "replace")
    if name.startswith("gb"):
        return body.decode("gb18030", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("utf-8" if name.startswith("utf") else "gb18030", "replace")


class _Reader:
    """Builds the tree while expat reads."""

    def __init__(self) -> None:
        self.root: Tree = {}
        self._open: list[tuple[str, Tree, list[str]]] = [("", self.root, [])]
        self._elements = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._hear
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse

    def parse(self, text: str) -> None:
        self._parser.Parse(_DECLARATION.sub("", text.lstrip("\ufeff \r\n\t\0")).rstrip("\0 \r\n\t"), True)

    def _refuse(self, *_: object) -> None:
        raise BodyInvalid(field="body", found="a DOCTYPE or an entity", expected=EXPECTED)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) > DEPTH_MOST or self._elements > ELEMENTS_MOST:
            raise BodyInvalid(field="body", found=f"over {DEPTH_MOST} levels or {ELEMENTS_MOST} elements", expected=EXPECTED)
        self._open.append((name.rpartition(":")[2], {f"@{key}": value for key, value in attributes.items()}, []))

    def _hear(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _end(self, _: str) -> None:
        name, content, heard = self._open.pop()
        text = "".join(heard).strip()
        if text and content:
            content[TEXT] = text
        found: Any = content or text
        parent = self._open[-1][1]
        if name not in parent:
            parent[name] = found
        elif isinstance(parent[name], list):
            parent[name].append(found)
        else:
            parent[name] = [parent[name], found]
