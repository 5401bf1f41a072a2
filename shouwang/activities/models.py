"""Tables of activities. Who came is not kept: attendance is a count. Names of those who signed up go when their time is over."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from shouwang.activities.rules.entries import NAME_LENGTH, RELATION_LENGTH
from shouwang.activities.rules.plans import ABOUT_LENGTH, PLACE_LENGTH, TITLE_LENGTH
from shouwang.activities.rules.states import STATES
from shouwang.journal.fields import MomentField, PathField
from shouwang.journal.sealed import FingerprintField, SealedField

KEY_LENGTH = 80
PHONE = "activities.sign_up.phone"


class Activity(models.Model):
    """One planned doing. `code` is its public address; `last_number` the last queue number given; `attended` None until counted."""

    code = models.CharField(max_length=12, unique=True)
    key = models.CharField(max_length=KEY_LENGTH, unique=True)
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=TITLE_LENGTH)
    about = models.CharField(max_length=ABOUT_LENGTH, blank=True)
    area = models.ForeignKey("places.Area", models.PROTECT, related_name="+", db_index=False)
    path = PathField(max_length=120)
    place = models.CharField(max_length=PLACE_LENGTH)
    starts_at = MomentField()
    ends_at = MomentField()
    entry = models.CharField(max_length=8)
    capacity = models.IntegerField(null=True)
    windows = models.SmallIntegerField(default=1)
    organiser = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    organiser_duty = models.CharField(max_length=24, blank=True)
    state = models.CharField(max_length=9, default="PLANNED")
    reason_code = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    last_number = models.IntegerField(default=0)
    attended = models.IntegerField(null=True)
    cost_fen = models.BigIntegerField(null=True)
    planned_at = MomentField()
    planned_by = models.BigIntegerField(null=True)
    copied_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    exercise_id = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["path"], name="activities_path"),
            models.Index(fields=["starts_at"], name="activities_starts"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="activities_span"),
            models.CheckConstraint(condition=Q(state__in=list(STATES)), name="activities_state"),
            models.CheckConstraint(condition=Q(organiser__isnull=False) | ~Q(organiser_duty=""), name="activities_organised"),
        ]


class SignUp(models.Model):
    """Somebody who wants to come, with `party` people. `came_at` is kept only where a guardian has asked for it.

    The telephone number is sealed at rest and found by its fingerprint, whole.
    """

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+")
    key = models.CharField(max_length=KEY_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    phone = SealedField(about=PHONE, blank=True)
    phone_hash = FingerprintField(of="phone", about=PHONE)
    party = models.SmallIntegerField()
    is_minor = models.BooleanField()
    state = models.CharField(max_length=9)
    signed_at = MomentField()
    entered_by = models.BigIntegerField(null=True)
    came_at = MomentField(null=True)

    class Meta:
        db_table = "activities_sign_up"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["activity", "key"], name="activities_sign_up_key"),
            models.UniqueConstraint(
                fields=["activity", "phone_hash", "name"], name="activities_sign_up_once",
                condition=~Q(state="WITHDRAWN") & ~Q(phone_hash=""),
            ),
        ]


class Consent(models.Model):
    """A guardian's consent: who, when, to which version of the text; `recorded_by` None where the guardian gave it on the page."""

    sign_up = models.OneToOneField(SignUp, models.CASCADE, related_name="consent")
    guardian = models.CharField(max_length=NAME_LENGTH)
    relation = models.CharField(max_length=RELATION_LENGTH)
    version = models.CharField(max_length=16)
    notes_arrival = models.BooleanField()
    given_at = MomentField()
    recorded_by = models.BigIntegerField(null=True)
    withdrawn_at = MomentField(null=True)


class Ticket(models.Model):
    """One queue number, whose it is nobody knows; `key` is the sender's own, so that a repeated asking gives the same number."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+", db_index=False)
    number = models.IntegerField()
    key = models.CharField(max_length=KEY_LENGTH)
    state = models.CharField(max_length=7, default="WAITING")
    window = models.SmallIntegerField(null=True)
    given_at = MomentField()
    ended_at = MomentField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["activity", "number"], name="activities_ticket_number"),
            models.UniqueConstraint(fields=["activity", "key"], name="activities_ticket_key"),
            models.UniqueConstraint(fields=["activity", "window"], name="activities_ticket_in_hand", condition=Q(state="CALLED")),
        ]


class Call(models.Model):
    """That a window has called a number, for the first time or again."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="+")
    window = models.SmallIntegerField()
    key = models.CharField(max_length=KEY_LENGTH)
    at = MomentField()
    by = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["activity", "key"], name="activities_call_key")]


class Matter(models.Model):
    """One matter brought to an activity, and its case. `person` may be called back; only what is handed on has one."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=KEY_LENGTH)
    code = models.CharField(max_length=16)
    handled = models.CharField(max_length=9)
    number = models.IntegerField(null=True)
    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="+")
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    note = models.CharField(max_length=200, blank=True)
    recorded_at = MomentField()
    recorded_by = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["activity", "key"], name="activities_matter_key")]


class Headcount(models.Model):
    """One change of the attendance: so many more, or fewer where it is corrected."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=KEY_LENGTH)
    change = models.IntegerField()
    at = MomentField()
    by = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["activity", "key"], name="activities_headcount_key")]


class Rating(models.Model):
    """One tap from 1 to 5. `key` is a number that the phone keeps: the same phone changes its tap, nobody can tell whose it is."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=KEY_LENGTH)
    score = models.SmallIntegerField()
    at = MomentField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["activity", "key"], name="activities_rating_key"),
            models.CheckConstraint(condition=Q(score__gte=1, score__lte=5), name="activities_rating_score"),
        ]


class Photo(models.Model):
    """A photo of an activity: the cleaned copy; the original is sealed."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+", db_index=False)
    file = models.ForeignKey("files.File", models.PROTECT, related_name="+")
    added_at = MomentField()
    added_by = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["activity", "file"], name="activities_photo_once")]
