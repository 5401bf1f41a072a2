"""An alert as a message of the Common Alerting Protocol 1.2 (OASIS, 2010), and the Atom feed that lists them. Pure.

Only what an alert of a public kind may say goes in: kind, severity, place and the registered sentence; never a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from xml.etree import ElementTree as ET

from shouwang.alerts.rules.findings import AlertKind
from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
CAP_TYPE = "application/cap+xml"
LANGUAGES: Mapping[str, str] = {"zh": "zh-CN", "en": "en-US"}
LIFETIME = timedelta(hours=24)
LONGEST_HEADLINE = 160
_REFUSED_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFUSED_IN_IDENTIFIER = re.compile(r"[\s,<&]")


@dataclass(frozen=True)
class Place:
    """Where an alert holds: its name in words, the outline's rings as (lon, lat) in WGS-84, and the division code."""

    name: str
    rings: tuple[tuple[tuple[float, float], ...], ...] = ()
    code: str = ""


@dataclass(frozen=True)
class CapAlert:
    """What a message is made of. `sentences` hold the reason in each language ("zh", "en")."""

    id: int
    kind: AlertKind
    severity: Severity
    place: Place
    opened_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    merged: int = 0
    is_exercise: bool = False
    sentences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Office:
    """Who speaks: the cell's code, the sender's identifier and name, and the address that serves the messages."""

    cell: str
    sender: str
    name: str
    address: str


def identifier(alert: CapAlert, office: Office) -> str:
    """Return the message's identifier: one for the alert, one for each update, one for its end."""
    return f"{office.cell}-{alert.id}-{_version(alert)}"


def message(alert: CapAlert, office: Office) -> bytes:
    """Return the alert as a CAP 1.2 document in UTF-8, valid against the standard's schema (CAP 1.2 §3.2)."""
    root = ET.Element("alert", {"xmlns": CAP})
    version = _version(alert)
    _add(root, "identifier", identifier(alert, office))
    sender = _REFUSED_IN_IDENTIFIER.sub("-", office.sender)
    _add(root, "sender", sender)
    _add(root, "sent", _moment(_sent_at(alert)))
    _add(root, "status", "Exercise" if alert.is_exercise else "Actual")
    _add(root, "msgType", msg_type(alert))
    _add(root, "scope", "Public")
    if version != "0":
        first = f"{sender},{office.cell}-{alert.id}-0,{_moment(alert.opened_at)}"
        _add(root, "references", first)
    for language in LANGUAGES:
        _add_info(root, alert, office, language)
    return _document(root)


def msg_type(alert: CapAlert) -> Literal["Alert", "Update", "Cancel"]:
    """Return what the message does to the ones before it: the first, a later word, or the end."""
    if alert.ended_at is not None:
        return "Cancel"
    return "Update" if alert.merged else "Alert"


def feed(alerts: Sequence[CapAlert], office: Office, *, now: datetime) -> bytes:
    """Return the Atom feed (RFC 4287) of these alerts, each entry linking to its message."""
    root = ET.Element("feed", {"xmlns": ATOM})
    _add(root, "id", f"{office.address}/feeds/alerts.atom")
    _add(root, "title", f"{office.name} 预警 / alerts")
    _add(root, "updated", _moment(max((_sent_at(alert) for alert in alerts), default=now)))
    _add(ET.SubElement(root, "author"), "name", office.name)
    ET.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": f"{office.address}/feeds/alerts.atom"})
    for alert in alerts:
        entry = ET.SubElement(root, "entry")
        address = f"{office.address}/feeds/alerts/{alert.id}.xml"
        _add(entry, "id", f"urn:shouwang:{identifier(alert, office)}")
        _add(entry, "title", _headline(alert, "zh"))
        _add(entry, "updated", _moment(_sent_at(alert)))
        _add(entry, "published", _moment(alert.opened_at))
        _add(entry, "summary", alert.sentences.get("zh", ""))
        ET.SubElement(entry, "link", {"rel": "alternate", "type": CAP_TYPE, "href": address})
    return _document(root)


def _version(alert: CapAlert) -> str:
    return "end" if alert.ended_at is not None else str(alert.merged)


def _sent_at(alert: CapAlert) -> datetime:
    return alert.ended_at or (alert.updated_at if alert.merged else alert.opened_at)


def _add_info(root: ET.Element, alert: CapAlert, office: Office, language: str) -> None:
    info = ET.SubElement(root, "info")
    kind = alert.kind
    _add(info, "language", LANGUAGES[language])
    _add(info, "category", kind.category)
    _add(info, "event", kind.title_en if language == "en" else kind.title_zh)
    _add(info, "responseType", kind.response_type)
    _add(info, "urgency", "Past" if alert.ended_at is not None else kind.urgency)
    _add(info, "severity", alert.severity.cap)
    _add(info, "certainty", kind.certainty)
    _add_named(info, "eventCode", "shouwang:kind", kind.code)
    _add(info, "effective", _moment(_sent_at(alert)))
    _add(info, "onset", _moment(alert.opened_at))
    _add(info, "expires", _moment(_sent_at(alert) + LIFETIME))
    _add(info, "senderName", office.name)
    _add(info, "headline", _headline(alert, language))
    _add(info, "description", alert.sentences.get(language, ""))
    _add(info, "web", f"{office.address}/feeds/alerts/{alert.id}.xml")
    _add_named(info, "parameter", "shouwang:level", alert.severity.name)
    area = ET.SubElement(info, "area")
    _add(area, "areaDesc", alert.place.name)
    for ring in closed_rings(alert.place.rings):
        _add(area, "polygon", " ".join(f"{lat:.5f},{lon:.5f}" for lon, lat in ring))
    if alert.place.code:
        _add_named(area, "geocode", "GB/T 2260", alert.place.code)


def _headline(alert: CapAlert, language: str) -> str:
    title = alert.kind.title_en if language == "en" else alert.kind.title_zh
    level = alert.severity.name.title() if language == "en" else f"{alert.severity.zh}色"
    headline = f"{alert.place.name} {title} ({level})" if language == "en" else f"{alert.place.name}{title}{level}预警"
    return headline[:LONGEST_HEADLINE]


def closed_rings(rings: Iterable[Sequence[tuple[float, float]]]) -> list[Sequence[tuple[float, float]]]:
    """Return the rings that CAP takes: at least four points, the last one the first again (CAP 1.2 §3.2.4)."""
    closed = [ring if ring[0] == ring[-1] else (*ring, ring[0]) for ring in rings if ring]
    return [ring for ring in closed if len(ring) >= 4]


def outer_rings(outline: Mapping[str, Any]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the outer rings of a GeoJSON Polygon or MultiPolygon; CAP knows no holes."""
    polygons = outline.get("coordinates", []) if outline.get("type") == "MultiPolygon" else [outline.get("coordinates", [])]
    return tuple(tuple((point[0], point[1]) for point in polygon[0]) for polygon in polygons if polygon)


def _document(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _REFUSED_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _add_named(parent: ET.Element, name: str, value_name: str, value: str) -> None:
    element = ET.SubElement(parent, name)
    _add(element, "valueName", value_name)
    _add(element, "value", value)


def _moment(at: datetime) -> str:
    """Return `at` as the standard writes it: whole seconds with an offset, never Z (CAP 1.2 §3.3.2)."""
    return local(at).replace(microsecond=0).isoformat()
