"""Tables of requests. A request is one matter with one case; each person who tells of it has a report of their own."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from shouwang.journal.fields import MomentField, PathField
from shouwang.requests.rules.intake import ADDRESS_LENGTH


class ServiceRequest(models.Model):
    """One matter (Open311: service request). Its state is its case's; `joined` is the request it was merged into."""

    number = models.CharField(max_length=9, unique=True)
    service_code = models.CharField(max_length=16)
    channel = models.CharField(max_length=12)
    area = models.ForeignKey("places.Area", models.PROTECT, related_name="+")
    path = PathField(max_length=120)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    address = models.CharField(max_length=ADDRESS_LENGTH, blank=True)
    description = models.TextField()
    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="+")
    joined = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    requested_at = MomentField()
    exercise_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "requests_request"
        indexes: ClassVar = [
            models.Index(fields=["path"], name="requests_path"),
            models.Index(fields=["requested_at"], name="requests_requested"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(lon__isnull=True, lat__isnull=True) | Q(lon__isnull=False, lat__isnull=False), name="requests_point_whole"),
        ]


class Report(models.Model):
    """One person's telling of a request. `description` is what a later one added; the first one's is the request's own.

    `rounds` counts how often this person was told that it is done, `told_seq` is the number of the event last told of;
    `answer` is what the person said to the last telling.
    """

    request = models.ForeignKey(ServiceRequest, models.PROTECT, related_name="reports")
    key = models.CharField(max_length=96, unique=True)
    channel = models.CharField(max_length=12)
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    taken_by = models.BigIntegerField(null=True)
    description = models.TextField(blank=True)
    language = models.CharField(max_length=2, default="zh")
    said_at = MomentField()
    told_seq = models.BigIntegerField(default=0)
    rounds = models.SmallIntegerField(default=0)
    answer = models.CharField(max_length=10, blank=True)
    answered_at = MomentField(null=True)


class Photo(models.Model):
    """A photo that came with a report: the cleaned copy; the original is sealed."""

    report = models.ForeignKey(Report, models.PROTECT, related_name="photos")
    file = models.ForeignKey("files.File", models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["report", "file"], name="requests_photo_once")]


class Allowance(models.Model):
    """How often one pseudonym has used one public form in the current window."""

    budget = models.CharField(max_length=16)
    who = models.CharField(max_length=40)
    window_at = MomentField()
    used = models.IntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["budget", "who"], name="requests_allowance_once")]
        indexes: ClassVar = [models.Index(fields=["window_at"], name="requests_allowance_window")]
