"""Accounts: made, changed, locked after wrong passwords; who signs in and out is in the access log."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound, Refused
from shouwang.people import events as kinds
from shouwang.people.actions.checks import APPOINT, person_in
from shouwang.people.actions.credentials import issue_credential, revoke_links
from shouwang.people.actions.disclosure import note_access
from shouwang.people.models import Account, Credential
from shouwang.people.queries.scopes import ENTRY, account_of_entry_link, hash_of, scope_of_account
from shouwang.people.rules.codes import LINK
from shouwang.people.rules.errors import AccountOff, PasswordWeak, UsernameTaken
from shouwang.people.rules.scope import Scope

FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=5)
ENTRY_LIFE = timedelta(days=1)
PASSWORD_LENGTH = 128
_VALIDATORS = (
    MinimumLengthValidator(8), CommonPasswordValidator(), UserAttributeSimilarityValidator(user_attributes=("username",)),
)

_WEAK = {
    "password_too_short": "至少 8 个字符 · at least 8 characters",
    "password_too_common": "太常见，容易被猜到 · too common, easily guessed",
    "password_too_similar": "与用户名太像 · too like the user name",
}
"""What Django's validators find, in the words of this room: theirs are in one language only."""


def add_account(scope: Scope, *, username: str, person_id: int, password: str | None = None, now: datetime) -> Account:
    """Add an account for a person and return it; without a password it can be entered by link only.

    Raises Refused, NotFound, UsernameTaken, PasswordWeak.
    """
    person_in(scope, person_id, APPOINT)
    account = Account(username=username.strip(), person_id=person_id)
    with transaction.atomic():
        _refuse_rights_beyond(scope, account, now)
        if Account.objects.unscoped().filter(username=account.username).exists():
            raise UsernameTaken(username=account.username)
        _set_password(account, password)
        account.save(force_insert=True)
        append([NewEvent(kinds.ACCOUNT_CHANGED, account.pk, {"person": person_id, "change": "ADDED"})], now=now)
    return account


def change_account(
    scope: Scope, account_id: int, *, password: str | None = None, is_active: bool | None = None, now: datetime,
) -> None:
    """Set another person's password, or switch the account on or off; its sessions end with the old password.

    Raises Refused, NotFound, PasswordWeak. An account with rights where the actor has no say is refused.
    """
    scope.require(APPOINT)
    with transaction.atomic():
        account = Account.objects.within(scope, APPOINT).filter(pk=account_id).first()
        if account is None:
            raise NotFound(what=f"账号 {account_id}")
        _refuse_rights_beyond(scope, account, now)
        if password is not None:
            _set_password(account, password)
        if is_active is not None:
            account.is_active = is_active
        account.failures, account.locked_until = 0, None
        account.save(update_fields=["password", "is_active", "failures", "locked_until"])
        change = "PASSWORD" if password is not None else "ACTIVE" if account.is_active else "INACTIVE"
        append([NewEvent(kinds.ACCOUNT_CHANGED, account_id, {"change": change, "by": scope.person_id})], now=now)


def reset_account(scope: Scope, account_id: int, *, now: datetime) -> str:
    """Take an account's password away and return the token of its one live entry link, with which its person sets another.

    Sessions and earlier links end. Raises Refused, NotFound; AccountOff for one that is switched off.
    """
    scope.require(APPOINT)
    with transaction.atomic():
        account = Account.objects.within(scope, APPOINT).filter(pk=account_id).first()
        if account is None:
            raise NotFound(what=f"账号 {account_id}")
        _refuse_rights_beyond(scope, account, now)
        if not account.is_active:
            raise AccountOff(username=account.username)
        account.set_unusable_password()
        account.failures, account.locked_until = 0, None
        account.save(update_fields=["password", "failures", "locked_until"])
        revoke_links(ENTRY, [account_id], now=now)
        token = issue_entry_link(account, now=now)
        append([NewEvent(kinds.ACCOUNT_CHANGED, account_id, {"change": "RESET", "by": scope.person_id})], now=now)
    return token


def change_own_password(account: Account, *, old: str, new: str, now: datetime) -> None:
    """Change the password of whoever is signed in, who must know the old one. Raises Refused, PasswordWeak."""
    if account.has_usable_password() and not account.check_password(old):
        raise Refused(right="password")
    with transaction.atomic():
        _set_password(account, new)
        account.save(update_fields=["password"])
        append([NewEvent(kinds.ACCOUNT_CHANGED, account.pk, {"change": "PASSWORD", "by": account.person_id})], now=now)


def sign_in(username: str, password: str, *, now: datetime) -> Account | None:
    """Return the account when user name and password are right and it is not locked; None otherwise, without saying why.

    Five wrong passwords lock an account for 5 minutes, right password or not.
    """
    found = Account.objects.unscoped().filter(username=username).first()
    if found is not None and found.locked_until is not None and found.locked_until > now:
        return None
    account = authenticate(username=username, password=password[:PASSWORD_LENGTH])
    with transaction.atomic():
        if isinstance(account, Account):
            enter(account, now=now)
            return account
        if found is not None:
            _count_failure(found, now)
    return None


def enter(account: Account, *, now: datetime) -> None:
    """Note that an account was entered, by password or link."""
    with transaction.atomic():
        Account.objects.unscoped().filter(pk=account.pk).update(failures=0, locked_until=None, signed_in_at=now)
        note_access(scope_of_account(account, now), action="SIGN_IN", object=("account", account.pk), now=now)


def sign_out(account: Account, *, now: datetime) -> None:
    """Note that somebody signed out."""
    note_access(scope_of_account(account, now), action="SIGN_OUT", object=("account", account.pk), now=now)


def issue_entry_link(account: Account, *, now: datetime, life: timedelta = ENTRY_LIFE) -> str:
    """Return a token with which /enter/TOKEN/ signs this account in until `life` has passed.

    For the role links of a demo, and after `reset_account`: whoever calls it has checked that it may be handed out.
    """
    if account.person_id is None:
        raise NotFound(what=f"账号 {account.pk}")
    return issue_credential(LINK, person_id=account.person_id, object=(ENTRY, account.pk), expires_at=now + life, now=now)


def use_entry_link(raw_token: str, *, once: bool, now: datetime) -> Account | None:
    """Return the account a live entry link signs in and note the entry; a link for `once` ends with it."""
    with transaction.atomic():
        account = account_of_entry_link(raw_token, at=now)
        if account is None:
            return None
        if once:
            live = Credential.objects.unscoped().filter(hash=hash_of(raw_token).hex(), revoked_at__isnull=True)
            if not live.update(revoked_at=now):
                return None
        enter(account, now=now)
    return account


def _count_failure(account: Account, now: datetime) -> None:
    rows = Account.objects.unscoped().filter(pk=account.pk)
    rows.update(failures=F("failures") + 1)
    rows.filter(failures__gte=FAILURES_ALLOWED).update(failures=0, locked_until=now + LOCKED_FOR)
    note_access(scope_of_account(account, now), action="SIGN_IN_FAILED", object=("account", account.pk), now=now)


def _refuse_rights_beyond(scope: Scope, account: Account, now: datetime) -> None:
    for grant in scope_of_account(account, now).grants:
        scope.require(APPOINT, grant.path)


def _set_password(account: Account, password: str | None) -> None:
    if password is None:
        account.set_unusable_password()
        return
    if len(password) > PASSWORD_LENGTH:
        raise PasswordWeak(problem=f"最多 {PASSWORD_LENGTH} 个字符 · at most {PASSWORD_LENGTH} characters")
    try:
        validate_password(password, account, password_validators=_VALIDATORS)
    except ValidationError as error:
        raise PasswordWeak(problem="；".join(_WEAK.get(str(each.code), str(each.code)) for each in error.error_list)) from error
    account.set_password(password)
