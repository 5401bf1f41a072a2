"""Tables of cases. Rows of cases, tasks and evidence are written in bulk, so their foreign keys carry no constraint."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from shouwang.journal.fields import MomentField, PathField

OPEN_TASKS = ("CONFIRM", "OFFERED", "ACCEPTED", "ARRIVED", "SUSPENDED")


class ProcedureVersion(models.Model):
    """One published text of a procedure; never changed, only followed by a later one.

    `path` is where it holds, with everything below; empty for everywhere. An empty definition means "as above again".
    """

    code = models.CharField(max_length=48)
    number = models.IntegerField()
    path = PathField(max_length=120, default="", db_default="")
    definition = models.TextField()
    shipped = models.BooleanField(default=True)
    published_at = MomentField()
    published_by = models.BigIntegerField(null=True)

    class Meta:
        db_table = "cases_procedure"
        constraints: ClassVar = [models.UniqueConstraint(fields=["code", "number"], name="cases_procedure_once")]


class Case(models.Model):
    """One thing to be brought to its end. `steps` holds each step's state, `params` the reason's ids and codes."""

    procedure = models.ForeignKey(ProcedureVersion, models.DO_NOTHING, db_index=False, db_constraint=False)
    kind = models.CharField(max_length=32)
    severity = models.SmallIntegerField()
    area_id = models.BigIntegerField()
    path = PathField(max_length=120)
    subject_kind = models.CharField(max_length=16)
    subject_id = models.BigIntegerField()
    reason = models.CharField(max_length=48)
    params = models.TextField()
    state = models.CharField(max_length=12)
    steps = models.TextField()
    opened_at = MomentField()
    due_at = MomentField(null=True)
    ended_at = MomentField(null=True)
    result = models.CharField(max_length=32)
    alert_id = models.BigIntegerField(null=True)
    exercise_id = models.BigIntegerField(null=True)
    merged_into = models.BigIntegerField(null=True)
    split_from = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["-severity", "due_at"], name="cases_open",
                condition=models.Q(state__in=("OPEN", "COMPLETED", "SUSPENDED")),
            ),
            models.Index(fields=["subject_id"], name="cases_subject"),
            models.Index(fields=["opened_at"], name="cases_opened"),
            models.Index(fields=["merged_into"], name="cases_merged", condition=models.Q(merged_into__isnull=False)),
        ]


class CaseFact(models.Model):
    """One value of one fact of a case; a later version corrects an earlier one."""

    case = models.ForeignKey(Case, models.DO_NOTHING, db_constraint=False)
    name = models.CharField(max_length=48)
    value = models.TextField()
    at = MomentField()
    person_id = models.BigIntegerField(null=True)


class Clock(models.Model):
    """A limit of a whole case, that can be stopped and goes on with what remained."""

    case = models.ForeignKey(Case, models.DO_NOTHING, db_constraint=False)
    code = models.CharField(max_length=32)
    kind = models.CharField(max_length=8)
    remaining_us = models.BigIntegerField()
    running_since = MomentField(null=True)
    due_at = MomentField(null=True)


class Task(models.Model):
    """One step of one case, made when the step becomes ready."""

    case = models.ForeignKey(Case, models.DO_NOTHING, db_constraint=False)
    step = models.CharField(max_length=32)
    state = models.CharField(max_length=9)
    rung = models.SmallIntegerField()
    reminders = models.SmallIntegerField(default=0)
    assignee_id = models.BigIntegerField(null=True)
    offered_at = MomentField()
    due_at = MomentField()
    limit_us = models.BigIntegerField()
    remaining_us = models.BigIntegerField(null=True)
    accepted_at = MomentField(null=True)
    arrived_at = MomentField(null=True)
    ended_at = MomentField(null=True)
    result = models.CharField(max_length=32)
    done_key = models.CharField(max_length=40)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["assignee_id"], name="cases_task_mine", condition=models.Q(state__in=OPEN_TASKS)),
        ]


class Offer(models.Model):
    """That a task was offered to a person at a rung, beyond the first: who may still accept it."""

    task = models.ForeignKey(Task, models.DO_NOTHING, db_constraint=False)
    person_id = models.BigIntegerField()
    rung = models.SmallIntegerField()
    at = MomentField()


class CoverageGap(models.Model):
    """That nobody was on duty where somebody should have been."""

    task = models.ForeignKey(Task, models.DO_NOTHING, db_constraint=False, db_index=False)
    case_id = models.BigIntegerField()
    path = PathField(max_length=120)
    duty = models.CharField(max_length=32)
    level = models.CharField(max_length=10)
    rank = models.CharField(max_length=8)
    at = MomentField()

    class Meta:
        db_table = "cases_gap"


class Evidence(models.Model):
    """One piece of evidence given with a result."""

    case = models.ForeignKey(Case, models.DO_NOTHING, db_constraint=False)
    task_id = models.BigIntegerField(null=True)
    code = models.CharField(max_length=32)
    value = models.TextField()
    file_id = models.BigIntegerField(null=True)
    person_id = models.BigIntegerField(null=True)
    at = MomentField()


class Note(models.Model):
    """A remark of a person on a case."""

    case = models.ForeignKey(Case, models.DO_NOTHING, db_constraint=False)
    person_id = models.BigIntegerField(null=True)
    text = models.TextField()
    at = MomentField()


class Handover(models.Model):
    """One watch handed to the next: what was open, what was odd, a note, and both signatures. `kept` holds case ids."""

    area_id = models.BigIntegerField()
    path = PathField(max_length=120)
    duty = models.CharField(max_length=32)
    given_by = models.BigIntegerField()
    given_at = MomentField()
    taken_by = models.BigIntegerField()
    taken_at = MomentField(null=True)
    note = models.TextField()
    kept = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["area_id", "duty"], name="cases_handover_one_waiting", condition=models.Q(taken_at__isnull=True)),
        ]
        indexes: ClassVar = [models.Index(fields=["path", "given_at"], name="cases_handover_path")]
