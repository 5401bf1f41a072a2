"""Tables of alerts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Coalesce

from shouwang.journal.fields import MomentField, PathField


class Alert(models.Model):
    """One alert, open or ended, with the fields of CAP 1.2."""

    kind = models.CharField(max_length=32)
    subject_kind = models.CharField(max_length=16)
    subject_id = models.BigIntegerField()
    episode_us = models.BigIntegerField()
    state = models.CharField(max_length=6)
    severity = models.SmallIntegerField()
    area_id = models.BigIntegerField()
    path = PathField(max_length=120)
    reason = models.CharField(max_length=48)
    params = models.TextField()
    detector = models.CharField(max_length=48)
    opened_at = MomentField()
    updated_at = MomentField()
    ended_at = MomentField(null=True)
    merged = models.IntegerField(default=0)
    case_id = models.BigIntegerField(null=True)
    exercise_id = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "kind", "subject_kind", "subject_id", Coalesce("exercise_id", 0),
                name="alerts_one_open", condition=models.Q(state="OPEN"),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["subject_id"], name="alerts_subject")]


class Inhibited(models.Model):
    """A finding that opened no alert because something above its subject explains it; kept and counted."""

    kind = models.CharField(max_length=32)
    subject_kind = models.CharField(max_length=16)
    subject_id = models.BigIntegerField()
    reason = models.CharField(max_length=48)
    at = MomentField()

