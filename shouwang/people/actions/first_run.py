"""The first administrator, made in an installation that has nobody yet by whoever can read its console; once.

The token is signed with the installation's key, so nothing is stored that could be left lying about. It serves for a day, and
only while there is neither an account nor a credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.db import transaction

from shouwang.journal.actions import lock_order
from shouwang.kernel.moments import from_us, local, to_us
from shouwang.people.actions.accounts import add_account, enter
from shouwang.people.actions.duties import assign_duty
from shouwang.people.actions.persons import add_person
from shouwang.people.models import Account
from shouwang.people.queries.first_run import nobody_yet
from shouwang.people.rules.codes import ADMINISTRATOR, PRIMARY
from shouwang.people.rules.errors import FirstRunOver, FirstRunTokenDead, RootUnknown
from shouwang.people.rules.scope import SYSTEM
from shouwang.places import actions as places
from shouwang.places.queries import roots

LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewRoot:
    """The area at the top of the tree, where there is none yet."""

    name: str
    level: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """Who shall set the installation up, answerable for which root: one that is there (its id), or a new one."""

    name: str
    username: str
    password: str
    root: int | NewRoot
    phone: str = ""
    language: str = "zh"


def first_run_token(*, now: datetime) -> str:
    """Return a token with which the first administrator may be made within a day. For commands, which print it."""
    return _signer().sign(str(to_us(now)))


def is_first_run_token(token: str, *, now: datetime) -> bool:
    """Return whether this installation has signed the token within a day before `now`."""
    try:
        made_at = from_us(int(_signer().unsign(token)))
    except (BadSignature, ValueError):
        return False
    return made_at <= now < made_at + LIFE


def make_first_administrator(token: str, first: FirstAdministrator, *, now: datetime) -> Account:
    """Make the root area where there is none, a person, the duty of administrator and an account; return the account, entered.

    Of two at the same moment one wins. Raises FirstRunOver, FirstRunTokenDead, RootUnknown, PasswordWeak, and what
    `places.actions.add_area` raises.
    """
    if not is_first_run_token(token, now=now):
        raise FirstRunTokenDead
    with transaction.atomic():
        lock_order()
        if not nobody_yet():
            raise FirstRunOver
        area_id = _root(first.root, now=now)
        person_id = add_person(SYSTEM, name=first.name, area_id=area_id, phone=first.phone, language=first.language, now=now)
        assign_duty(SYSTEM, person_id=person_id, code=ADMINISTRATOR, area_id=area_id, from_date=local(now).date(), rank=PRIMARY, now=now)
        account = add_account(SYSTEM, username=first.username, person_id=person_id, password=first.password, now=now)
        enter(account, now=now)
    return account


def _signer() -> Signer:
    return Signer(salt="shouwang.first_run", sep=".")


def _root(wanted: int | NewRoot, *, now: datetime) -> int:
    known = [row.id for row in roots()]
    if isinstance(wanted, NewRoot) and not known:
        return places.add_area(parent_id=None, name=wanted.name, level=wanted.level, code=wanted.code, now=now)
    if wanted not in known:
        raise RootUnknown(found=wanted.name if isinstance(wanted, NewRoot) else wanted)
    return int(wanted)
