"""Waters that are watched, their cameras and zones, who is known to be there, and what came of every event."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from shouwang.journal.fields import MomentField, PathField


class Water(models.Model):
    """A dangerous water. `level_datastream_id` is the gauge by which zones hold or not; `owner` is the unit that answers for it."""

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=12)
    area = models.ForeignKey("places.Area", models.DO_NOTHING, related_name="+", db_index=False)
    path = PathField(max_length=120, db_index=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    owner = models.CharField(max_length=80, blank=True)
    note = models.CharField(max_length=400, blank=True)
    level_datastream_id = models.BigIntegerField(null=True)
    active = models.BooleanField(default=True)
    added_at = MomentField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["area", "name"], name="drowning_water_name_once")]


class Camera(models.Model):
    """A camera (a thing of telemetry) that watches a water; its last picture is what zones are drawn on and halls look at.

    `least_score` is the confidence from which its word is believed; below it a sighting is unsure.
    """

    thing_id = models.BigIntegerField(unique=True)
    water = models.ForeignKey(Water, models.DO_NOTHING, related_name="+")
    name = models.CharField(max_length=80)
    picture_event_id = models.BigIntegerField(null=True)
    picture_at = MomentField(null=True)
    least_score = models.FloatField(default=0.0)
    offline_told_at = MomentField(null=True)
    active = models.BooleanField(default=True)


class Zone(models.Model):
    """A part of a camera's picture, as `rules.zones.Zone` describes it; a dropped zone is kept, for what it once decided."""

    camera = models.ForeignKey(Camera, models.CASCADE, related_name="+")
    code = models.CharField(max_length=24)
    band = models.CharField(max_length=5)
    polygon = models.JSONField()
    season_first = models.SmallIntegerField(default=101)
    season_last = models.SmallIntegerField(default=1231)
    hours_start = models.SmallIntegerField(default=0)
    hours_end = models.SmallIntegerField(default=0)
    level_from = models.FloatField(null=True)
    level_to = models.FloatField(null=True)
    stay_s = models.SmallIntegerField(default=0)
    group_from = models.SmallIntegerField(default=3)
    edited_by = models.BigIntegerField(null=True)
    edited_at = MomentField()
    dropped_at = MomentField(null=True)


class Known(models.Model):
    """That up to so many persons are expected at a water until a stated moment, why, and who said so: never whose face it is."""

    water = models.ForeignKey(Water, models.CASCADE, related_name="+")
    persons = models.SmallIntegerField()
    reason = models.CharField(max_length=120)
    since = MomentField()
    until = MomentField()
    by = models.BigIntegerField(null=True)
    ended_at = MomentField(null=True)


class Sighting(models.Model):
    """What came of one event of a camera: counted, whatever it was."""

    event_id = models.BigIntegerField(unique=True)
    camera = models.ForeignKey(Camera, models.DO_NOTHING, related_name="+", db_index=False)
    water_id = models.BigIntegerField()
    path = PathField(max_length=120)
    who = models.CharField(max_length=80)
    zone_id = models.BigIntegerField(null=True)
    band = models.CharField(max_length=5, blank=True)
    verdict = models.CharField(max_length=12)
    kind = models.CharField(max_length=32, blank=True)
    persons = models.SmallIntegerField(default=0)
    score = models.FloatField(null=True)
    at = MomentField()
    last_at = MomentField()
    repeats = models.IntegerField(default=0)
    over_at = MomentField(null=True)
    spoken_at = MomentField(null=True)
    alert_id = models.BigIntegerField(null=True)
    exercise_id = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["water_id", "last_at"], name="drowning_sighting_near"),
            models.Index(fields=["camera", "at"], name="drowning_sighting_camera"),
            models.Index(fields=["path", "at"], name="drowning_sighting_path"),
            models.Index(fields=["alert_id"], name="drowning_sighting_alert", condition=models.Q(alert_id__isnull=False)),
        ]


class Label(models.Model):
    """What a case at a water's edge turned out to be: by it a camera's threshold is judged and fitted."""

    case_id = models.BigIntegerField(unique=True)
    camera = models.ForeignKey(Camera, models.DO_NOTHING, null=True, related_name="+")
    water_id = models.BigIntegerField()
    path = PathField(max_length=120)
    result = models.CharField(max_length=12)
    what = models.CharField(max_length=12, blank=True)
    score = models.FloatField(null=True)
    opened_at = MomentField()
    accepted_at = MomentField(null=True)
    arrived_at = MomentField(null=True)
    closed_at = MomentField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["path", "opened_at"], name="drowning_label_path")]


class Hazard(models.Model):
    """A risk found at a water, or proposed by the case of a rescue (`from_case_id`): who mends it until when, and what was done."""

    water = models.ForeignKey(Water, models.CASCADE, related_name="+")
    path = PathField(max_length=120, db_index=True)
    kind = models.CharField(max_length=12)
    what = models.CharField(max_length=200)
    unit = models.CharField(max_length=80, blank=True, default="")
    key = models.CharField(max_length=40, blank=True, default="")
    from_case_id = models.BigIntegerField(null=True, unique=True)
    photo_id = models.BigIntegerField(null=True)
    case_id = models.BigIntegerField(null=True)
    found_by = models.BigIntegerField(null=True)
    found_at = MomentField()
    until = models.DateField()
    state = models.CharField(max_length=8)
    done = models.CharField(max_length=400, blank=True)
    done_photo_id = models.BigIntegerField(null=True)
    done_at = MomentField(null=True)
    told_at = MomentField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["key"], condition=~models.Q(key=""), name="drowning_hazard_key_once")]


class Patrol(models.Model):
    """One walk along a water that the calendar asks for, and when it was done."""

    water = models.ForeignKey(Water, models.CASCADE, related_name="+")
    path = PathField(max_length=120)
    due_from = MomentField()
    due_to = MomentField()
    done_at = MomentField(null=True)
    by = models.BigIntegerField(null=True)
    note = models.CharField(max_length=400, blank=True)
    hazard_id = models.BigIntegerField(null=True)
    told_at = MomentField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["water", "due_from"], name="drowning_patrol_once")]
        indexes: ClassVar = [models.Index(fields=["path", "due_from"], name="drowning_patrol_path")]


class PartyItem(models.Model):
    """One thing that one of the five parties of an area has to do by a day, and when it was done; `code` stands in `data/parties.toml`."""

    area = models.ForeignKey("places.Area", models.DO_NOTHING, related_name="+", db_index=False)
    path = PathField(max_length=120)
    code = models.CharField(max_length=32)
    due = models.DateField()
    done_on = models.DateField(null=True)
    note = models.CharField(max_length=200, blank=True)
    done_by = models.BigIntegerField(null=True)
    done_at = MomentField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["area", "code", "due"], name="drowning_party_item_once")]
        indexes: ClassVar = [models.Index(fields=["path", "due"], name="drowning_party_item_path")]


class JointItem(models.Model):
    """What a joint meeting agreed: who does what by when, as a case that is closed with a note."""

    area = models.ForeignKey("places.Area", models.DO_NOTHING, related_name="+", db_index=False)
    path = PathField(max_length=120, db_index=True)
    title = models.CharField(max_length=120)
    unit = models.CharField(max_length=80)
    until = models.DateField()
    key = models.CharField(max_length=40, unique=True)
    case_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8)
    done = models.CharField(max_length=400, blank=True)
    added_by = models.BigIntegerField(null=True)
    added_at = MomentField()
    told_at = MomentField(null=True)
