"""Steps know the record that started their rule's clock. The table is made again: nothing is released yet."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0001_initial")]

    operations = [
        migrations.DeleteModel(name="StrategyStep"),
        migrations.CreateModel(
            name="StrategyStep",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="strategy_step",
                        serialize=False,
                        to="communications.communicationlog",
                    ),
                ),
                (
                    "anchor",
                    models.UUIDField(
                        help_text="The record that started the clock, by the rule's trigger (strategy/triggers)."
                    ),
                ),
                ("occurrence", models.DateField(help_text="The day on which the rule was due.")),
                (
                    "debt",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="strategy_steps",
                        to="collections.debt",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="strategy.strategyrule",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="strategy.strategyrun",
                    ),
                ),
            ],
            options={"db_table": "strategy_step"},
        ),
        migrations.AlterField(
            model_name="strategyrule",
            name="trigger",
            field=models.JSONField(help_text="Its type and values; see strategy/triggers."),
        ),
        migrations.AddConstraint(
            model_name="strategystep",
            constraint=models.UniqueConstraint(fields=("rule", "debt", "anchor"), name="strategy_step_queues_once"),
        ),
    ]
