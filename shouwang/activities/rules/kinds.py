"""Kinds of activities and the matters handled at them, as data. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from shouwang.activities.rules.errors import CatalogueInvalid, NotUsed
from shouwang.kernel.texts import Text

Use = Literal["SIGN_UP", "WALK_IN", "CONSENT", "QUEUE", "MATTERS", "PHOTOS", "COST", "EVALUATION"]
USES: Mapping[Use, Text] = {
    "SIGN_UP": Text("报名", "sign-up"),
    "WALK_IN": Text("现场参加", "walk-in"),
    "CONSENT": Text("监护人同意", "guardian's consent"),
    "QUEUE": Text("排队叫号", "queue numbers"),
    "MATTERS": Text("办理事项", "matters"),
    "PHOTOS": Text("照片", "photos"),
    "COST": Text("费用", "cost"),
    "EVALUATION": Text("评价", "evaluation"),
}
Responsible = Literal["GRID_WORKER", "TOWNSHIP_DUTY", "CIVIL_AFFAIRS"]
FILE = "kinds.toml"


class Matter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of matter; `duty` goes on with what is not settled on the spot."""

    code: str
    zh: str
    en: str
    duty: Responsible

    @property
    def title(self) -> Text:
        """Return its name."""
        return Text(self.zh, self.en)


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of activity: what it uses, the codes of its matters, what people should know or bring."""

    code: str
    zh: str
    en: str
    uses: frozenset[Use]
    matters: tuple[str, ...]
    bring_zh: str
    bring_en: str

    @property
    def title(self) -> Text:
        """Return its name."""
        return Text(self.zh, self.en)

    @property
    def bring(self) -> Text:
        """Return what people should know or bring."""
        return Text(self.bring_zh, self.bring_en)

    @property
    def entries(self) -> tuple[str, ...]:
        """Return how people may come to it: by sign-up, as walk-ins, or both."""
        known = [use for use in ("SIGN_UP", "WALK_IN") if use in self.uses]
        return ("BOTH", *known) if len(known) > 1 else tuple(known)

    def require(self, use: Use) -> None:
        """Raise NotUsed when this kind has no such thing."""
        if use not in self.uses:
            raise NotUsed(kind=self.zh, kind_en=self.en.lower(), use=USES[use].zh, use_en=USES[use].en)


@dataclass(frozen=True)
class Catalogue:
    """The kinds and matters by code, in their order."""

    kinds: Mapping[str, Kind]
    matters: Mapping[str, Matter]


class _Sheet(msgspec.Struct, forbid_unknown_fields=True):
    kind: tuple[Kind, ...]
    matter: tuple[Matter, ...]


def catalogue(text: str) -> Catalogue:
    """Return the kinds and matters in a TOML text. Raises CatalogueInvalid."""
    try:
        sheet = msgspec.convert(tomllib.loads(text), _Sheet)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise CatalogueInvalid(file=FILE, code="?", problem=str(error)) from error
    matters = {each.code: each for each in sheet.matter}
    kinds = {each.code: each for each in sheet.kind}
    if len(matters) != len(sheet.matter) or len(kinds) != len(sheet.kind):
        raise CatalogueInvalid(file=FILE, code="*", problem="编码重复 / a code stands twice")
    for kind in kinds.values():
        problem = _problem(kind, matters)
        if problem:
            raise CatalogueInvalid(file=FILE, code=kind.code, problem=problem)
    return Catalogue(kinds, matters)


def _problem(kind: Kind, matters: Mapping[str, Matter]) -> str:
    unknown = [code for code in kind.matters if code not in matters]
    if unknown:
        return f"没有事项 {unknown[0]} / there is no matter {unknown[0]}"
    if not kind.entries:
        return "须有 SIGN_UP 或 WALK_IN / SIGN_UP or WALK_IN is needed"
    if ("MATTERS" in kind.uses) != bool(kind.matters):
        return "MATTERS 与 matters 须同时有或同时无 / MATTERS and matters go together"
    if "CONSENT" in kind.uses and "SIGN_UP" not in kind.uses:
        return "CONSENT 须有 SIGN_UP / CONSENT needs SIGN_UP"
    return ""
