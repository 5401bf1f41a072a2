"""Writes of people. Each takes the scope it acts in (`rules.SYSTEM` for seeds and commands) and the moment."""

from __future__ import annotations

from shouwang.people.actions.accounts import (
    add_account,
    change_account,
    change_own_password,
    enter,
    issue_entry_link,
    reset_account,
    sign_in,
    sign_out,
    use_entry_link,
)
from shouwang.people.actions.changing import change_person
from shouwang.people.actions.credentials import (
    NewLink,
    issue_credential,
    issue_links,
    issue_token,
    revoke_credential,
    revoke_links,
    rotate_credential,
)
from shouwang.people.actions.disclosure import Revealed, note_access, reveal
from shouwang.people.actions.duties import (
    NewDuty,
    NewShift,
    assign_duties,
    assign_duty,
    cancel_shift,
    end_duty,
    plan_shift,
    plan_shifts,
)
from shouwang.people.actions.first_run import (
    FirstAdministrator,
    NewRoot,
    first_run_token,
    is_first_run_token,
    make_first_administrator,
)
from shouwang.people.actions.importing import check_sheet, drop_draft, find_area, import_draft, import_people, keep_draft, tidy
from shouwang.people.actions.leaves import end_leave, note_leave, planner_right
from shouwang.people.actions.persons import (
    NewPerson,
    add_member,
    add_organisation,
    add_person,
    add_persons,
    change_address,
    end_membership,
    enrol_household,
    follow_move,
    give_consent,
    record_fact,
    set_contact,
    set_language,
    withdraw_consent,
)
from shouwang.people.actions.views import drop_view, rename_view, restore_view, save_view

__all__ = [
    "FirstAdministrator", "NewDuty", "NewLink", "NewPerson", "NewRoot", "NewShift", "Revealed", "add_account", "add_member",
    "add_organisation", "add_person", "add_persons", "assign_duties", "assign_duty", "cancel_shift", "change_account",
    "change_address", "change_own_password", "change_person", "check_sheet", "drop_draft", "drop_view", "end_duty", "end_leave", "end_membership",
    "enrol_household", "enter", "find_area", "first_run_token", "follow_move", "give_consent", "import_draft", "import_people",
    "is_first_run_token", "issue_credential", "issue_entry_link", "issue_links", "issue_token", "keep_draft",
    "make_first_administrator",
    "note_access", "note_leave", "plan_shift", "plan_shifts", "planner_right", "record_fact", "rename_view", "reset_account", "restore_view", "reveal", "revoke_credential",
    "revoke_links", "rotate_credential", "save_view", "set_contact", "set_language", "sign_in", "sign_out", "tidy",
    "use_entry_link", "withdraw_consent",
]
