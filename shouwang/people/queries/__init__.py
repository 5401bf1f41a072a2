"""Reads of people. Lists and single rows take a Scope; bulk look-ups by id serve rooms that have checked it already."""

from __future__ import annotations

from shouwang.people.queries.access import AccountView, access_log, accounts_of, failed_sign_in_until, import_draft
from shouwang.people.queries.duties import DutyView, LeaveView, ShiftView, holders, leaves, list_duties, roster_week
from shouwang.people.queries.first_run import SetUp, nobody_yet, set_up
from shouwang.people.queries.persons import (
    ContactRow,
    HouseholdCard,
    MemberCard,
    PersonCard,
    PersonPage,
    PersonRow,
    area_names,
    askable,
    contacts_of,
    find_person,
    household_cards,
    household_of,
    households_of,
    list_persons,
    live_consents,
    matching_households,
    members_of,
    own_contacts,
    paths_of,
    person_cards,
    person_page,
)
from shouwang.people.queries.roster import answerable, forget
from shouwang.people.queries.scopes import account, account_of_entry_link, scope_of_account, scope_of_token
from shouwang.people.queries.tokens import TokenRow, count_tokens, token, tokens
from shouwang.people.queries.views import ViewRow, dropped_view, own_views
from shouwang.people.rules.roster import Who

__all__ = [
    "AccountView",
    "ContactRow",
    "DutyView",
    "HouseholdCard",
    "LeaveView",
    "MemberCard",
    "PersonCard",
    "PersonPage",
    "PersonRow",
    "SetUp",
    "ShiftView",
    "TokenRow",
    "ViewRow",
    "Who",
    "access_log",
    "account",
    "account_of_entry_link",
    "accounts_of",
    "answerable",
    "area_names",
    "askable",
    "contacts_of",
    "count_tokens",
    "dropped_view",
    "failed_sign_in_until",
    "find_person",
    "forget",
    "holders",
    "household_cards",
    "household_of",
    "households_of",
    "import_draft",
    "leaves",
    "list_duties",
    "list_persons",
    "live_consents",
    "matching_households",
    "members_of",
    "nobody_yet",
    "own_contacts",
    "own_views",
    "paths_of",
    "person_cards",
    "person_page",
    "roster_week",
    "scope_of_account",
    "scope_of_token",
    "set_up",
    "token",
    "tokens",
]
