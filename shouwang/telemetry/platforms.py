"""What the pushes of operator platforms have in common: which property is which datastream, and how they are signed. Pure."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from shouwang.telemetry.placing import Name, Reading
from shouwang.telemetry.rules import Unmapped
from shouwang.ui.answers import BodyInvalid

LITRES = {"L": 1.0, "m3": 1_000.0}
DECIMALS = 3
SIGNED_WITHIN_S = 300
MILLISECONDS_FROM = 100_000_000_000
NAMES_SHOWN = 10


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One property of a platform's service, and the datastream it is: result = value × unit × multiplier.

    Without `service` or `product` it counts in any of them. Without `datastream` it is known and left out.
    """

    property: Annotated[str, msgspec.Meta(min_length=1)]
    service: str = ""
    product: str = ""
    datastream: Annotated[str, msgspec.Meta(max_length=64)] = "register_l"
    unit: Literal["L", "m3"] = "L"
    multiplier: float = 1.0


class Platform(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set for every platform. `token` is an integration's token of Shouwang with which the platform signs."""

    registers: tuple[Register, ...] = ()
    token: str = ""
    signature: Literal["SHA256", "SHA1"] = "SHA256"


@dataclass(frozen=True, slots=True)
class Report:
    """The properties of one service of one device at a moment; `field` is where they stand in the message."""

    device: Name
    product: str
    service: str
    at: datetime
    properties: Mapping[str, Any]
    field: str


def read_reports(reports: Sequence[Report], registers: Sequence[Register]) -> list[Reading]:
    """Return the readings that `registers` name.

    Raises BodyInvalid for a value that is no number, and Unmapped when there are properties and none of them is known.
    """
    known, readings = False, []
    for report in reports:
        for register in registers:
            if register.property in report.properties and _fits(register, report):
                known = True
                if register.datastream:
                    readings.append(_reading(register, report))
    found = sorted({name for report in reports for name in report.properties})
    if found and not known:
        raise Unmapped(device=reports[0].device, found=", ".join(found[:NAMES_SHOWN]))
    return readings


def _fits(register: Register, report: Report) -> bool:
    return register.service in {"", report.service} and register.product in {"", report.product}


def _reading(register: Register, report: Report) -> Reading:
    value = number_of(report.properties[register.property], field=f"{report.field}.{register.property}")
    result = round(value * LITRES[register.unit] * register.multiplier, DECIMALS)
    return Reading(register.datastream, report.at, result, report.device)


def number_of(value: object, *, field: str) -> float:
    """Return a number that may have been sent as text. Raises BodyInvalid."""
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float | str) else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise BodyInvalid(field=field, found=str(value)[:80], expected="a number")
    return number


def is_signed(headers: Mapping[str, str], platform: Platform, *, at_s: float) -> bool:
    """Return whether `signature` is the digest of token, `timestamp` and `nonce`, sorted and joined, within five minutes of now.

    `headers` are named in lower case; `timestamp` counts seconds or milliseconds. Compared in constant time.
    """
    signature, timestamp, nonce = (headers.get(name, "") for name in ("signature", "timestamp", "nonce"))
    if not (platform.token and signature and nonce and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("1764000000000")):
        return False
    moment_s = int(timestamp) / 1_000 if int(timestamp) >= MILLISECONDS_FROM else int(timestamp)
    joined = "".join(sorted((platform.token, timestamp, nonce))).encode()
    expected = hashlib.new(platform.signature, joined, usedforsecurity=False).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode()) and abs(at_s - moment_s) <= SIGNED_WITHIN_S
