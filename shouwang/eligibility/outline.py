"""Reads the YAML outline of a policy file into a `Library`; `checking.py` then settles names and kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from shouwang.eligibility.checking import checked
from shouwang.eligibility.errors import LineInvalid, NameClash
from shouwang.eligibility.form import BOOLEAN, EMPTY, NUMBER, TEXT, All, AnyOf, Const, If, Node, Not, Note
from shouwang.eligibility.grammar import parsed
from shouwang.eligibility.library import Dated, Entry, FactSpec, Library, Parameter, Terms, Version
from shouwang.eligibility.words import CONDITION, DATED, NOTE, TERMS, day, flag, keyed, named, read_yaml, words, wrong

KINDS = {"是否": BOOLEAN, "bool": BOOLEAN, "boolean": BOOLEAN, "数值": NUMBER, "number": NUMBER, "文字": TEXT, "text": TEXT}
SECTIONS = ("facts", "parameters", "definitions", "policies", "about")
MOST_DEPTH = 30
CHINESE_VALUE = "值"


def load(*paths: Path) -> Library:
    """Return the library of one or several files; names are shared among them."""
    return library_of(*(path.read_text("utf-8") for path in paths))


def shipped() -> Library:
    """Return the library that comes with this package: the policies of one province, amounts to be filled in by each county."""
    return load(*sorted((Path(__file__).parent / "data").glob("*.yaml")))


def library_of(*texts: str) -> Library:
    """Return the library of one or several YAML texts. Raises LineInvalid, OutlineInvalid, NameClash, NameCircle, KindClash."""
    return library_from([read_yaml(text) for text in texts])


def library_from(files: Sequence[Any]) -> Library:
    """Return the library of plain data, as YAML gives it."""
    merged: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for file in files:
        for section, content in keyed(file or {}, where="文件 file", allowed=SECTIONS).items():
            if section == "about":
                continue
            for key, value in named(content or {}, where=section).items():
                if str(key) in merged[section]:
                    raise NameClash(name=key, first=section, second=section)
                merged[section][str(key)] = value
    return checked(Library(
        {name: fact_spec(name, given) for name, given in merged["facts"].items()},
        {name: parameter(name, given) for name, given in merged["parameters"].items()},
        {name: entry(name, given) for name, given in merged["definitions"].items()},
        {name: entry(name, given) for name, given in merged["policies"].items()},
    ))


def fact_spec(name: str, given: object) -> FactSpec:
    """Return what a file says about a fact."""
    where = f"事实 fact › {name}"
    found = keyed(given or {}, where=where, allowed=("kind", "question", "unit", "choices", "mutable", "cost", "min", "max", *NOTE))
    kind = found.get("kind")
    if kind is not None and str(kind) not in KINDS:
        wrong(f"{where} › 类型 kind", (f"{kind}", f"{kind}"), ("是否、数值或文字", "bool, number or text"))
    return FactSpec(
        name, KINDS[str(kind)] if kind is not None else None, str(found.get("title", "")), str(found.get("question", "")), str(found.get("unit", "")),
        tuple(found.get("choices", ())), flag(found.get("mutable", True), where=f"{where} › 可变"), float(found.get("cost", 1)),
        found.get("min"), found.get("max"), note_of(found, where=where),
    )


def parameter(name: str, given: object) -> Parameter:
    """Return a parameter from one of its forms: a value, `{from, until, area, value}`, a list of those, or values by date."""
    where = f"参数 parameter › {name}"
    if not isinstance(given, Mapping):
        return Parameter(name, series(given, where=where))
    if is_by_date(given):
        return Parameter(name, series(given, where=where))
    found = keyed(given, where=where, allowed=("value", "versions", "unit", *DATED, *NOTE))
    inner = found.get("versions", found.get("value"))
    note = note_of(found, where=where)
    if isinstance(inner, (list, Mapping)) and (isinstance(inner, Mapping) or any(isinstance(each, Mapping) for each in inner)):
        return Parameter(name, series(inner, where=where), str(found.get("unit", "")), note)
    one = Dated(value_in(inner, where=where), day(found.get("from"), where=where), day(found.get("until"), where=where), _area(found))
    return Parameter(name, (one,), str(found.get("unit", "")), note)


def is_by_date(given: Mapping[Any, Any]) -> bool:
    """Return whether every key is a day."""
    return bool(given) and all(isinstance(key, date) or (isinstance(key, str) and key[:4].isdigit() and "-" in key) for key in given)


def series(given: object, *, where: str) -> tuple[Dated, ...]:
    """Return the values of a parameter by date and area."""
    if isinstance(given, Mapping) and is_by_date(given):
        return tuple(
            Dated(value_in(value["value"] if isinstance(value, Mapping) and "value" in value else value, where=where), day(key, where=where))
            for key, value in given.items()
        )
    if isinstance(given, list) and given and all(isinstance(each, Mapping) for each in given):
        return tuple(one_dated(each, where=where) for each in given)
    return (Dated(value_in(given, where=where)),)


def one_dated(given: Mapping[Any, Any], *, where: str) -> Dated:
    """Return one value with its dates and area."""
    found = keyed(given, where=where, allowed=("value", *DATED, *NOTE))
    since, until = (day(found.get(name), where=f"{where} › {name}") for name in ("from", "until"))
    return Dated(value_in(found.get("value"), where=where), since, until, _area(found), note_of(found, where=where))


def _area(found: Mapping[str, Any]) -> str | None:
    return str(found["area"]) if found.get("area") is not None else None


def value_in(given: Any, *, where: str) -> Any:
    """Return a parameter's value: a number, truth, text, a list of these, or nothing when it is not filled in."""
    if isinstance(given, list):
        return tuple(value_in(each, where=where) for each in given)
    if isinstance(given, date):
        return given.isoformat()
    if given is not None and not isinstance(given, (bool, int, float, str)):
        wrong(where, (f"{given!r}", f"{given!r}"), ("一个数、是否、文字或它们的列表", "a number, truth, a text or a list of them"))
    return given


def note_of(found: Mapping[str, Any], *, where: str, text: str = "") -> Note:
    """Return the note that stands beside a condition."""
    if not text and not any(name in found for name in NOTE):
        return EMPTY
    illustrative = flag(found.get("illustrative", False), where=f"{where} › 示例")
    return Note(text, "；".join(words(found.get("cite"))), str(found.get("explain", found.get("title", ""))), words(found.get("evidence")), illustrative)


def entry(name: str, given: object) -> Entry:
    """Return a policy or definition with its versions; what stands outside the versions holds for each of them."""
    where = f"政策 policy › {name}"
    if not isinstance(given, Mapping):
        return Entry(name, (Version(condition(given, where=where)),))
    found = keyed(given, where=where, allowed=("versions", "amount", *CONDITION, *NOTE, *DATED, *TERMS))
    texts = found.pop("versions", None)
    if texts is None:
        return Entry(name, (version(found, where=where),))
    if not isinstance(texts, list) or not texts:
        wrong(f"{where} › 版本 versions", (f"{texts!r}", f"{texts!r}"), ("若干版本的列表", "a list of versions"))
    versions = []
    for n, each in enumerate(texts):
        inside = f"{where} › 版本 version {n + 1}"
        own = keyed(each, where=inside, allowed=("amount", *CONDITION, *NOTE, *DATED, *TERMS))
        shared = {key: value for key, value in found.items() if key not in DATED and not (key in CONDITION and set(own) & set(CONDITION))}
        versions.append(within(version({**shared, **own}, where=inside), found, where=where))
    return Entry(name, tuple(versions))


def within(one: Version, whole: Mapping[str, Any], *, where: str) -> Version:
    """Return a version cut to the dates of the whole policy."""
    since, until = day(whole.get("from"), where=where), day(whole.get("until"), where=where)
    starts, ends = [each for each in (since, one.since) if each], [each for each in (until, one.until) if each]
    return replace(one, since=max(starts, default=None), until=min(ends, default=None), area=one.area or _area(whole))


def version(found: Mapping[str, Any], *, where: str) -> Version:
    """Return one version of a policy."""
    amount = found.get("amount")
    text = str(found["title"]) if "title" in found else ""
    return Version(
        condition({key: value for key, value in found.items() if key in CONDITION}, where=where),
        amount_of(amount, where=f"{where} › 金额 amount") if amount is not None else None,
        day(found.get("from"), where=f"{where} › 自 from"), day(found.get("until"), where=f"{where} › 至 until"), _area(found),
        replace(note_of(found, where=where), text=text), terms_of(found, where=where),
    )


def terms_of(found: Mapping[str, Any], *, where: str) -> Terms:
    """Return what a policy says besides its condition and amount."""
    lists = {name: words(found.get(name)) for name in ("excludes", "tops_up", "yields_to", "offices")}
    texts = {name: _shown(found[name]) for name in ("department", "period", "valid", "notice", "deadline", "review") if name in found}
    free = flag(found.get("application_free", False), where=f"{where} › 免申")
    return Terms(found.get("number"), application_free=free, **lists, **texts)  # type: ignore[arg-type]


def _shown(given: object) -> str:
    return {True: "是", False: "否"}.get(given, str(given)) if isinstance(given, bool) else str(given)


def amount_of(given: object, *, where: str) -> Node:
    """Return an amount: a number, a line, a line with its notes, or steps `[{条, 值}, …, {值}]` of which the first that holds counts."""
    if isinstance(given, Mapping):
        given = [{CHINESE_VALUE if key in {"条", "test"} else key: value for key, value in given.items()}]
    if not isinstance(given, list):
        return line_of(given, where=where)
    node: Node = Const(0)
    for each in reversed(given):
        found = keyed(each, where=where, allowed=("test", "all", "any", "not", "value", *NOTE))
        value = replace(line_of(found.pop("value", None), where=where), note=note_of(found, where=where))
        has_test = any(key in CONDITION for key in found)
        node = If(condition(found, where=where), value, node) if has_test else value
    return node


def line_of(given: object, *, where: str) -> Node:
    """Return what one line says, with its own text as note."""
    if isinstance(given, (bool, int, float)) or given is None:
        return Const(given, note=Note(text=_shown(given) if given is not None else "未知"))
    if not isinstance(given, str):
        wrong(where, (f"{given!r}", f"{given!r}"), ("一行比较或算式", "a line with a comparison or a sum"))
    try:
        return replace(parsed(given), note=Note(text=given.strip()))
    except LineInvalid as error:
        params: dict[str, Any] = {**error.params, "line": f"{where} › {error.params['line']}"}
        raise LineInvalid(**params) from None


def condition(given: object, *, where: str, depth: int = 0) -> Node:
    """Return a condition of the outline: a line, a list (all of it), or a mapping with 全部, 任一, 非 or 条 and its notes."""
    if depth > MOST_DEPTH:
        wrong(where, ("嵌套过深", "nested too deeply"), (f"不超过 {MOST_DEPTH} 层", f"at most {MOST_DEPTH} levels"))
    if isinstance(given, list):
        return group(All, given, where=f"{where} › 全部", note=Note(text="全部"), depth=depth)
    if not isinstance(given, Mapping):
        return line_of(given, where=where)
    found = keyed(given, where=where, allowed=(*CONDITION, *NOTE))
    nodes = [one_of(key, found[key], where=where, depth=depth) for key in CONDITION if key in found]
    if not nodes:
        wrong(where, ("没有条件", "no condition"), ("全部、任一、非或条", "all, any, not or test"))
    node = nodes[0] if len(nodes) == 1 else All(tuple(nodes), note=Note(text="全部"))
    return replace(node, note=note_of(found, where=where, text=node.note.text))


def one_of(key: str, given: object, *, where: str, depth: int) -> Node:
    """Return the condition that one key of the outline holds."""
    inside = f"{where} › {key}"
    if key == "not":
        return Not(condition(given, where=inside, depth=depth + 1), note=Note(text="非"))
    if key in {"all", "any"}:
        kind, text = (All, "全部") if key == "all" else (AnyOf, "任一")
        return group(kind, given, where=inside, note=Note(text=text), depth=depth)
    return line_of(given, where=inside)


def group(kind: type[All | AnyOf], given: object, *, where: str, note: Note, depth: int) -> Node:
    """Return a group of conditions."""
    if isinstance(given, (str, bool, Mapping)):
        given = [given]
    if not isinstance(given, list) or not given:
        wrong(where, (f"{given!r}", f"{given!r}"), ("至少一项的列表", "a list of at least one"))
    return kind(tuple(condition(each, where=f"{where} {n + 1}", depth=depth + 1) for n, each in enumerate(given)), note=note)


