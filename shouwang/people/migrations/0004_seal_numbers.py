"""Seals the numbers that stood in clear, and opens them again on the way back."""

from django.db import migrations, models

import shouwang.journal.sealed
from shouwang.journal.sealed import keys
from shouwang.kernel.sealing import fingerprint, seal, unseal

PORTION = 500
SEALED = (
    ("Person", {"phone": "people.person.phone", "id_number": "people.person.id_number"}, ("phone", "id_number")),
    ("ContactPreference", {"address": "people.contact.address"}, ()),
    ("ImportDraft", {"good": "people.draft.good", "bad": "people.draft.bad"}, ()),
)


def _each(apps, change):
    for name, columns, marked in SEALED:
        model = apps.get_model("people", name)
        last = 0
        while rows := list(model.objects.filter(pk__gt=last).order_by("pk")[:PORTION]):
            for row in rows:
                change(row, columns, marked)
            model.objects.bulk_update(rows, [*columns, *(f"{column}_hash" for column in marked)], batch_size=100)
            last = rows[-1].pk


def close(apps, schema_editor):
    def change(row, columns, marked):
        for column, about in columns.items():
            clear = getattr(row, column)
            setattr(row, column, seal(clear, keys(), about=about))
            if column in marked:
                setattr(row, f"{column}_hash", fingerprint(clear, keys(), about=about))

    _each(apps, change)


def reopen(apps, schema_editor):
    def change(row, columns, marked):
        for column, about in columns.items():
            setattr(row, column, unseal(getattr(row, column), keys(), about=about))
            if column in marked:
                setattr(row, f"{column}_hash", "")

    _each(apps, change)


def sealed(about, **more):
    return shouwang.journal.sealed.SealedField(about=about, **more)


def marked(of, about):
    return shouwang.journal.sealed.FingerprintField(of=of, about=about)


class Migration(migrations.Migration):

    dependencies = [("people", "0003_room_for_seals")]

    operations = [
        migrations.RunPython(close, reopen),
        migrations.AlterField(model_name="person", name="phone", field=sealed("people.person.phone", blank=True)),
        migrations.AlterField(model_name="person", name="id_number", field=sealed("people.person.id_number", blank=True)),
        migrations.AlterField(model_name="contactpreference", name="address", field=sealed("people.contact.address", blank=True)),
        migrations.AlterField(model_name="importdraft", name="good", field=sealed("people.draft.good")),
        migrations.AlterField(model_name="importdraft", name="bad", field=sealed("people.draft.bad")),
        migrations.AlterField(model_name="person", name="phone_hash", field=marked("phone", "people.person.phone")),
        migrations.AlterField(model_name="person", name="id_number_hash", field=marked("id_number", "people.person.id_number")),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["phone_hash"], name="people_person_phone", condition=~models.Q(phone_hash="")),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                fields=["id_number_hash"], name="people_person_one_id_number", condition=~models.Q(id_number_hash=""),
            ),
        ),
    ]
