"""The policy language: who is entitled to what, why, and what is still to be asked. Pure: no Django, clock, chance or network.

library = load(path)                        # or library_of(text)
program = library.at(day, area=("3715", "371502"))
decide(program, {"age": 82, "income": None})
explain(program, "policy", facts)
"""

from shouwang.eligibility.asking import Question, Questions, live_facts
from shouwang.eligibility.cases import Case, Difference, cases_of, differences
from shouwang.eligibility.form import Note
from shouwang.eligibility.interpret import Decision, Explanation, Judgement, decide, exact, explain
from shouwang.eligibility.library import Library, Program, Terms
from shouwang.eligibility.outline import library_from, library_of, load, shipped
from shouwang.eligibility.reasons import Change, blocking, open_leaves, reasons, what_would_change
from shouwang.eligibility.together import Entitlement, together
from shouwang.eligibility.values import OneOf, Range
from shouwang.eligibility.writing import line_of, written

__all__ = [
    "Case", "Change", "Decision", "Difference", "Entitlement", "Explanation", "Judgement", "Library", "Note", "OneOf", "Program",
    "Question", "Questions", "Range", "Terms", "blocking", "cases_of", "decide", "differences", "exact", "explain", "library_from", "library_of", "line_of",
    "live_facts", "load", "open_leaves", "reasons", "shipped", "together", "what_would_change", "written",
]
