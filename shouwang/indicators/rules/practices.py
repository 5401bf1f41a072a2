"""The practices of the city, and the figures that were published of them: kept as data, counted from rows. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from shouwang.indicators.rules.figures import DefinitionInvalid
from shouwang.kernel.texts import Text

Built = Literal["RUNNING", "PART", "NOT_YET"]
Counted = Literal["CASES_HANDLED", "THINGS", "ACTIVITIES", "MATTERS", "PERSONS"]
FILE = "practices.toml"
OF_ACTIVITIES: frozenset[Counted] = frozenset({"ACTIVITIES", "MATTERS", "PERSONS"})
BUILT: Mapping[Built, Text] = {
    "RUNNING": Text("运行中", "Running"), "PART": Text("部分运行", "Running in part"), "NOT_YET": Text("尚未建成", "Not built yet"),
}


class Practice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One practice. `opens` is the page where it is seen at work, entered as `role`; `lacks` what of it is not built yet."""

    code: str
    title_zh: str
    title_en: str
    says_zh: str
    says_en: str
    built: Built
    opens: str = ""
    role: str = ""
    opens_zh: str = ""
    opens_en: str = ""
    lacks_zh: str = ""
    lacks_en: str = ""

    @property
    def title(self) -> Text:
        """Return its name."""
        return Text(self.title_zh, self.title_en)

    @property
    def says(self) -> Text:
        """Return what it does, in one sentence."""
        return Text(self.says_zh, self.says_en)

    @property
    def opens_as(self) -> Text:
        """Return what the link to the running loop says."""
        return Text(self.opens_zh, self.opens_en)

    @property
    def lacks(self) -> Text:
        """Return what is not built yet, empty for nothing."""
        return Text(self.lacks_zh, self.lacks_en)


class PublishedFigure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure that the city has published: what was said, and over which rows it is counted here.

    `kinds` narrows to kinds of cases, things or activities. No value stands here but in the words that were published.
    """

    code: str
    practice: str
    title_zh: str
    title_en: str
    means_zh: str
    means_en: str
    published_zh: str
    published_en: str
    unit_zh: str
    unit_en: str
    counted: Counted
    kinds: tuple[str, ...]

    @property
    def title(self) -> Text:
        """Return its name."""
        return Text(self.title_zh, self.title_en)

    @property
    def means(self) -> Text:
        """Return what is counted, in one sentence."""
        return Text(self.means_zh, self.means_en)

    @property
    def published(self) -> Text:
        """Return what was published, in its words."""
        return Text(self.published_zh, self.published_en)

    @property
    def unit(self) -> Text:
        """Return the unit."""
        return Text(self.unit_zh, self.unit_en)


@dataclass(frozen=True)
class Practices:
    """The practices in their order, and the published figures by code in theirs."""

    all: tuple[Practice, ...]
    figures: Mapping[str, PublishedFigure]

    def figures_of(self, practice: str) -> tuple[PublishedFigure, ...]:
        """Return the figures published of one practice."""
        return tuple(figure for figure in self.figures.values() if figure.practice == practice)


class _Sheet(msgspec.Struct, forbid_unknown_fields=True):
    practice: tuple[Practice, ...]
    figure: tuple[PublishedFigure, ...]


def practices(text: str) -> Practices:
    """Return the practices and figures in a TOML text, in its order. Raises DefinitionInvalid."""
    try:
        sheet = msgspec.convert(tomllib.loads(text), _Sheet)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise DefinitionInvalid(file=FILE, code="?", problem=str(error)) from error
    codes = [practice.code for practice in sheet.practice] + [figure.code for figure in sheet.figure]
    if len(set(codes)) != len(codes):
        raise DefinitionInvalid(file=FILE, code="*", problem="编码重复 / a code stands twice")
    known = {practice.code for practice in sheet.practice}
    for code, problem in [
        *((practice.code, _problem(practice)) for practice in sheet.practice),
        *((figure.code, "" if figure.practice in known else "没有这一实践 / there is no such practice") for figure in sheet.figure),
    ]:
        if problem:
            raise DefinitionInvalid(file=FILE, code=code, problem=problem)
    return Practices(sheet.practice, {figure.code: figure for figure in sheet.figure})


def _problem(practice: Practice) -> str:
    """Return the first thing for which a practice cannot be shown, empty for none."""
    leads = (practice.opens, practice.role, practice.opens_zh, practice.opens_en)
    if any(leads) != all(leads):
        return "opens、role、opens_zh、opens_en 须同时有或同时无 / opens, role, opens_zh and opens_en go together"
    if bool(practice.opens) != (practice.built != "NOT_YET"):
        return "运行的须有 opens，尚未建成的不可有 / what runs has an opens, what is not built has none"
    if bool(practice.lacks_zh and practice.lacks_en) != (practice.built == "PART"):
        return "PART 须写明 lacks，其余不可有 / a PART says what it lacks, nothing else does"
    return ""

