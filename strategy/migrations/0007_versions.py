"""Published versions of rules, which never change."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Now

CHOICES = [("move", "move to the new version"), ("stay", "stay with the version under which their clock started")]


class Migration(migrations.Migration):
    dependencies = [("strategy", "0006_unreached")]

    operations = [
        migrations.AddField(
            model_name="strategyrule",
            name="running_debts",
            field=models.CharField(
                choices=CHOICES,
                db_default="move",
                default="move",
                help_text="Debts whose clock has started: they move to this version, or stay with theirs.",
                max_length=4,
            ),
        ),
        migrations.AddField(
            model_name="strategyrule",
            name="published_at",
            field=models.DateTimeField(
                db_default=Now(),
                default=django.utils.timezone.now,
                editable=False,
                help_text="When this version was published.",
            ),
        ),
        migrations.CreateModel(
            name="StrategyRuleVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(help_text="1 is the first.")),
                ("content", models.JSONField(help_text="The columns of the rule.")),
                ("running_debts", models.CharField(choices=CHOICES, max_length=4)),
                ("published_at", models.DateTimeField()),
                (
                    "rule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="strategy.strategyrule",
                    ),
                ),
            ],
            options={"db_table": "strategy_rule_version", "ordering": ["rule", "-number"]},
        ),
        migrations.AddConstraint(
            model_name="strategyruleversion",
            constraint=models.UniqueConstraint(fields=("rule", "number"), name="strategy_rule_version_is_unique"),
        ),
        migrations.AddField(
            model_name="strategystep",
            name="version",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="The version of the rule that queued the message.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="strategy.strategyruleversion",
            ),
        ),
    ]
