"""What several policies give together: precedence (让位于), not together (不同享, the greatest unless the household chooses) and topping up (补差)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shouwang.eligibility.interpret import Decision
from shouwang.eligibility.library import Program
from shouwang.eligibility.values import Value, applied, bounds, calculated, hull

GIVEN, OPEN, CHOICE, YIELDS, EXCLUDED, NONE = "GIVEN", "OPEN", "CHOICE", "YIELDS", "EXCLUDED", "NONE"


@dataclass(frozen=True)
class Entitlement:
    """What one policy gives beside the others: its standing, its amount after topping up, and the policies that made it so.

    GIVEN; OPEN: not decided; CHOICE: one of these, the household chooses; YIELDS: a policy that goes before holds; EXCLUDED: not
    beside a better one; NONE: does not hold.
    """

    policy: str
    standing: str
    amount: Value
    because: tuple[str, ...] = ()


def together(program: Program, decisions: Mapping[str, Decision], *, chosen: Collection[str] = ()) -> dict[str, Entitlement]:
    """Return what the decided policies give beside one another; `chosen` are those that the household prefers where only one may be had."""
    found = {name: _before_others(program, each, decisions) for name, each in decisions.items()}
    _not_together(program, found, chosen=chosen)
    for name, each in list(found.items()):
        if each.standing in {GIVEN, OPEN}:
            found[name] = _topped_up(program, each, found)
    return found


def _before_others(program: Program, decision: Decision, decisions: Mapping[str, Decision]) -> Entitlement:
    """Return a policy's standing after those it yields to."""
    if decision.outcome is False:
        return Entitlement(decision.policy, NONE, 0)
    earlier = {name: decisions[name].outcome for name in program.policies[decision.policy].terms.yields_to if name in decisions}
    holds = tuple(name for name, outcome in earlier.items() if outcome)
    if holds:
        return Entitlement(decision.policy, YIELDS, 0, holds)
    open_ = tuple(name for name, outcome in earlier.items() if outcome is None)
    if decision.outcome is None or open_:
        return Entitlement(decision.policy, OPEN, hull(0, decision.amount), open_)
    return Entitlement(decision.policy, GIVEN, decision.amount)


def excluded_by(program: Program, policy: str) -> set[str]:
    """Return the policies that cannot be had together with `policy`, whichever of the two says so."""
    own = set(program.policies[policy].terms.excludes)
    return own | {name for name, each in program.policies.items() if policy in each.terms.excludes}


def _not_together(program: Program, found: dict[str, Entitlement], *, chosen: Collection[str]) -> None:
    """Keep of policies that exclude one another the chosen one, else the one that certainly gives most; else leave the choice."""
    standing = [name for name, each in found.items() if each.standing == GIVEN]
    ranked = sorted(standing, key=lambda name: (name not in chosen, -bounds(found[name].amount)[0]))
    for name in ranked:
        rivals = sorted(excluded_by(program, name) & {other for other in standing if found[other].standing == GIVEN})
        if found[name].standing != GIVEN or not rivals:
            continue
        least = bounds(found[name].amount)[0]
        if name in chosen or all(least > bounds(found[other].amount)[1] for other in rivals):
            for other in rivals:
                found[other] = Entitlement(other, EXCLUDED, 0, (name,))
        else:
            group = (name, *rivals)
            for other in group:
                found[other] = Entitlement(other, CHOICE, found[other].amount, tuple(each for each in group if each != other))


def _topped_up(program: Program, each: Entitlement, found: Mapping[str, Entitlement]) -> Entitlement:
    """Return the amount less what the policies give that it tops up, never below nothing."""
    amount, counted = each.amount, []
    for name in program.policies[each.policy].terms.tops_up:
        if name in found and found[name].standing in {GIVEN, OPEN, CHOICE}:
            amount = calculated("-", amount, found[name].amount)
            counted.append(name)
    if not counted:
        return each
    return Entitlement(each.policy, each.standing, applied("max", [amount, 0]), (*each.because, *counted))
