"""What the figures are made of: one line a case or activity, folded from the journal and never written otherwise."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from shouwang.journal.fields import MomentField, PathField, RowNumberField


class CaseLine(models.Model):
    """One case as the figures know it; the columns of `rules.folding.Line`, and the path of its area."""

    case_id = RowNumberField(primary_key=True)
    area_id = models.BigIntegerField()
    path = PathField(max_length=120)
    kind = models.CharField(max_length=32)
    severity = models.SmallIntegerField()
    opened_at = MomentField()
    exercise_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=9)
    accepted_at = MomentField(null=True)
    arrived_at = MomentField(null=True)
    completed_at = MomentField(null=True)
    closed_at = MomentField(null=True)
    result = models.CharField(max_length=32)
    late = models.BooleanField()
    false_alarm = models.BooleanField()
    escalations = models.SmallIntegerField()
    gaps = models.SmallIntegerField()
    reopened = models.SmallIntegerField()

    class Meta:
        db_table = "indicators_case"
        indexes: ClassVar = [
            models.Index(fields=["opened_at"], name="indicators_case_opened"),
            models.Index(fields=["path"], name="indicators_case_open", condition=models.Q(state="OPEN")),
        ]


class ActivityRow(models.Model):
    """One activity as the figures know it; the columns of `rules.doings.ActivityLine`, and the path of its area."""

    activity_id = RowNumberField(primary_key=True)
    area_id = models.BigIntegerField()
    path = PathField(max_length=120)
    kind = models.CharField(max_length=16)
    exercise_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=9)
    started_at = MomentField(null=True)
    ended_at = MomentField(null=True)
    matters = models.IntegerField()
    on_the_spot = models.IntegerField()
    numbers_done = models.IntegerField()
    attended = models.IntegerField(null=True)

    class Meta:
        db_table = "indicators_activity"
        indexes: ClassVar = [models.Index(fields=["started_at"], name="indicators_activity_started")]
