"""Identity checks, and their triggers."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import ddc.common.models
from ddc.common.postgresql.triggers import InstallTriggers


class Migration(migrations.Migration):
    dependencies = [
        ("casework", "0002_figures"),
        ("common", "0002_triggers"),
        ("debtors", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IdentityCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=ddc.common.models.UUIDv7(),
                        default=ddc.common.models.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("birth_date", models.BooleanField(editable=False, null=True)),
                ("postcode", models.BooleanField(editable=False, null=True)),
                (
                    "reference",
                    models.BooleanField(editable=False, null=True, verbose_name="last digits of a reference"),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_checks",
                        to="debtors.debtor",
                    ),
                ),
            ],
            options={
                "db_table": "identity_check",
                "ordering": ["-created_at", "-id"],
                "indexes": [models.Index(fields=["debtor", "-created_at", "-id"], name="identity_check_debtor_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("birth_date__isnull", True),
                            ("postcode__isnull", True),
                            ("reference__isnull", True),
                            _negated=True,
                        ),
                        name="identity_check_has_a_question",
                    )
                ],
            },
        ),
        InstallTriggers("casework"),
    ]
