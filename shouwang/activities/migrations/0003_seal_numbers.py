"""Seals the telephone numbers that stood in clear, and opens them again on the way back."""

from django.db import migrations, models

import shouwang.journal.sealed
from shouwang.journal.sealed import keys
from shouwang.kernel.sealing import fingerprint, seal, unseal

PHONE = "activities.sign_up.phone"
PORTION = 500


def _each(apps, change):
    model = apps.get_model("activities", "SignUp")
    last = 0
    while rows := list(model.objects.filter(pk__gt=last).order_by("pk")[:PORTION]):
        for row in rows:
            change(row)
        model.objects.bulk_update(rows, ["phone", "phone_hash"], batch_size=100)
        last = rows[-1].pk


def close(apps, schema_editor):
    def change(row):
        row.phone, row.phone_hash = seal(row.phone, keys(), about=PHONE), fingerprint(row.phone, keys(), about=PHONE)

    _each(apps, change)


def reopen(apps, schema_editor):
    def change(row):
        row.phone, row.phone_hash = unseal(row.phone, keys(), about=PHONE), ""

    _each(apps, change)


class Migration(migrations.Migration):

    dependencies = [("activities", "0002_room_for_seals")]

    operations = [
        migrations.RunPython(close, reopen),
        migrations.AlterField(model_name="signup", name="phone", field=shouwang.journal.sealed.SealedField(about=PHONE, blank=True)),
        migrations.AlterField(model_name="signup", name="phone_hash", field=shouwang.journal.sealed.FingerprintField(of="phone", about=PHONE)),
        migrations.AddConstraint(
            model_name="signup",
            constraint=models.UniqueConstraint(
                fields=["activity", "phone_hash", "name"], name="activities_sign_up_once",
                condition=~models.Q(state="WITHDRAWN") & ~models.Q(phone_hash=""),
            ),
        ),
    ]
