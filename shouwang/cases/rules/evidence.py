"""The evidence gate: a step ends only with a result it knows and the evidence that result asks for (I9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shouwang.cases.rules.procedures import EvidenceNeed, Result, Step
from shouwang.kernel.errors import ShouwangError

LONGEST_TEXT = 2_000


class UnknownResult(ShouwangError):
    """The result is not one of the step's."""

    zh = "“{step}”没有“{found}”这个结果；可选：{expected}。"
    en = "“{step}” cannot end with “{found}”; choose one of {expected}."
    status = 422


class EvidenceMissing(ShouwangError):
    """The result asks for evidence that was not given."""

    zh = "结果“{result}”还需要：{missing}；请补充后再提交。"
    en = "The result “{result}” still needs: {missing}; add it and submit again."
    status = 422


@dataclass(frozen=True)
class Given:
    """One piece of evidence as given: a chosen code, a text, a moment, or a file."""

    code: str
    value: str = ""
    file_id: int | None = None


def require(step: Step, result_code: str, given: Mapping[str, Given]) -> Result:
    """Return the step's result when its evidence is complete. Raises UnknownResult, EvidenceMissing."""
    result = step.result(result_code)
    if result is None:
        expected = "、".join(known.title.zh for known in step.results)
        raise UnknownResult(step=step.title.zh, found=result_code, expected=expected)
    missing = [need for need in result.evidence if not need.optional and not _satisfies(need, given.get(need.code))]
    if missing:
        raise EvidenceMissing(result=result.title.zh, missing="、".join(need.title.zh for need in missing))
    return result


def _satisfies(need: EvidenceNeed, given: Given | None) -> bool:
    if given is None:
        return False
    if need.kind == "PHOTO":
        return given.file_id is not None
    if need.kind == "CHOICE":
        return given.value in {code for code, _ in need.options}
    return 0 < len(given.value.strip()) <= LONGEST_TEXT
