import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import ddc.common.models
from ddc.common.postgresql.triggers import InstallTriggers


class Migration(migrations.Migration):
    dependencies = [
        ("debtors", "0002_lookup"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveField(
            model_name="contactpoint",
            name="consent_basis",
        ),
        migrations.RemoveField(
            model_name="contactpoint",
            name="consented_at",
        ),
        migrations.CreateModel(
            name="Consent",
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
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "Text message"),
                            ("voice", "Automated call"),
                            ("call_script", "Agent call"),
                        ],
                        max_length=12,
                    ),
                ),
                ("address", models.CharField(help_text="In the form of contact points.", max_length=254)),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("debtor", "given to the agency"),
                            ("creditor", "given to the creditor"),
                            ("portal", "given in the portal"),
                            ("reply", "reply START"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What it is about; empty: every debt that we collect.",
                        max_length=255,
                    ),
                ),
                (
                    "text",
                    models.TextField(
                        blank=True, default="", help_text="The words to which the debtor agreed.", verbose_name="words"
                    ),
                ),
                (
                    "source",
                    models.CharField(blank=True, default="", help_text="Where it can be found.", max_length=255),
                ),
                ("given_at", models.DateTimeField()),
                (
                    "used_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time at which the debtor last wrote or signed in from the address.",
                        null=True,
                    ),
                ),
                (
                    "checked_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time at which a database of reassigned numbers last told that it is theirs.",
                        null=True,
                    ),
                ),
                ("check_source", models.CharField(blank=True, default="", max_length=255)),
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="debtors.debtor",
                    ),
                ),
            ],
            options={
                "db_table": "consent",
                "ordering": ["-created_at", "-id"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["debtor", "channel", "address"], name="consent_of_debtor")],
            },
        ),
        InstallTriggers("debtors"),
    ]
