"""The table of files. Content lies on the disk, named by its SHA-256; equal content is kept once."""

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
