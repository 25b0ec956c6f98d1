"""Dry runs of several days."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0003_conditions_and_pauses")]

    operations = [
        migrations.AddField(
            model_name="strategyrun",
            name="until",
            field=models.DateField(
                blank=True,
                help_text="The last day of a dry run that simulates several days; empty: one day.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="strategyrun",
            name="days",
            field=models.JSONField(
                blank=True,
                editable=False,
                help_text="Of a simulation: per day, rule, channel and country.",
                null=True,
            ),
        ),
    ]
