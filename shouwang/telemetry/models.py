"""Tables of telemetry. Observations are the hot one: keyed (hour, datastream, moment), without row ids on SQLite."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from shouwang.journal.fields import MomentField, PathField


class Thing(models.Model):
    """Something that is observed: a water meter, a rain gauge."""

    external_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=24)
    name = models.CharField(max_length=80)
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, related_name="+", db_index=False)
    path = PathField(max_length=200)
    household = models.ForeignKey("people.Household", models.SET_NULL, null=True, related_name="+")
    partition = models.SmallIntegerField()
    exercise_id = models.BigIntegerField(null=True)
    added_at = MomentField()
    retired_at = MomentField(null=True)
    last_at = MomentField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["external_id"], name="telemetry_thing_external")]
        indexes: ClassVar = [models.Index(fields=["path"], name="telemetry_thing_path")]


class Datastream(models.Model):
    """One observed property of a thing, in one unit."""

    thing = models.ForeignKey(Thing, models.CASCADE, related_name="+", db_index=False)
    property = models.CharField(max_length=32)
    unit = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["thing", "property"], name="telemetry_datastream_once")]


class Observation(models.Model):
    """One reading. `hour` is the number of whole hours since 1970 of its phenomenon time `at`."""

    pk = models.CompositePrimaryKey("hour", "datastream_id", "at")
    hour = models.IntegerField()
    datastream_id = models.BigIntegerField()
    at = MomentField()
    result = models.FloatField()
    flags = models.SmallIntegerField()

    class Meta:
        db_table = "telemetry_observation"


class IngestBatch(models.Model):
    """One batch as it was stored, in commit order: what the watch reads. `partitions` is a set of 64 bits."""

    seq = models.BigIntegerField(primary_key=True)
    partitions = models.BigIntegerField()
    received_at = MomentField()
    source = models.CharField(max_length=24)
    rows = models.IntegerField()
    columns = models.BinaryField()

    class Meta:
        db_table = "telemetry_ingest_batch"


class DeviceEvent(models.Model):
    """What a device told by itself, once however often it was told. `at` is when it counts as happened."""

    source = models.CharField(max_length=24)
    dedupe_key = models.CharField(max_length=40)
    thing = models.ForeignKey(Thing, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=8)
    channel = models.CharField(max_length=80)
    rule = models.CharField(max_length=80)
    zone = models.CharField(max_length=80)
    object = models.CharField(max_length=8)
    object_id = models.CharField(max_length=64)
    box = models.JSONField(null=True)
    polygon = models.JSONField(default=list)
    score = models.FloatField(null=True)
    persons = models.SmallIntegerField(default=1, db_default=1)
    is_child = models.BooleanField(default=False, db_default=False)
    is_unsure = models.BooleanField(default=False, db_default=False)
    at = MomentField()
    device_at = MomentField(null=True)
    received_at = MomentField()
    clock_off_s = models.FloatField(null=True)
    is_clock_wrong = models.BooleanField()
    repeats = models.IntegerField(default=0)
    last_repeat_at = MomentField(null=True)
    snapshots = models.JSONField(default=list)
    raw = models.BinaryField(null=True)
    partition = models.SmallIntegerField()
    exercise_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "telemetry_device_event"
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "dedupe_key"], name="telemetry_device_event_once")]
        indexes: ClassVar = [
            models.Index(fields=["thing", "at"], name="telemetry_event_of_thing"),
            models.Index(fields=["received_at"], name="telemetry_event_received"),
            models.Index(fields=["received_at"], name="telemetry_event_raw", condition=models.Q(raw__isnull=False)),
        ]


class Quarantine(models.Model):
    """Readings and device events that could not be placed, kept as they came until somebody releases them."""

    at = MomentField()
    source = models.CharField(max_length=24)
    device = models.CharField(max_length=64)
    reason = models.CharField(max_length=24)
    raw = models.TextField()
    rows = models.IntegerField()
    released_at = MomentField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["at"], name="telemetry_quarantine_waiting", condition=models.Q(released_at__isnull=True)),
        ]
