"""Tables of places: the tree of areas, and the settings that hold from an area downwards."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from shouwang.journal.fields import MomentField, PathField
from shouwang.places.rules.tree import CODE_LENGTH, LEVELS, NAME_LENGTH, PATH_LENGTH


class Area(models.Model):
    """One area of the tree. `code` is a 12-digit GB/T 2260 code, or blank for what the office made itself.

    A point or outline that is schematic was drawn, not surveyed: good for a picture, never for finding the way.
    `outline` is a GeoJSON geometry in WGS-84; `west` to `north` are the box around it.
    """

    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    level = models.CharField(max_length=10)
    name = models.CharField(max_length=NAME_LENGTH)
    official_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    spelling = models.CharField(max_length=4 * NAME_LENGTH, blank=True)
    code = models.CharField(max_length=CODE_LENGTH, blank=True)
    path = PathField(max_length=PATH_LENGTH, unique=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    point_is_schematic = models.BooleanField(default=False)
    outline = models.TextField(blank=True)
    outline_is_schematic = models.BooleanField(default=False)
    west = models.FloatField(null=True)
    south = models.FloatField(null=True)
    east = models.FloatField(null=True)
    north = models.FloatField(null=True)
    valid_from_date = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code"], condition=~Q(code=""), name="places_area_code_once"),
            models.UniqueConstraint(fields=["parent", "name"], name="places_area_name_once"),
            models.CheckConstraint(condition=Q(level__in=LEVELS), name="places_area_level"),
            models.CheckConstraint(
                condition=Q(lon__isnull=True, lat__isnull=True) | Q(lon__isnull=False, lat__isnull=False),
                name="places_area_point_whole",
            ),
        ]


class AreaSetting(models.Model):
    """The value (JSON text) a setting has from one area downwards."""

    area = models.ForeignKey(Area, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    value = models.TextField()
    set_at = MomentField()

    class Meta:
        db_table = "places_setting"
        constraints: ClassVar = [models.UniqueConstraint(fields=["area", "key"], name="places_setting_once")]
