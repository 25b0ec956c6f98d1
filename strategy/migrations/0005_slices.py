"""Ranges of debtor ids that a run processes one by one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0004_simulations")]

    operations = [
        migrations.CreateModel(
            name="StrategySlice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("first_debtor", models.UUIDField(null=True)),
                ("next_debtor", models.UUIDField(help_text="The first debtor of the next slice.", null=True)),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="slices",
                        to="strategy.strategyrun",
                    ),
                ),
            ],
            options={"db_table": "strategy_slice"},
        ),
        migrations.AddConstraint(
            model_name="strategyslice",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="strategy_slice_number_is_unique"),
        ),
    ]
