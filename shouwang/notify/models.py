"""The outbox, which is also the inbox: one row per message. Written in bulk, so it holds no foreign key.

A row costs what it holds: codes are short, states are small numbers, and the indexes cover only what is still alive
or is read by number. `done_at IS NULL` means alive; `lease_until` is when somebody must take a message up again, and
null while nobody has.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from shouwang.journal.fields import MomentField, PathField

ALIVE = Q(done_at__isnull=True)
FRESH = ALIVE & Q(leader_id__isnull=True, lease_until__isnull=True)
POSTPONED = FRESH & Q(not_before__isnull=False)
TAKEN = ALIVE & Q(lease_until__isnull=False)


class Message(models.Model):
    """One message to one person on one channel. The members of a bundle point to their leader, which alone is sent.

    `attempts` counts tries since the last certain answer, `repeats` the sendings that a person may have seen twice.
    `push_seq` numbers what an inbox shows, in the order of commits; members of a bundle have none. `was_quiet`: it has
    been put off to the end of quiet hours.
    """

    person_id = models.BigIntegerField()
    channel = models.CharField(max_length=16)
    template = models.CharField(max_length=32)
    params = models.TextField()
    key = models.CharField(max_length=48)
    severity = models.SmallIntegerField()
    task_id = models.BigIntegerField(null=True)
    case_id = models.BigIntegerField(null=True)
    exercise_id = models.BigIntegerField(null=True)
    state = models.SmallIntegerField(default=0, db_default=0)
    leader_id = models.BigIntegerField(null=True)
    not_before = MomentField(null=True)
    was_quiet = models.BooleanField(default=False, db_default=False)
    lease_until = MomentField(null=True)
    fence = models.BigIntegerField(null=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)
    repeats = models.SmallIntegerField(default=0, db_default=0)
    reason = models.CharField(max_length=40, default="", db_default="")
    provider_ref = models.CharField(max_length=80, default="", db_default="")
    push_seq = models.BigIntegerField(null=True)
    queued_at = MomentField()
    done_at = MomentField(null=True)
    read_at = MomentField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "channel"], name="notify_message_once"),
            models.UniqueConstraint(fields=["push_seq"], name="notify_message_push", condition=Q(push_seq__isnull=False)),
        ]
        indexes: ClassVar = [
            # The columns after not_before are null in it: they only let SQLite answer from the index alone.
            models.Index(
                fields=[
                    "person_id", "channel", "exercise_id", "severity", "queued_at", "not_before", "done_at", "leader_id",
                    "lease_until",
                ],
                name="notify_message_fresh", condition=FRESH,
            ),
            models.Index(fields=["not_before"], name="notify_message_later", condition=POSTPONED),
            models.Index(fields=["lease_until"], name="notify_message_taken", condition=TAKEN),
            models.Index(fields=["leader_id"], name="notify_message_leader", condition=Q(leader_id__isnull=False)),
            models.Index(fields=["person_id", "push_seq"], name="notify_message_inbox", condition=Q(push_seq__isnull=False)),
        ]


class LastSent(models.Model):
    """When a person was last sent something that is not urgent on one channel: the throttle's memory.

    `exercise_id` is 0 for what is real, because a unique key does not hold for nulls.
    """

    person_id = models.BigIntegerField()
    channel = models.CharField(max_length=16)
    exercise_id = models.BigIntegerField(default=0)
    at = MomentField()

    class Meta:
        db_table = "notify_last_sent"
        constraints: ClassVar = [models.UniqueConstraint(fields=["person_id", "channel", "exercise_id"], name="notify_last_sent_once")]


class ChannelSetting(models.Model):
    """Whether a channel is on, and what its provider asks for."""

    channel = models.CharField(max_length=16, primary_key=True)
    settings = models.TextField(default="{}")
    enabled = models.BooleanField(default=False)

    class Meta:
        db_table = "notify_channel"


class Robot(models.Model):
    """A robot of a group: it speaks for its area and for everything below that has none of its own."""

    channel = models.CharField(max_length=16)
    area = models.ForeignKey("places.Area", models.CASCADE, related_name="+")
    url = models.TextField()
    secret = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["channel", "area"], name="notify_robot_once")]


class TargetUse(models.Model):
    """When a robot, an address or a channel with a rate was last sent something (microseconds, JSON), and until when it takes nothing."""

    channel = models.CharField(max_length=16)
    target = models.CharField(max_length=16)
    sent = models.TextField(default="[]")
    blocked_until = MomentField(null=True)

    class Meta:
        db_table = "notify_target"
        constraints: ClassVar = [models.UniqueConstraint(fields=["channel", "target"], name="notify_target_once")]


class Preference(models.Model):
    """How a person wishes to be told: which channels come later (channel → step, JSON), and the quiet hours.

    The quiet hours are minutes of the local day, [from, until), over midnight where `until` is the smaller one.
    """

    person_id = models.BigIntegerField(primary_key=True)
    steps = models.TextField(default="{}")
    quiet_from = models.SmallIntegerField(null=True)
    quiet_until = models.SmallIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(
                    quiet_from__isnull=False, quiet_until__isnull=False, quiet_from__gte=0, quiet_from__lt=1440, quiet_until__gte=0,
                    quiet_until__lt=1440,
                ),
                name="notify_preference_quiet",
            ),
        ]


class Speaker(models.Model):
    """A loudspeaker: what plays on it stands in `Sound`. `settings` is JSON and holds no secret.

    `check_at` is when it is looked at next, `failures` how many checks have failed running.
    """

    code = models.CharField(max_length=48)
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=80)
    settings = models.TextField(default="{}")
    secret = models.CharField(max_length=200, blank=True, default="")
    area = models.ForeignKey("places.Area", models.PROTECT, related_name="+")
    path = PathField(max_length=200)
    thing = models.ForeignKey("telemetry.Thing", models.SET_NULL, null=True, related_name="+")
    enabled = models.BooleanField(default=True)
    state = models.SmallIntegerField(default=0, db_default=0)
    reason = models.CharField(max_length=40, default="", db_default="")
    failures = models.SmallIntegerField(default=0, db_default=0)
    checked_at = MomentField(null=True)
    check_at = MomentField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["code"], name="notify_speaker_code")]
        indexes: ClassVar = [
            models.Index(fields=["path"], name="notify_speaker_path"),
            models.Index(fields=["check_at"], name="notify_speaker_check", condition=Q(enabled=True)),
        ]


class Sound(models.Model):
    """One sound on one loudspeaker, from `due_at` and never at or after `not_after`. Those of one `ladder` are dropped together.

    `again_at` is when somebody must take it up: at first its time, while it is tried again that moment, while it plays the
    end of the lease; null once it has ended. `played_at` is when it began to sound.
    """

    speaker = models.ForeignKey(Speaker, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=80)
    ladder = models.CharField(max_length=64)
    prompt = models.CharField(max_length=32)
    said = models.CharField(max_length=120, default="", db_default="")
    loudness = models.SmallIntegerField(default=100, db_default=100)
    severity = models.SmallIntegerField()
    due_at = MomentField()
    not_after = MomentField()
    state = models.SmallIntegerField(default=0, db_default=0)
    again_at = MomentField(null=True)
    fence = models.BigIntegerField(null=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)
    reason = models.CharField(max_length=40, default="", db_default="")
    played_at = MomentField(null=True)
    done_at = MomentField(null=True)
    exercise_id = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], name="notify_sound_once"),
            models.CheckConstraint(condition=Q(not_after__gt=models.F("due_at")), name="notify_sound_window"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["again_at"], name="notify_sound_alive", condition=ALIVE),
            models.Index(fields=["ladder"], name="notify_sound_ladder"),
            models.Index(fields=["speaker", "due_at"], name="notify_sound_speaker"),
        ]
