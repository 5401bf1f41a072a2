"""The lint of templates and wording: `python -m shouwang.ui.lint`. Reads sources only; knows no room by name.

A template extends and includes from its own room or `ui`. Nothing inline: no script, style or event attribute (the
Content-Security-Policy would refuse it), nothing marked safe. Every control has a label, every id is there once, every POST
carries its token, and every word stands in both languages.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = "ui"
CJK = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[A-Za-z]{2,}")
PLACE = re.compile(r"{(\w+)}")
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
STRING = r'"((?:[^"\\]|\\.)*)"'
CALL = re.compile(rf"{{%\s*t\s+{STRING}\s+{STRING}(.*?)%}}", re.DOTALL)
NAMED = re.compile(r"{%\s*(extends|include)\s+(\S+)")
UNSAFE = re.compile(r"\|\s*safe\b|{%\s*autoescape\s+off")
OUTPUT = frozenset({"t", "say", "moment", "day", "ago", "left", "severity", "cell", "bar", "url", "static", "firstof", "page_moment", "control", "now"})
OPEN, SHUT = frozenset({"if", "for"}), frozenset({"endif", "endfor"})
SPOKEN = frozenset({"title", "placeholder", "aria-label", "alt", "label"})
VERBATIM = frozenset({"kbd", "code", "pre", "script", "style"})
CONTROLS = frozenset({"input", "select", "textarea"})
UNLABELLED = frozenset({"hidden", "submit", "button", "reset", "image"})
FRAMES = frozenset({"frame"})


@dataclass(frozen=True)
class Fault:
    """One thing wrong in one file."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        """Return the fault as compilers write it."""
        return f"{self.file}:{self.line}: {self.text}"


def check_template(source: str, *, file: Path, room: str) -> list[Fault]:
    """Return what is wrong with one template of a room."""
    page = Page(source)
    found = [*_names(source, room), *_unsafe(source), *_calls(source), *page.faults()]
    return sorted((Fault(file, line, text) for line, text in found), key=lambda fault: fault.line)


def check_words(source: str, *, file: Path) -> list[Fault]:
    """Return the Texts of a Python file whose two languages do not fit each other."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Text", "Phrase"}:
            words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if len(words) == 2 and len(node.args) == 2:
                found += [Fault(file, node.lineno, text) for text in _pair(*words)]
    return found


def _line(source: str, offset: int) -> int:
    return source.count("\n", 0, offset) + 1


def _names(source: str, room: str) -> Iterator[tuple[int, str]]:
    for found in NAMED.finditer(source):
        tag, name = found.groups()
        line = _line(source, found.start())
        if not name.startswith(('"', "'")):
            if tag == "include" or name not in FRAMES:
                yield line, f"{tag} {name}: name the template, so that its room can be checked"
        elif name.strip("\"'").partition("/")[0] not in {room, SHARED}:
            yield line, f"{tag} {name}: a template takes from its own room ({room}) or {SHARED} only"


def _unsafe(source: str) -> Iterator[tuple[int, str]]:
    for found in UNSAFE.finditer(source):
        yield _line(source, found.start()), f"{found.group()}: text is always escaped"


def _calls(source: str) -> Iterator[tuple[int, str]]:
    for found in CALL.finditer(source):
        zh, en, rest = found.groups()
        line = _line(source, found.start())
        for text in _pair(zh, en):
            yield line, text
        missing = set(PLACE.findall(zh)) - set(re.findall(r"(\w+)=", rest))
        if missing:
            yield line, f"{{% t %}} lacks {', '.join(sorted(missing))}, which “{zh}” asks for"


def _pair(zh: str, en: str) -> Iterator[str]:
    if CJK.search(en):
        yield f"“{en}” is the English text, but holds Chinese"
    if WORD.search(PLACE.sub("", zh)) and not CJK.search(zh) and zh != en:
        yield f"“{zh}” is the Chinese text, but holds none"
    if set(PLACE.findall(zh)) - {"zh"} != set(PLACE.findall(en)) - {"en"}:
        yield f"“{zh}” and “{en}” ask for different things"


@dataclass(frozen=True)
class _Spot:
    """Where in the branches of a template something stands: (number of the if or for, which branch) from the outside in."""

    branches: tuple[tuple[int, int], ...]
    repeated: bool

    def excludes(self, other: _Spot) -> bool:
        """Return whether both can never show on one page."""
        there = dict(other.branches)
        return any(number in there and there[number] != branch for number, branch in self.branches)


class Page(HTMLParser):
    """A template as HTML: every template tag blanked out at its place, what it puts out kept as one sign."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self._signs: dict[str, str] = {}
        self._source = source
        self._spots = list(self._walk())
        self._found: list[tuple[int, str]] = []
        self._inside: list[str] = []
        self._ids: dict[str, list[_Spot]] = {}
        self._labels: set[str] = set()
        self._controls: list[tuple[int, str, dict[str, str], bool]] = []
        self.feed(TAG.sub(self._sign, source))
        self.close()

    def faults(self) -> list[tuple[int, str]]:
        """Return what is wrong, as (line, words)."""
        for line, tag, attributes, in_label in self._controls:
            labelled = in_label or attributes.get("id", "") in self._labels or attributes.keys() & {"aria-label", "aria-labelledby"}
            if not labelled:
                self._found.append((line, f"<{tag} name={attributes.get('name', '?')!r}>: no label"))
        return self._found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Check one element."""
        attributes = {name: value or "" for name, value in attrs}
        line = self.getpos()[0]
        self._attributes(line, tag, attributes)
        if "id" in attributes:
            self._id(line, attributes["id"])
        if tag == "label" and attributes.get("for"):
            self._labels.add(attributes["for"])
        if tag in CONTROLS and attributes.get("type", "text") not in UNLABELLED:
            self._controls.append((line, tag, attributes, "label" in self._inside))
        if tag not in {"input", "img", "br", "meta", "link", "hr"}:
            self._inside.append("verbatim" if "lang" in attributes and tag != "html" else tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element; one that another branch has left already is passed over."""
        for place in range(len(self._inside) - 1, max(-1, len(self._inside) - 4), -1):
            if self._inside[place] in {tag, "verbatim"}:
                del self._inside[place:]
                return

    def handle_data(self, data: str) -> None:
        """Check a text: only template tags may speak."""
        if VERBATIM & set(self._inside) or "verbatim" in self._inside:
            return
        self._speaks(self.getpos()[0], data)

    def _speaks(self, line: int, text: str) -> None:
        if CJK.search(text) or WORD.search(text):
            self._found.append((line, f"“{' '.join(text.split())[:40]}”: words stand in {{% t %}}, in both languages"))

    def _attributes(self, line: int, tag: str, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            if name == "style" or name.startswith(("on", "hx-on")) or value.startswith("js:") or "javascript:" in value:
                self._found.append((line, f"<{tag} {name}>: nothing inline"))
            if name in SPOKEN:
                self._speaks(line, value)
        if tag == "style" or (tag == "script" and "src" not in attributes):
            self._found.append((line, f"<{tag}>: nothing inline"))
        if tag == "img" and "alt" not in attributes:
            self._found.append((line, "<img>: no alt"))
        if tag == "form" and attributes.get("method", "").lower() == "post" and not self._has_token():
            self._found.append((line, "<form method=post>: no {% csrf_token %}"))

    def _has_token(self) -> bool:
        line, column = self.getpos()
        lines = self._source.splitlines(keepends=True)
        rest = lines[line - 1][column:] + "".join(lines[line:])
        return "csrf_token" in rest.partition("</form")[0]

    def _id(self, line: int, name: str) -> None:
        spot = self._spots[self._offset()]
        if spot.repeated and not any(sign in name for sign in self._signs.values()):
            self._found.append((line, f"id {name!r} stands in a loop: make it differ"))
        if any(not spot.excludes(other) for other in self._ids.get(name, [])):
            self._found.append((line, f"id {name!r} is there twice"))
        self._ids.setdefault(name, []).append(spot)

    def _offset(self) -> int:
        line, column = self.getpos()
        return sum(len(each) for each in self._source.splitlines(keepends=True)[: line - 1]) + column

    def _sign(self, found: re.Match[str]) -> str:
        tag = found.group()
        first = tag[2:-2].split()[:1]
        if tag.startswith("{{") or (tag.startswith("{%") and first and first[0] in OUTPUT and " as " not in tag):
            sign = self._signs.setdefault(tag, chr(0xE000 + len(self._signs)))
            return re.sub(r"[^\n]", sign, tag)
        return re.sub(r"[^\n]", " ", tag)

    def _walk(self) -> Iterator[_Spot]:
        """Yield the spot of each character."""
        stack: list[tuple[int, int]] = []
        loops: list[bool] = []
        numbered, at = 0, 0
        for found in TAG.finditer(self._source):
            spot = _Spot(tuple(stack), any(loops))
            yield from [spot] * (found.end() - at)
            at = found.end()
            words = found.group()[2:-2].split() if found.group().startswith("{%") else []
            if words and words[0] in OPEN:
                numbered += 1
                stack.append((numbered, 0))
                loops.append(words[0] == "for")
            elif words and words[0] in {"else", "elif", "empty"} and stack:
                stack[-1] = (stack[-1][0], stack[-1][1] + 1)
                loops[-1] = False
            elif words and words[0] in SHUT and stack:
                stack.pop()
                loops.pop()
        yield from [_Spot(tuple(stack), any(loops))] * (len(self._source) - at + 1)


def check_all(root: Path = ROOT) -> list[Fault]:
    """Return what is wrong in every template and every Text below `root`."""
    faults: list[Fault] = []
    for file in sorted(root.rglob("templates/**/*.html")):
        inside = file.relative_to(next(parent for parent in file.parents if parent.name == "templates"))
        room = inside.parts[0] if len(inside.parts) > 1 else SHARED
        faults += check_template(file.read_text("utf-8"), file=file, room=room)
    for file in sorted(root.rglob("*.py")):
        faults += check_words(file.read_text("utf-8"), file=file)
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the faults and return 1 when there are any."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    faults = check_all(Path(given[0]) if given else ROOT)
    _say(str(fault) for fault in faults)
    _say([f"{len(faults)} faults in templates and words" if faults else "Templates and words are in order."])
    return 1 if faults else 0


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
