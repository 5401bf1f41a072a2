"""The words of a message: a template's code and its parameters become a sentence in the reader's language. Pure.

Rooms register their templates and words when the program starts; a code nobody registered still says something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shouwang.kernel.texts import Text

BUNDLE = "BUNDLE"
TEST = "CHANNEL_TEST"
QUIET_OVER = "QUIET_OVER"
PLAIN = "PLAIN"
EXERCISE = Text("【演练】", "[EXERCISE] ")
UNREGISTERED = Text("您有一条新消息（{template}），请打开守望查看。", "You have a new message ({template}); open Shouwang to read it.")
TEMPLATES: dict[str, Text] = {
    BUNDLE: Text("您有 {count} 条消息，最急的一条：{first}", "You have {count} messages; the most urgent: {first}"),
    TEST: Text("这是守望的测试消息。", "This is a test message from Shouwang."),
    QUIET_OVER: Text("勿扰时段内您有 {count} 条消息，请打开守望查看。", "{count} messages came in your quiet hours; open Shouwang to read them."),
    PLAIN: Text("您有一条新消息（{name}），请打开守望查看。", "You have a new message ({name}); open Shouwang to read it."),
    "TASK_OFFERED": Text("新任务：{reason}。请尽快签收。", "New task: {reason}. Please accept it."),
    "TASK_ESCALATED": Text("任务已升级到您：{reason}。下级未签收，请处置。", "Escalated to you: {reason}. Nobody below accepted it."),
    "TASK_REMINDER": Text("请签收任务：{reason}。", "Please accept the task: {reason}."),
    "TASK_OVERDUE": Text("任务已超时：{reason}。", "The task is overdue: {reason}."),
    "TASK_HANDED_OVER": Text("转办给您的任务：{reason}。", "Handed over to you: {reason}."),
    "CASE_RAISED": Text("情况加重：{reason}。", "It has grown graver: {reason}."),
    "CASE_LATE": Text("事件已过承诺时限：{reason}。", "The case is past its promised limit: {reason}."),
    "SUBJECT_ASKED": Text("社区关怀，您家{reason}。", "Community care about your home: {reason}."),
    "CONTACT_ASKED": Text("社区关怀，您登记的亲友家{reason}。", "Community care about the home you are the contact of: {reason}."),
    "CONTACT_SAID": Text("{reason}：{who}回答“{said}”。", "{reason}: {who} answered “{said}”."),
    "TASK_REVIEW": Text("暂停的任务到了复查时间：{reason}。", "A suspended task is due for review: {reason}."),
}
ACCEPT_KEY = "1"
NUMBER_DIGITS = 2
ASKS_TO_ACCEPT = frozenset({"TASK_OFFERED", "TASK_ESCALATED", "TASK_REMINDER", "TASK_HANDED_OVER"})
SUBJECT_ASKED = "SUBJECT_ASKED"
CONTACT_ASKED = "CONTACT_ASKED"
NO_LINK = frozenset({SUBJECT_ASKED})
"""Templates whose readers answer by a key alone: a link would show them what only the answerable person sees."""
ANSWERS = "answers"
"""The parameter that names what may be answered: rows of key, code and the words in both languages."""
ANSWER_WORDS: Mapping[str, Text] = {"press": Text("{title}请按 {key}。", "{title}: press {key}."), "reply": Text("{title}请回复 {key}。", "{title}: reply {key}.")}
WORDS: dict[str, Text] = {}
NOTHING: Mapping[str, Any] = {}
LinkMaker = Callable[[int, int], str]
PageMaker = Callable[[Mapping[str, Any]], str]
HomeMaker = Callable[[], str]
_makers: list[LinkMaker] = []
_home_makers: list[HomeMaker] = []
_page_makers: dict[str, PageMaker] = {}


def register(code: str, text: Text) -> None:
    """Make the template `code` known; a second registration replaces the first."""
    TEMPLATES[code] = text


def register_words(words: Mapping[str, Text]) -> None:
    """Make codes known that stand in parameters, such as the reason of an alert."""
    WORDS.update(words)


def register_link(maker: LinkMaker) -> None:
    """Say how the address of a task is made for a person; it is made when a message leaves and is never stored."""
    _makers[:] = [maker]


def register_home(maker: HomeMaker) -> None:
    """Say which address shows the own tasks to whoever signs in there: what a group is given, which must open nothing by itself."""
    _home_makers[:] = [maker]


def home_link() -> str:
    """Return the address of the own tasks, or nothing."""
    return _home_makers[0]() if _home_makers else ""


def register_page(template: str, maker: PageMaker) -> None:
    """Say how the address of what a template speaks of is made from its parameters; as a task's, it is never stored."""
    _page_makers[template] = maker


def link_of(task_id: int | None, person_id: int, *, template: str = "", params: Mapping[str, Any] = NOTHING) -> str:
    """Return the address that opens a task for a person, else that of what the template speaks of, or nothing."""
    if template in NO_LINK:
        return ""
    if task_id is not None:
        return _makers[0](task_id, person_id) if _makers else ""
    return _page_makers[template](params) if template in _page_makers else ""


def render(
    template: str, params: Mapping[str, Any], *, language: str, count: int = 1, limit: int | None = None, is_exercise: bool = False,
    own: Text | None = None,
) -> str:
    """Return the sentence of a message, or of a bundle of `count` whose leader it is, at most `limit` characters long.

    `own` are the words of an area in place of the template's.
    """
    text = own or TEMPLATES.get(template, UNREGISTERED)
    spoken = {name: phrase(value, language, params) for name, value in params.items()}
    sentence = text.render(language, {"template": template, **spoken})
    if count > 1:
        sentence = TEMPLATES[BUNDLE].render(language, {"count": count, "first": sentence})
    if is_exercise:
        sentence = EXERCISE.render(language, {}) + sentence
    return sentence if limit is None or len(sentence) <= limit else sentence[: limit - 1] + "…"


def choices(params: Mapping[str, Any], language: str, *, way: str) -> str:
    """Return what may be answered in words, to be pressed (`way` press) or written (reply); empty where nothing is asked."""
    return "".join(
        ANSWER_WORDS[way].render(language, {"title": en if language == "en" else zh, "key": key}) for key, _, zh, en in params.get(ANSWERS, ())
    )


def meaning(params: Mapping[str, Any], said: str) -> tuple[str, int]:
    """Return the code of what somebody answered, and the number said behind the key ("2" and 3 for "23"); 1 accepts where nothing else is asked."""
    words = said.strip()
    for key, code, *_ in params.get(ANSWERS, ()):
        number = words.removeprefix(key).strip(" *#")
        if words.startswith(key) and (not number or (number.isascii() and number.isdigit() and len(number) <= NUMBER_DIGITS)):
            return code, int(number or 0)
    return ("ACCEPT" if words == ACCEPT_KEY and not params.get(ANSWERS) else "OTHER"), 0


def phrase(code: Any, language: str, params: Mapping[str, Any]) -> Any:
    """Return the words of a registered code, filled from `params`; anything else as it is."""
    known = WORDS.get(code) if isinstance(code, str) else None
    return known.render(language, params) if known else code
