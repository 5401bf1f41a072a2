"""Kinds of events that people publishes. Payloads hold ids and codes, never a name, a number or an address."""

from __future__ import annotations

PERSON_ADDED = "person.added"
HOUSEHOLD_ENROLLED = "household.enrolled"
MEMBER_ADDED = "household.member_added"
FACT_RECORDED = "person.fact_recorded"
CONSENT_GIVEN = "consent.given"
CONSENT_WITHDRAWN = "consent.withdrawn"
DUTY_ASSIGNED = "duty.assigned"
DUTY_ENDED = "duty.ended"
SHIFT_PLANNED = "shift.planned"
SHIFT_CANCELLED = "shift.cancelled"
CREDENTIAL_ISSUED = "credential.issued"
CREDENTIAL_ROTATED = "credential.rotated"
CREDENTIAL_REVOKED = "credential.revoked"
ACCOUNT_CHANGED = "account.changed"
PERSONAL_DATA_REVEALED = "person.revealed"
