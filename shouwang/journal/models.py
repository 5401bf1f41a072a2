"""Tables of the journal. Append-only but for cursors, timers and leases."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from shouwang.journal.fields import MomentField, RowNumberField


class EventRow(models.Model):
    """One event, in commit order; `hash` chains it to the one before."""

    seq = RowNumberField(primary_key=True)
    at = MomentField()
    kind = models.CharField(max_length=48)
    version = models.SmallIntegerField()
    subject_id = models.BigIntegerField(null=True)
    exercise_id = models.BigIntegerField(null=True)
    payload = models.TextField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "journal_event"
        indexes: ClassVar = [
            models.Index(fields=["subject_id"], name="journal_event_subject", condition=models.Q(subject_id__isnull=False)),
        ]


class Head(models.Model):
    """The last event's number and hash, and the algorithm of the chain: one row."""

    algorithm = models.CharField(max_length=8)
    seq = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)


class ListenerCursor(models.Model):
    """How far one named listener has read."""

    name = models.CharField(max_length=64, primary_key=True)
    seq = models.BigIntegerField()


class Timer(models.Model):
    """Something to do at a moment: at most one per kind and subject."""

    kind = models.CharField(max_length=16)
    subject_id = models.BigIntegerField()
    due_at = MomentField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["subject_id", "kind"], name="journal_timer_one_live")]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="journal_timer_due")]


class LeaseRow(models.Model):
    """Who does one kind of work, until when; `fence` grows whenever the owner changes."""

    name = models.CharField(max_length=64, primary_key=True)
    owner = models.CharField(max_length=64)
    fence = models.BigIntegerField()
    expires_at = MomentField()

    class Meta:
        db_table = "journal_lease"
