"""Who is watched: a household, its meter's stream, whether it is away, and its own hospital."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from shouwang.journal.fields import MomentField, PathField


class Gateway(models.Model):
    """What carries the readings of several meters; it stands where the first of them was enrolled. `told_at` is since when it is silent."""

    code = models.CharField(max_length=64, unique=True)
    area_id = models.BigIntegerField()
    path = PathField(max_length=120)
    told_at = MomentField(null=True)


class Enrolment(models.Model):
    """That one household is watched through one datastream.

    `consent_until` is the last day of the consent it rests on, `upload_h` how many hours somebody said lie between two uploads of its meter,
    `upload_learnt_h` how many its readings showed when that was last looked at. `stop_at` is when to see whether water was used since somebody
    said `said_well_at` that all is well. `look_again_at` is when to see whether somebody is really back from an announced absence; `silence_told_at` when a
    meter that sends nothing was last reported.
    """

    household = models.OneToOneField("people.Household", models.DO_NOTHING, related_name="+")
    datastream_id = models.BigIntegerField(unique=True)
    area = models.ForeignKey("places.Area", models.DO_NOTHING, related_name="+", db_index=False)
    path = PathField(max_length=120, db_index=True)
    active = models.BooleanField(default=True)
    away_until = MomentField(null=True)
    look_again_at = MomentField(null=True)
    silence_told_at = MomentField(null=True)
    hospital = models.CharField(max_length=80, blank=True)
    hospital_phone = models.CharField(max_length=20, blank=True)
    category = models.CharField(max_length=16, blank=True)
    consent_until = models.DateField(null=True)
    upload_h = models.SmallIntegerField(default=1, db_default=1)
    upload_learnt_h = models.SmallIntegerField(null=True)
    upload_seen_at = MomentField(null=True)
    gateway = models.ForeignKey(Gateway, models.DO_NOTHING, null=True, related_name="+")
    said_well_at = MomentField(null=True)
    stop_at = MomentField(null=True)
    enrolled_at = MomentField()
    ended_at = MomentField(null=True)
    ended_reason = models.CharField(max_length=12, blank=True)

    @property
    def sends_h(self) -> int:
        """Return how many hours lie between two uploads: what the readings show counts before what was said."""
        return self.upload_learnt_h or self.upload_h


class Label(models.Model):
    """What a case about a home turned out to be: the stream that detectors are judged and fitted by."""

    case_id = models.BigIntegerField(unique=True)
    household_id = models.BigIntegerField()
    path = PathField(max_length=120)
    alert_kind = models.CharField(max_length=32)
    label = models.CharField(max_length=12)
    opened_at = MomentField()
    contact_at = MomentField(null=True)
    closed_at = MomentField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["path", "opened_at"], name="living_alone_label_path")]


class Trial(models.Model):
    """What other prices of a needless alarm would have given on the last weeks of the homes below `path`.

    `points` holds the effects of the prices tried so far, the first those in force; it is done when there is one more than
    `prices`. The accepted prices hold for the area as thresholds of the watch.
    """

    area_id = models.BigIntegerField()
    path = PathField(max_length=120, db_index=True)
    call_target = models.FloatField()
    visit_target = models.FloatField()
    homes = models.IntegerField(default=0)
    stops = models.IntegerField(default=0)
    prices = models.JSONField(default=list)
    points = models.JSONField(default=list)
    asked_at = MomentField()
    asked_by = models.BigIntegerField(null=True)
    done_at = MomentField(null=True)
    accepted_at = MomentField(null=True)
    accepted_by = models.BigIntegerField(null=True)
