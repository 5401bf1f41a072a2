"""What can be wrong with a policy file, a case or a question. Each message: which thing, what was found, what was expected, what to do."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class EligibilityError(ShouwangError):
    """The root of what this room raises."""


class LineInvalid(EligibilityError):
    """A one-line comparison cannot be read."""

    zh = "“{line}”第 {column} 个字符处：{found_zh}；应为{expected_zh}。"
    en = "“{line}”, character {column}: {found_en}; expected {expected_en}."


class OutlineInvalid(EligibilityError):
    """The outline of a policy file cannot be read."""

    zh = "{where}：{found_zh}；应为{expected_zh}。"
    en = "{where}: {found_en}; expected {expected_en}."


class NameClash(EligibilityError):
    """Two things of one library bear one name."""

    zh = "“{name}”既是{first}又是{second}；请改掉其中一个名称。"
    en = "“{name}” is both {first} and {second}; rename one of them."


class NameCircle(EligibilityError):
    """Definitions or policies refer to one another in a circle."""

    zh = "{path} 互相引用成环；请去掉其中一处引用。"
    en = "{path} refer to one another in a circle; remove one of the references."


class KindClash(EligibilityError):
    """A thing is used as two kinds of value."""

    zh = "“{name}”在一处是{first}，在另一处是{second}；请改成同一种，或另起名称。"
    en = "“{name}” is {first} in one place and {second} in another; use one kind, or another name."


class FactInvalid(EligibilityError):
    """A given fact is not of the kind that the policies expect."""

    zh = "事实“{name}”：给出的是 {found}，应为{expected}；请更正后再判定。"
    en = "Fact “{name}”: found {found}, expected {expected}; correct it and judge again."


class PolicyUnknown(EligibilityError):
    """The library has no policy of this name."""

    zh = "没有政策“{name}”；现有：{known}。"
    en = "There is no policy “{name}”; there are: {known}."
    status = 404
