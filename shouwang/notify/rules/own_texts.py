"""Texts that an area may say in its own words: which, what each may name, and what is refused before it could reach anybody. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.notify.rules.texts import TEMPLATES

LANGUAGES = ("zh", "en")
VALUES_LEAST = 10
"""Characters of the shortest channel that a text must leave to what it names."""
TITLES: Mapping[str, Text] = {
    "TASK_OFFERED": Text("新任务", "A new task"), "TASK_ESCALATED": Text("任务升级", "A task escalated"),
    "TASK_REMINDER": Text("催签收", "A reminder to accept"), "TASK_OVERDUE": Text("任务超时", "A task overdue"),
    "TASK_HANDED_OVER": Text("转办", "A task handed over"), "TASK_REVIEW": Text("暂停到期复查", "A suspended task due for review"),
    "CASE_LATE": Text("事件过承诺时限", "A case past its promised limit"), "SUBJECT_ASKED": Text("询问本人", "The resident is asked"),
    "CONTACT_ASKED": Text("询问亲友", "A contact is asked"), "CONTACT_SAID": Text("亲友的回答", "What a contact answered"),
}
NAMES: Mapping[str, Text] = {
    "reason": Text("24 小时用水 2 升，低于 10 升", "2 L used in 24 hours, below 10 L"), "who": Text("张某某", "Zhang"), "said": Text("在家，平安", "at home, well"),
}
"""What a text may name, each with an invented value for the preview."""


class TextInvalid(ShouwangError):
    """An area's own words of a message could not be said."""

    zh = "“{title}”的文字不能用：{found}；应为 {expected}。"
    en = "The words of “{title}” cannot be used: {found}; expected {expected}."
    status = 422

    def text(self, language: str) -> str:
        """Return the message in `language`."""
        said = {name: value.render(language, {}) if isinstance(value, Text) else value for name, value in self.params.items()}
        return (self.en if language.startswith("en") else self.zh).format(**said)


def key_of(template: str, language: str) -> str:
    """Return the name of the area setting that holds a template's own words."""
    return f"notify.text.{template}.{language}"


def names_of(template: str) -> frozenset[str]:
    """Return what a template may name: what its shipped text names in either language."""
    shipped = TEMPLATES[template]
    return frozenset(name for text in (shipped.zh, shipped.en) for _, name, _, _ in Formatter().parse(text) if name)


def checker(template: str, *, limit: int) -> Callable[[str], None]:
    """Return what raises TextInvalid for words of `template` that cannot be said on a channel of `limit` characters."""

    def check(words: str) -> None:
        if words:
            check_words(template, words, limit=limit)

    return check


def check_words(template: str, words: str, *, limit: int) -> None:
    """Raise TextInvalid for unbalanced braces, a name the template does not have, or words that leave no room for what they name."""
    title, allowed = TITLES[template], names_of(template)
    named = Text("、".join(f"{{{name}}}" for name in sorted(allowed)), ", ".join(f"{{{name}}}" for name in sorted(allowed)))
    try:
        pieces = list(Formatter().parse(words))
    except ValueError:
        raise TextInvalid(title=title, found=Text("花括号不成对", "the braces do not match"), expected=named) from None
    for _, name, spec, conversion in pieces:
        if name is not None and (name not in allowed or spec or conversion):
            found = "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
            raise TextInvalid(title=title, found=found[:40], expected=named)
    fixed = sum(len(literal) for literal, *_ in pieces)
    if fixed > limit - VALUES_LEAST:
        raise TextInvalid(
            title=title, found=Text(f"{fixed} 个字", f"{fixed} characters"),
            expected=Text(f"除所填内容外最多 {limit - VALUES_LEAST} 个字", f"at most {limit - VALUES_LEAST} beside what is filled in"),
        )


def preview(words: str, language: str) -> str:
    """Return words that were checked, filled with invented values."""
    return Text(words, words).render(language, {name: value.render(language, {}) for name, value in NAMES.items()})
