"""A client that knows nothing of Shouwang's code: keeps cookies, signs in by an entry link, loads a page with all it asks for."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

MOST_PARTS = 100
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Part:
    """One thing a page loads: its address, the bytes of its body on the wire, and what gzip would make of it."""

    url: str
    wire: int
    gzipped: int
    content: bytes
    kind: str


class Client:
    """One person's browser without a screen."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx.Client(
            base_url=address, follow_redirects=True, timeout=TIMEOUT_S, headers={"Accept-Encoding": "gzip", "Accept-Language": "zh-CN"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        """Return the answer to a GET. Raises httpx.HTTPStatusError for what is not found or refused."""
        return self._http.get(path).raise_for_status()

    def enter(self, link: str) -> httpx.Response:
        """Open an entry link, pressing its button where it has one; return the page that follows."""
        page = self.get(link)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        if "/enter/" not in page.url.path or token is None:
            return page
        return self._http.post(page.url, data={"csrfmiddlewaretoken": token[1], "next": "/"}).raise_for_status()

    def cookies(self) -> list[dict[str, str]]:
        """Return the cookies as Playwright takes them."""
        return [{"name": cookie.name, "value": cookie.value or "", "url": self.address} for cookie in self._http.cookies.jar]

    def load(self, path: str) -> list[Part]:
        """Return a page and everything it loads, followed through styles and modules; the live stream is none of it."""
        parts: dict[str, Part] = {}
        waiting = [urljoin(self.address, path)]
        while waiting:
            url = waiting.pop(0)
            if url in parts or len(parts) >= MOST_PARTS:
                continue
            part = self._part(url)
            if part is None:
                continue
            parts[url] = part
            waiting += [each for each in _asked_for(part) if urlsplit(each).netloc == urlsplit(self.address).netloc]
        return list(parts.values())

    def _part(self, url: str) -> Part | None:
        """Return one thing a page loads; None for a picture that is not there, which a style may name and nothing show."""
        with self._http.stream("GET", url) as answer:
            raw = b"".join(answer.iter_raw())
            if answer.status_code == 404 and url.endswith((".png", ".gif", ".svg", ".jpg")):
                return None
            answer.raise_for_status()
            content = gzip.decompress(raw) if answer.headers.get("content-encoding") == "gzip" else raw
            kind = answer.headers.get("content-type", "").partition(";")[0]
        return Part(url, len(raw), len(gzip.compress(content, 9)), content, kind)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and set((given.get("rel") or "").split()) & {"stylesheet", "icon", "modulepreload", "preload", "manifest"}:
            self.found.append(given.get("href") or "")
        elif tag in {"script", "img", "source", "video", "audio", "iframe", "embed", "input"} and given.get("src"):
            self.found.append(given["src"] or "")


def _asked_for(part: Part) -> Iterator[str]:
    """Yield the addresses that a page, a style or a module loads by itself."""
    text = part.content.decode("utf-8", "replace")
    if part.kind == "text/html":
        links = _Links()
        links.feed(text)
        found = links.found
    elif part.kind == "text/css":
        found = re.findall(r"""(?:url\(\s*|@import\s+)["']?([^"')\s;]+)""", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    elif part.kind.endswith("javascript"):
        found = re.findall(r"""(?:^|[;}\s])(?:import|export)\b[^;"'`()]*?["'](\.{0,2}/[^"']+)["']|import\(\s*["'](\.{0,2}/[^"']+)["']""", text)
        found = [one or other for one, other in found]
    else:
        found = []
    yield from (urljoin(part.url, each) for each in found if each and not each.startswith(("data:", "blob:", "#")))
