"""Which addresses outside a channel may reach. Pure."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

_NAT64 = IPv6Network("64:ff9b::/96")


def refusal(url: str, *, allowed: Collection[str]) -> str | None:
    """Return the code of why `url` may not be called, None when it may: https only, but for hosts in `allowed`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "URL_INVALID"
    if not parts.hostname or parts.username or parts.password or port == 0:
        return "URL_INVALID"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_allowed(parts.hostname, port, allowed)):
        return "NOT_HTTPS"
    return None


def host_of(url: str) -> str:
    """Return where `url` lives: all of an address with a token in it that may be shown."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_allowed(host: str, port: int | None, allowed: Collection[str]) -> bool:
    """Return whether the office has allowed `host`, or exactly `host:port`."""
    return host in allowed or f"{host}:{port}" in allowed


def is_public(address: str) -> bool:
    """Return whether a resolved address is on the public internet, looking through IPv4 wrapped in IPv6."""
    found: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(found, IPv6Address):
        wrapped = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            wrapped = IPv4Address(int(found) & 0xFFFF_FFFF)
        found = wrapped or found
    return found.is_global and not found.is_multicast
