"""The SOAP messages that a PullPoint takes, with a WS-UsernameToken. Pure."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape

from shouwang.telemetry.cameras.trees import every, get, number, text

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
NOTIFY = "http://docs.oasis-open.org/wsn/b-2"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
LIFE_S = 120
WAIT_S = 10
MESSAGES = 100
CREATE = f'<tev:CreatePullPointSubscription xmlns:tev="{EVENTS}"><tev:InitialTerminationTime>PT{LIFE_S}S</tev:InitialTerminationTime></tev:CreatePullPointSubscription>'
PULL = f'<tev:PullMessages xmlns:tev="{EVENTS}"><tev:Timeout>PT{WAIT_S}S</tev:Timeout><tev:MessageLimit>{MESSAGES}</tev:MessageLimit></tev:PullMessages>'
RENEW = f'<wsnt:Renew xmlns:wsnt="{NOTIFY}"><wsnt:TerminationTime>PT{LIFE_S}S</wsnt:TerminationTime></wsnt:Renew>'
UNSUBSCRIBE = f'<wsnt:Unsubscribe xmlns:wsnt="{NOTIFY}"/>'
CLOCK = f'<tds:GetSystemDateAndTime xmlns:tds="{DEVICE}"/>'
ACTIONS = {
    CREATE: f"{EVENTS}/EventPortType/CreatePullPointSubscriptionRequest", PULL: f"{EVENTS}/PullPointSubscription/PullMessagesRequest",
    RENEW: f"{NOTIFY[:-4]}/bw-2/SubscriptionManager/RenewRequest", UNSUBSCRIBE: f"{NOTIFY[:-4]}/bw-2/SubscriptionManager/UnsubscribeRequest",
    CLOCK: f"{DEVICE}/GetSystemDateAndTime",
}


def envelope(body: str, *, to: str, security: str = "") -> bytes:
    """Return a whole message."""
    addressing = f'<wsa:Action xmlns:wsa="{ADDRESSING}">{ACTIONS[body]}</wsa:Action><wsa:To xmlns:wsa="{ADDRESSING}">{escape(to)}</wsa:To>'
    return f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP}"><s:Header>{security}{addressing}</s:Header><s:Body>{body}</s:Body></s:Envelope>'.encode()


def password_digest(nonce: bytes, created: str, password: str) -> str:
    """Return the digest of WS-UsernameToken: SHA-1 over nonce, moment and password, as the profile says."""
    return base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()).decode()


def username_token(user: str, password: str, *, nonce: bytes, at: datetime) -> str:
    """Return the header that signs a message; `at` is by the camera's clock, which refuses what looks old to it."""
    created = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" s:mustUnderstand="1"><wsse:UsernameToken><wsse:Username>{escape(user)}</wsse:Username>'
        f'<wsse:Password Type="{DIGEST}">{password_digest(nonce, created, password)}</wsse:Password>'
        f'<wsse:Nonce EncodingType="{BASE64}">{base64.b64encode(nonce).decode()}</wsse:Nonce><wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>'
    )


def clock_of(answer: Any) -> datetime | None:
    """Return the camera's moment in UTC from its answer, None where it does not say."""
    for each in every(answer, "UTCDateTime"):
        said = get(each, "UTCDateTime")
        day, time = get(said, "Date"), get(said, "Time")
        values = [number(get(day, name)) for name in ("Year", "Month", "Day")] + [number(get(time, name)) for name in ("Hour", "Minute", "Second")]
        try:
            return datetime.fromisoformat("{:04.0f}-{:02.0f}-{:02.0f}T{:02.0f}:{:02.0f}:{:02.0f}+00:00".format(*(each if each is not None else -1 for each in values)))
        except (ValueError, OverflowError):
            return None
    return None


def clock_shift(answer: Any, *, now: datetime) -> timedelta:
    """Return by how much the camera's clock is ahead of ours, nothing where it does not say."""
    said = clock_of(answer)
    return said - now if said is not None else timedelta()


def subscription_of(answer: Any, *, asked: str) -> str:
    """Return the address of the subscription, on the host that was asked: behind a router cameras name an address of their own. Empty for none."""
    address = next((text(each, "Address") for each in every(answer, "Address")), "")
    if not address:
        return ""
    try:
        own, given = urlsplit(asked), urlsplit(address)
    except ValueError:
        return ""
    return urlunsplit((own.scheme, own.netloc, given.path or own.path, given.query, ""))


def is_fault(answer: Any) -> bool:
    """Return whether a camera says that something cannot be done."""
    return any(True for _ in every(answer, "Fault"))
