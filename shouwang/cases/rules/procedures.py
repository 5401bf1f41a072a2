"""A procedure as data: a directed graph of steps with limits, ladders and the evidence each result asks for."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text


class ProcedureInvalid(ShouwangError):
    """A procedure's definition cannot be run."""

    zh = "流程 {procedure} 的环节 {step}：{problem}；请修改后再发布。"
    en = "Procedure {procedure}, step {step}: {problem}; correct it before publishing."


class Phrase(msgspec.Struct, frozen=True):
    """One wording in both languages."""

    zh: str
    en: str

    def render(self, language: str, params: dict[str, Any] | None = None) -> str:
        """Return the wording in `language`."""
        return Text(self.zh, self.en).render(language, params or {})


class Limit(msgspec.Struct, frozen=True):
    """A span: minutes, or working days of the area's calendar."""

    amount: int
    unit: Literal["MINUTES", "WORKING_DAYS"] = "MINUTES"


class Condition(msgspec.Struct, frozen=True):
    """A comparison of one case fact; a fact that is not known makes it false."""

    fact: str
    op: Literal["==", "!=", "<", "<=", ">", ">=", "in"]
    value: Any


class Answer(msgspec.Struct, frozen=True):
    """What one key of the telephone means: the step ends with a result, where the conditions hold; else the next rung is asked at once."""

    key: str
    code: str
    title: Phrase
    result: str = ""
    evidence: tuple[tuple[str, str], ...] = ()
    when: tuple[Condition, ...] = ()


class Rung(msgspec.Struct, frozen=True):
    """One level of the ladder: whom to ask, and how long that person has to accept.

    With ROLE_OF_SUBJECT `duty` is a role in the household the case is about (RESIDENT, RELATIVE). Such a person is asked on
    the first of `channels` that is switched on, where a resident agrees to the purpose `consent`, and only answers; where
    nobody can be asked the rung is passed, which is no gap.
    """

    duty: str
    level: Literal["PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE"]
    accept_minutes: int
    rank: Literal["PRIMARY", "DEPUTY"] = "PRIMARY"
    who: Literal["ON_DUTY", "POOL", "ROLE_OF_SUBJECT"] = "ON_DUTY"
    channels: tuple[str, ...] = ()
    consent: str = ""
    answers: tuple[Answer, ...] = ()

    @property
    def is_of_subject(self) -> bool:
        """Return whether it asks somebody who belongs to the subject of the case."""
        return self.who == "ROLE_OF_SUBJECT"


class EvidenceNeed(msgspec.Struct, frozen=True):
    """One piece of evidence a result asks for."""

    code: str
    title: Phrase
    kind: Literal["CHOICE", "TEXT", "PHOTO", "MOMENT"] = "CHOICE"
    options: tuple[tuple[str, Phrase], ...] = ()
    optional: bool = False


class Result(msgspec.Struct, frozen=True):
    """One way a step may end, and the evidence it asks for."""

    code: str
    title: Phrase
    evidence: tuple[EvidenceNeed, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """One step: who does it, after which steps, how long it may take, how it may end."""

    code: str
    title: Phrase
    rungs: tuple[Rung, ...]
    results: tuple[Result, ...]
    limit: Limit
    after: tuple[str, ...] = ()
    join: Literal["ALL", "ANY"] = "ALL"
    when: tuple[Condition, ...] = ()
    dispatch: Literal["AUTO", "CONFIRM"] = "AUTO"
    confirm_minutes: int = 5
    repeat_minutes: int = 30

    def result(self, code: str) -> Result | None:
        """Return the result `code`, or None."""
        return next((result for result in self.results if result.code == code), None)


class CaseLimit(msgspec.Struct, frozen=True):
    """A limit of the whole case: LEGAL by law, PROMISED by the office."""

    code: str
    kind: Literal["LEGAL", "PROMISED"]
    limit: Limit


class Procedure(msgspec.Struct, frozen=True):
    """How one kind of case is handled.

    A completed case is closed at once (AUTO), by the supervisor's check (CHECK), or by the answer of whoever reported it
    (REPORTER), who is waited for as long as `answer` lasts. Whoever has not accepted after `ring_seconds` is told on the
    next channel, which mostly rings; 0 leaves it to the area's setting.
    """

    code: str
    title: Phrase
    steps: tuple[Step, ...]
    clocks: tuple[CaseLimit, ...] = ()
    closes: Literal["AUTO", "CHECK", "REPORTER"] = "AUTO"
    answer: Limit = Limit(7 * 24 * 60)
    ring_seconds: int = 0

    def step(self, code: str) -> Step:
        """Return the step `code`. Raises KeyError."""
        for step in self.steps:
            if step.code == code:
                return step
        raise KeyError(code)


def rung_above(step: Step, rung: int) -> int:
    """Return the first rung of a level above that of `rung`, the last one where there is none."""
    level = step.rungs[min(rung, len(step.rungs) - 1)].level
    above = (n for n, each in enumerate(step.rungs) if n > rung and each.level != level)
    return next(above, len(step.rungs) - 1)


def rung_on_duty(step: Step, rung: int) -> int:
    """Return `rung`, or the first one behind it where it asks a contact: what a desk gives somebody is given to one on duty."""
    return next(n for n, each in enumerate(step.rungs) if n >= min(rung, len(step.rungs) - 1) and not each.is_of_subject)


def decode(definition: str | bytes) -> Procedure:
    """Return the procedure in `definition` (JSON), checked. Raises ProcedureInvalid."""
    try:
        procedure = msgspec.json.decode(definition, type=Procedure)
    except msgspec.DecodeError as error:
        raise ProcedureInvalid(procedure="?", step="?", problem=str(error)) from error
    check(procedure)
    return procedure


def encode(procedure: Procedure) -> str:
    """Return the JSON of `procedure`."""
    return msgspec.json.encode(procedure).decode()


def check(procedure: Procedure) -> None:
    """Raise ProcedureInvalid when a step is doubled, unreachable, in a circle, or without rung or result."""
    seen: set[str] = set()
    for step in procedure.steps:
        problem = _problem(step, seen)
        if problem:
            raise ProcedureInvalid(procedure=procedure.code, step=step.code, problem=problem)
        seen.add(step.code)
    if not any(not step.after for step in procedure.steps):
        raise ProcedureInvalid(procedure=procedure.code, step="-", problem="没有起始环节 / no first step")


def _problem(step: Step, before: set[str]) -> str | None:
    missing = [code for code in step.after if code not in before]
    if step.code in before:
        return "编码重复 / its code is used twice"
    if missing:
        return f"前置环节 {missing} 不在它之前 / its predecessors {missing} do not stand before it"
    if not step.rungs:
        return "没有责任层级 / nobody is named to do it"
    if not step.results:
        return "没有办理结果 / it has no result"
    if step.limit.amount <= 0 or any(rung.accept_minutes <= 0 for rung in step.rungs):
        return "时限必须大于零 / limits must be above zero"
    return _contact_problem(step)


def _contact_problem(step: Step) -> str | None:
    if step.rungs[-1].is_of_subject:
        return "最后一级必须是值守人员 / the last level must be somebody on duty"
    for rung in step.rungs:
        if rung.is_of_subject and not (rung.channels and rung.answers):
            return f"{rung.duty} 缺少渠道或回答 / {rung.duty} has no channel or no answer"
        for answer in rung.answers:
            if answer.result and not _is_whole(step.result(answer.result), dict(answer.evidence)):
                return f"回答 {answer.code} 的结果或佐证不符 / the answer {answer.code} lacks a result of the step or its evidence"
    return None


def _is_whole(result: Result | None, given: dict[str, str]) -> bool:
    if result is None:
        return False
    needed = (need for need in result.evidence if not need.optional)
    return all(
        given.get(need.code, "") in {code for code, _ in need.options} if need.kind == "CHOICE" else bool(given.get(need.code)) for need in needed
    )
