"""Addresses of the people room."""

from __future__ import annotations

from django.urls import path

from shouwang.people.pages import accounts, audit, changing, duties, entry, importing, leaves, persons

app_name = "people"
urlpatterns = [
    path("sign-in/", entry.sign_in, name="sign_in"),
    path("sign-out/", entry.sign_out, name="sign_out"),
    path("enter/<str:token>/", entry.enter, name="enter"),
    path("account/password/", entry.own_password, name="own_password"),
    path("people/", persons.persons, name="persons"),
    path("people/new/", persons.add, name="add"),
    path("people/duties/", duties.duties, name="duties"),
    path("people/duties/<int:duty_id>/end/", duties.end, name="end_duty"),
    path("people/roster/", duties.roster, name="roster"),
    path("people/shifts/<int:shift_id>/cancel/", duties.cancel_shift, name="cancel_shift"),
    path("people/import/", importing.upload, name="import"),
    path("people/import/template.xlsx", importing.template, name="import_template"),
    path("people/import/<int:draft_id>/", importing.preview, name="import_preview"),
    path("people/import/<int:draft_id>/confirm/", importing.confirm, name="import_confirm"),
    path("people/import/<int:draft_id>/bad.xlsx", importing.bad_rows, name="import_bad"),
    path("people/access/", audit.access_log, name="access_log"),
    path("people/accounts/<int:account_id>/<slug:what>/", accounts.change, name="change_account"),
    path("people/leaves/<int:leave_id>/end/", leaves.end, name="end_leave"),
    path("people/<int:person_id>/leave/", leaves.note, name="note_leave"),
    path("people/<int:person_id>/account/", accounts.open_for, name="open_account"),
    path("people/<int:person_id>/", persons.person, name="person"),
    path("people/<int:person_id>/change/", changing.change, name="change"),
    path("people/<int:person_id>/reveal/", persons.reveal, name="reveal"),
    path("people/<int:person_id>/duties/", persons.assign, name="assign"),
]
