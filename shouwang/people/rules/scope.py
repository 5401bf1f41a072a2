"""What a principal may see and do: places × rights. Pure.

A right counts at the places of the duty that gives it, never at those of another duty of the same person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shouwang.kernel.errors import Refused
from shouwang.people.rules.codes import (
    ADMINISTRATOR,
    CITY_DUTY,
    CIVIL_AFFAIRS,
    COUNTY_DUTY,
    DEVICE,
    GRID_LEADER,
    GRID_WORKER,
    INTEGRATION,
    LINK,
    TOWNSHIP_DUTY,
    VILLAGE_CADRE,
)

RIGHTS = frozenset({
    "case.read", "case.dispatch", "case.handle", "case.close", "places.edit", "people.read", "people.reveal", "people.edit",
    "duties.edit", "settings.edit", "telemetry.import", "telemetry.write", "alerts.write", "stream.read", "push.read", "audit.read",
})
_OFFICER = frozenset({
    "case.read", "case.dispatch", "case.handle", "case.close", "people.read", "people.reveal", "stream.read",
})
_VILLAGE = frozenset({"case.read", "case.handle", "people.read", "people.reveal", "stream.read"})
RIGHTS_OF_DUTY: Mapping[str, frozenset[str]] = {
    GRID_WORKER: _VILLAGE,
    VILLAGE_CADRE: _VILLAGE,
    GRID_LEADER: _VILLAGE,
    TOWNSHIP_DUTY: _OFFICER,
    COUNTY_DUTY: _OFFICER,
    CITY_DUTY: _OFFICER,
    CIVIL_AFFAIRS: frozenset({"case.read", "people.read", "people.reveal", "people.edit", "telemetry.import", "stream.read"}),
    ADMINISTRATOR: frozenset({
        "case.read", "places.edit", "people.read", "people.edit", "duties.edit", "settings.edit", "telemetry.import", "stream.read", "audit.read",
    }),
}
RIGHTS_OF_TOKEN: Mapping[str, frozenset[str]] = {
    LINK: frozenset({"case.read", "case.handle"}),
    DEVICE: frozenset({"telemetry.write"}),
    INTEGRATION: frozenset({"telemetry.write", "alerts.write", "stream.read"}),
}
ONLY_WHERE_STATED: Mapping[str, frozenset[str]] = {INTEGRATION: frozenset({"push.read"})}
"""Rights that no token has unless it was issued for them: to hear what reaches other people's inboxes."""
Kind = Literal["ACCOUNT", "LINK", "DEVICE", "INTEGRATION"]


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights at everything below one path."""

    path: str
    rights: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What one principal sees (`paths`) and may do (`rights`, all of them together).

    `grants` says which right counts where; without grants every right counts at every path. A LINK sees no path,
    only its `object` (kind, id); `subject` is the device's or integration's own name.
    """

    person_id: int | None
    paths: tuple[str, ...]
    rights: frozenset[str]
    kind: Kind = "ACCOUNT"
    object: tuple[str, int] | None = None
    grants: tuple[Grant, ...] = ()
    subject: str = ""
    account_id: int | None = None

    def sees(self, path: str) -> bool:
        """Return whether `path` lies at or below one of the scope's paths."""
        return bool(path) and path.startswith(self.paths)

    def paths_for(self, right: str) -> tuple[str, ...]:
        """Return the paths at which the principal has `right`, none inside another."""
        if right not in self.rights:
            return ()
        if not self.grants:
            return self.paths
        return outermost(grant.path for grant in self.grants if right in grant.rights)

    def may(self, right: str, path: str) -> bool:
        """Return whether the principal has `right` at `path`."""
        return bool(path) and path.startswith(self.paths_for(right))

    def require(self, right: str, path: str | None = None) -> None:
        """Raise Refused unless the principal has `right`, at `path` where one is given."""
        if right not in self.rights or (path is not None and not self.may(right, path)):
            raise Refused(right=right)


def rights_of_token(kind: str, stated: Collection[str]) -> frozenset[str]:
    """Return the rights of a token: those it was issued for, as far as its kind may have them; all usual ones of its kind if none were."""
    return frozenset(stated) & grantable(kind) if stated else RIGHTS_OF_TOKEN[kind]


def grantable(kind: str) -> frozenset[str]:
    """Return the rights that a token of `kind` may be issued for."""
    return RIGHTS_OF_TOKEN[kind] | ONLY_WHERE_STATED.get(kind, frozenset())


EVERYWHERE = "/"
SYSTEM = Scope(None, (EVERYWHERE,), RIGHTS)
"""The scope of the installation itself: seeds, commands and jobs. No request ever gets it."""


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths that lie inside no other, ascending."""
    found: list[str] = []
    for path in sorted(set(paths)):
        if path and not (found and path.startswith(found[-1])):
            found.append(path)
    return tuple(found)


def rights_of(duties: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], frozenset[str], tuple[Grant, ...]]:
    """Return the paths, the rights and the grants that duties given as (code, path) add up to."""
    by_path: dict[str, frozenset[str]] = {}
    for code, path in duties:
        if path:
            by_path[path] = by_path.get(path, frozenset()) | RIGHTS_OF_DUTY[code]
    grants = tuple(Grant(path, rights) for path, rights in sorted(by_path.items()))
    return outermost(by_path), frozenset().union(*by_path.values()), grants
