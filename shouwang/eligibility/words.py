"""The words of a policy file, Chinese and English alike, and how such a file becomes plain mappings. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any, NoReturn

import yaml

from shouwang.eligibility.errors import OutlineInvalid

MOST_CHARACTERS, MOST_DEPTH = 4_000_000, 60
SAME: dict[str, str] = {
    "关于": "about", "事实": "facts", "参数": "parameters", "定义": "definitions", "政策": "policies",
    "全部": "all", "任一": "any", "非": "not", "条": "test", "值": "value", "自": "from", "至": "until", "据": "cite", "说明": "explain",
    "材料": "evidence", "示例": "illustrative", "金额": "amount", "版本": "versions", "地区": "area", "名称": "title", "编号": "number",
    "部门": "department", "周期": "period", "不同享": "excludes", "补差": "tops_up", "让位于": "yields_to", "有效期": "valid",
    "公示": "notice", "时限": "deadline", "免申": "application_free", "复核": "review", "办理": "offices", "类型": "kind", "单位": "unit",
    "问": "question", "选项": "choices", "可变": "mutable", "代价": "cost", "最小": "min", "最大": "max",
    "name": "title", "label": "title", "note": "explain", "values": "value", "type": "kind",
}
CHINESE = {english: chinese for chinese, english in reversed(SAME.items()) if not chinese.isascii()}
CONDITION = ("all", "any", "not", "test", "value")
NOTE = ("cite", "explain", "evidence", "illustrative", "title")
DATED = ("from", "until", "area")
TERMS = ("number", "department", "period", "excludes", "tops_up", "yields_to", "valid", "notice", "deadline", "application_free", "review", "offices")
YES_NO = {"是": True, "否": False, "yes": True, "no": False, "true": True, "false": False}


class Strict(yaml.SafeLoader):
    """The safe loader, which also refuses a key that stands twice."""


def _mapping(loader: Strict, node: yaml.MappingNode) -> dict[Hashable, Any]:
    found: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in found:
            wrong(f"{key_node.start_mark.line + 1}: {key}", ("同一个键出现两次", "the key stands twice"), ("每个键只出现一次", "each key once"))
        found[key] = loader.construct_object(value_node, deep=True)
    return found


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def wrong(where: str, found: tuple[str, str], expected: tuple[str, str]) -> NoReturn:
    """Raise OutlineInvalid; `found` and `expected` are Chinese and English."""
    raise OutlineInvalid(where=where, found_zh=found[0], found_en=found[1], expected_zh=expected[0], expected_en=expected[1])


def read_yaml(text: str, *, where: str = "YAML") -> Any:
    """Return the plain data of a YAML text: the safe loader, no key twice, at most four million characters."""
    if len(text) > MOST_CHARACTERS:
        wrong(where, (f"{len(text)} 个字符", f"{len(text)} characters"), (f"不超过 {MOST_CHARACTERS}", f"at most {MOST_CHARACTERS}"))
    try:
        return yaml.load(text, Loader=Strict)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        wrong(where, (f"不是 YAML：{error}", f"not YAML: {error}"), ("缩进和引号正确的 YAML", "YAML with correct indents and quotes"))
    except (RecursionError, ValueError, TypeError) as error:
        wrong(where, (f"无法读取：{error}", f"unreadable: {error}"), ("普通的 YAML", "plain YAML"))


def keyed(given: object, *, where: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    """Return a mapping with its keys in English. Raises OutlineInvalid for a key that is not `allowed` or stands in both languages."""
    if not isinstance(given, Mapping):
        wrong(where, (f"{given!r}", f"{given!r}"), ("若干“键: 值”", "keys with values"))
    found: dict[str, Any] = {}
    for key, value in given.items():
        word = SAME.get(str(key), str(key))
        if word not in allowed or word in found:
            known = "、".join(CHINESE.get(each, each) for each in allowed), ", ".join(allowed)
            wrong(f"{where} › {key}", ("不认识的键，或出现两次", "an unknown key, or one that stands twice"), known)
        found[word] = value
    return found


def flag(given: object, *, where: str) -> bool:
    """Return 是 or 否 as truth."""
    if isinstance(given, bool):
        return given
    if str(given).strip() not in YES_NO:
        wrong(where, (f"{given}", f"{given}"), ("是或否", "yes or no"))
    return YES_NO[str(given).strip()]


def day(given: object, *, where: str) -> date | None:
    """Return a day; nothing where none is given."""
    if given is None or isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        wrong(where, (f"{given}", f"{given}"), ("日期，如 2024-07-01", "a day such as 2024-07-01"))


def named(given: object, *, where: str) -> Mapping[Any, Any]:
    """Return a section as names with their content; a list of mappings that name themselves becomes one."""
    if isinstance(given, Mapping):
        return given
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        wrong(where, (f"{type(given).__name__}", f"{type(given).__name__}"), ("若干“名称: 内容”", "names with their content"))
    found: dict[Any, Any] = {}
    for each in given:
        keys = [key for key in each if str(key) in {"name", "id", "名称"}]
        if len(keys) != 1 or each[keys[0]] in found:
            wrong(where, (f"{each!r}", f"{each!r}"), ("每项一个 name，各不相同", "one name in each, all different"))
        found[each[keys[0]]] = {key: value for key, value in each.items() if key != keys[0]}
    return found


def words(given: object) -> tuple[str, ...]:
    """Return one text or a list of texts as texts."""
    if given is None:
        return ()
    return tuple(str(each) for each in given) if isinstance(given, (list, tuple)) else (str(given),)
