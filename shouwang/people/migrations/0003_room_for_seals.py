"""Room for sealed numbers and their fingerprints."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("people", "0002_credential_rights")]

    operations = [
        migrations.RemoveIndex(model_name="person", name="people_person_phone"),
        migrations.RemoveConstraint(model_name="person", name="people_person_one_id_number"),
        migrations.AlterField(model_name="person", name="phone", field=models.TextField(blank=True)),
        migrations.AlterField(model_name="person", name="id_number", field=models.TextField(blank=True)),
        migrations.AlterField(model_name="contactpreference", name="address", field=models.TextField(blank=True)),
        migrations.AddField(model_name="person", name="phone_hash", field=models.CharField(blank=True, default="", max_length=32)),
        migrations.AddField(model_name="person", name="id_number_hash", field=models.CharField(blank=True, default="", max_length=32)),
    ]
