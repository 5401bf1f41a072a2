"""Who is watched: a household, its meter's stream, and whether it is away."""

from __future__ import annotations

from django.db import models

from shouwang.journal.fields import MomentField, PathField


class Enrolment(models.Model):
    """That one household is watched through one datastream."""

    household = models.OneToOneField("people.Household", models.DO_NOTHING, related_name="+")
    datastream_id = models.BigIntegerField(unique=True)
    area = models.ForeignKey("places.Area", models.DO_NOTHING, related_name="+", db_index=False)
    path = PathField(max_length=120, db_index=True)
    active = models.BooleanField(default=True)
    away_until = MomentField(null=True)
    enrolled_at = MomentField()
