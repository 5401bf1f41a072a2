"""Room for sealed telephone numbers and their fingerprints."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("activities", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="signup", name="activities_sign_up_once"),
        migrations.AlterField(model_name="signup", name="phone", field=models.TextField(blank=True)),
        migrations.AddField(model_name="signup", name="phone_hash", field=models.CharField(blank=True, default="", max_length=32)),
    ]
