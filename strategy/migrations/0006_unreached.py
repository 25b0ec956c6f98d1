"""The list of debts that no rule will reach."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0005_slices"), ("collections", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="StrategyUnreached",
            fields=[
                (
                    "debt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="strategy_unreached",
                        serialize=False,
                        to="collections.debt",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("no_segment", "it fits no segment"),
                            ("no_rule", "its segment has no active rule"),
                            ("nothing_follows", "no rule of its segment is still to come"),
                            ("held", "an open-ended hold stops the strategy"),
                            ("disputed", "it is disputed, and the rules skip pauses"),
                            ("deferred", "it is deferred, and the rules skip pauses"),
                            ("no_address", "there is no address for the channel"),
                            ("suppressed", "the address is suppressed"),
                            ("conditions_not_met", "it does not meet the conditions of the last rule"),
                            ("template_inactive", "the template of the last rule is not active"),
                            ("template_changed", "the template of the last rule is for another channel"),
                            (
                                "before_restore",
                                "its last message may have gone out before the database was restored",
                            ),
                            ("superseded", "another rule of the same pause took the place of the last one"),
                        ],
                        max_length=20,
                    ),
                ),
                ("since", models.DateTimeField()),
            ],
            options={
                "verbose_name": "debt that no rule will reach",
                "verbose_name_plural": "debts that no rule will reach",
                "db_table": "strategy_unreached",
                "ordering": ["-since", "-debt"],
                "indexes": [models.Index(fields=["-since", "-debt"], name="strategy_unreached_newest")],
            },
        ),
    ]
