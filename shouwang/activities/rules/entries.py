"""Whoever signs up: what must be said, who gets a place and who waits, in the order of signing up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shouwang.activities.rules.checks import require, require_key, tidy_line
from shouwang.activities.rules.errors import ConsentMissing, SignUpClosed
from shouwang.kernel.texts import Text
from shouwang.people.rules.lines import digits, is_phone

Place = Literal["IN", "WAITING"]
STATES: Mapping[str, Text] = {
    "IN": Text("已报名", "Signed up"),
    "WAITING": Text("候补", "On the waiting list"),
    "WITHDRAWN": Text("已取消", "Withdrawn"),
}
NAME_LENGTH = 40
RELATION_LENGTH = 12
MOST_PARTY = 10
MOST_WAITING = 200
KEEP_NAMES = timedelta(days=30)
"""How long after the activity names and telephone numbers are kept."""
KEEP_CONSENTS = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Guardian:
    """A guardian's consent as given: who, to which version of the text, and whether the child's arrival is to be noted."""

    name: str
    relation: str
    version: str
    notes_arrival: bool = False


@dataclass(frozen=True, slots=True)
class NewSignUp:
    """Somebody who wants to come, with `party` people altogether. `key` makes a repeated sending harmless.

    `is_minor` is about the participant named; a minor comes with a guardian's consent, whose phone is then given.
    """

    name: str
    phone: str
    key: str
    party: int = 1
    is_minor: bool = False
    guardian: Guardian | None = None


def tidied(new: NewSignUp) -> NewSignUp:
    """Return what was entered without stray spaces and signs."""
    guardian = new.guardian
    if guardian is not None:
        guardian = Guardian(tidy_line(guardian.name), tidy_line(guardian.relation), guardian.version, guardian.notes_arrival)
    return NewSignUp(tidy_line(new.name), digits(new.phone), new.key, new.party, new.is_minor, guardian)


def check(new: NewSignUp, *, consent: str) -> None:
    """Raise ActivityWrong, or ConsentMissing for a minor without consent to the text of version `consent`; "" asks for none."""
    require(0 < len(new.name) <= NAME_LENGTH, ("姓名", "The name"), new.name[:20], (f"1 至 {NAME_LENGTH} 个字", f"1 to {NAME_LENGTH} characters"))
    require(is_phone(new.phone), ("电话", "The telephone number"), f"{len(new.phone)} 位", ("5 至 15 位数字", "5 to 15 digits"))
    require(1 <= new.party <= MOST_PARTY, ("人数", "The number of people"), str(new.party), (f"1 至 {MOST_PARTY}", f"1 to {MOST_PARTY}"))
    require_key(new.key)
    if not new.is_minor or not consent:
        return
    guardian = new.guardian
    if guardian is None or guardian.version != consent or not guardian.name:
        raise ConsentMissing(version=consent)
    require(len(guardian.name) <= NAME_LENGTH, ("监护人姓名", "The guardian's name"), guardian.name[:20], (f"不超过 {NAME_LENGTH} 个字", f"at most {NAME_LENGTH} characters"))
    long = len(guardian.relation)
    require(0 < long <= RELATION_LENGTH, ("与参加者的关系", "The relation"), guardian.relation[:20], (f"1 至 {RELATION_LENGTH} 个字", f"1 to {RELATION_LENGTH} characters"))


def placed(*, taken: int, waiting: int, party: int, capacity: int | None) -> Place:
    """Return whether a party gets its place: nobody overtakes those who wait. Raises SignUpClosed when too many wait."""
    if capacity is None or (waiting == 0 and taken + party <= capacity):
        return "IN"
    if waiting >= MOST_WAITING:
        raise SignUpClosed(why="名额和候补都已满", why_en="places and waiting list are full")
    return "WAITING"


def moving_up(*, taken: int, waiting: Iterable[tuple[int, int]], capacity: int | None) -> list[int]:
    """Return the ids of those who get a place now, of (id, party) in the order of signing up; nobody overtakes a larger party."""
    found = []
    for sign_up_id, party in waiting:
        if capacity is not None and taken + party > capacity:
            break
        taken += party
        found.append(sign_up_id)
    return found


def require_open(state: str, entry: str) -> None:
    """Raise SignUpClosed unless people may sign up."""
    if entry == "WALK_IN":
        raise SignUpClosed(why="无需报名，直接到场即可", why_en="no sign-up is needed, just come")
    if state not in {"OPEN", "RUNNING"}:
        raise SignUpClosed(why="没有开放报名", why_en="it is not open")
