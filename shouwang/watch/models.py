"""Tables of the watch: what is watched, what is remembered per partition, every tick of its clock, and what came late."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from shouwang.journal.fields import MomentField, PathField


class Watch(models.Model):
    """A detector with its parameters over the datastreams of one kind of thing and one property (empty means any).

    With a `path` it is that of an area: `params` are then only those the area sets itself, and everything else but the
    state is said by the watch of the same code without a path.
    """

    code = models.CharField(max_length=48)
    path = PathField(max_length=120, blank=True, default="", db_default="")
    detector = models.CharField(max_length=32)
    version = models.SmallIntegerField()
    params = models.JSONField()
    thing_kind = models.CharField(max_length=24, blank=True)
    property = models.CharField(max_length=32, blank=True)
    lateness_s = models.IntegerField()
    enabled = models.BooleanField(default=True)
    since = MomentField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["code", "path"], name="watch_code_path")]


class WatchState(models.Model):
    """What a watch remembers of one partition, and how far it has judged; written only under the lease of `fence`."""

    watch = models.ForeignKey(Watch, models.CASCADE, related_name="+", db_index=False)
    partition = models.SmallIntegerField()
    state = models.BinaryField()
    cursor = models.BigIntegerField()
    tick_id = models.BigIntegerField()
    fence = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["watch", "partition"], name="watch_state_once")]


class WatchTick(models.Model):
    """One tick of the watch's clock, kept so that a replay judges at the same instants."""

    upto_seq = models.BigIntegerField()
    at = MomentField()


class LateBatch(models.Model):
    """What one tick found late: 64-bit streams, then as many moments in microseconds. The next review sorts it into `LateRows`."""

    watch = models.ForeignKey(Watch, models.CASCADE, related_name="+", db_index=False)
    noted_at = MomentField()
    rows = models.BinaryField()


class LateRows(models.Model):
    """That readings of one stream came after their time was judged; `moments` are theirs, ascending 64-bit microseconds."""

    watch = models.ForeignKey(Watch, models.CASCADE, related_name="+", db_index=False)
    stream = models.BigIntegerField()
    moments = models.BinaryField()
    noted_at = MomentField()
    first_noted_at = MomentField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["watch", "stream"], name="watch_late_once")]


class ReviewFinding(models.Model):
    """What a detector finds with the late readings and did not find without them. `told` are those handed to alerts."""

    watch = models.ForeignKey(Watch, models.CASCADE, related_name="+", db_index=False)
    stream = models.BigIntegerField()
    kind = models.CharField(max_length=32)
    phase = models.CharField(max_length=6)
    episode_us = models.BigIntegerField()
    at = MomentField()
    severity = models.SmallIntegerField()
    reason = models.CharField(max_length=48)
    params = models.JSONField()
    reviewed_at = MomentField()
    told = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["watch", "stream", "kind", "episode_us", "phase"], name="watch_review_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["reviewed_at"], name="watch_review_at")]


class Learning(models.Model):
    """That a watch by habit shall learn the past of a stream. `state` is what it will remember, learnt up to `learnt_at`, until it is taken."""

    watch = models.ForeignKey(Watch, models.CASCADE, related_name="+", db_index=False)
    stream = models.BigIntegerField()
    asked_at = MomentField()
    first_at = MomentField(null=True)
    readings = models.IntegerField(default=0)
    learnt_at = MomentField(null=True)
    tried_at = MomentField(null=True)
    taken_at = MomentField(null=True)
    state = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["stream", "watch"], name="watch_learning_once")]
        indexes: ClassVar = [
            models.Index(fields=["tried_at", "id"], condition=models.Q(taken_at=None), name="watch_learning_open"),
        ]
