"""Tables of files. Content lies on the disk, named by its SHA-256; equal content is kept once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from shouwang.files.rules import Sensitivity


class File(models.Model):
    """One content. Moments are microseconds since 1970 (this room lies beside the journal and may not use its fields)."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    sensitivity = models.CharField(max_length=8)
    stored_at_us = models.BigIntegerField()
    retain_until_us = models.BigIntegerField(null=True)
    derived_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="copies")
    derivation = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sensitivity__in=[each.value for each in Sensitivity]), name="files_sensitivity"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["retain_until_us"], name="files_retain", condition=Q(retain_until_us__isnull=False)),
        ]


class Upload(models.Model):
    """A file an account has uploaded for one purpose and not finished with: `done` says how far, `note` what came of it."""

    account_id = models.BigIntegerField()
    purpose = models.CharField(max_length=24)
    name = models.CharField(max_length=120)
    file = models.ForeignKey(File, models.PROTECT, related_name="+")
    options = models.JSONField(default=dict)
    done = models.BigIntegerField(default=0)
    note = models.JSONField(default=dict)
    made_at_us = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["made_at_us"], name="files_upload_made")]
