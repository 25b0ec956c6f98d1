"""Payment requests, to which payment links lead."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import ddc.common.models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_online_payments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PaymentRequest",
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
                    "amount",
                    models.DecimalField(
                        blank=True, decimal_places=4, help_text="Empty: the debtor chooses.", max_digits=20, null=True
                    ),
                ),
                ("currency_code", models.CharField(max_length=3, verbose_name="currency")),
                ("expires_at", models.DateTimeField()),
                (
                    "arrangement",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="arrangements.arrangement",
                    ),
                ),
                (
                    "created_by",
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
                        related_name="payment_requests",
                        to="debtors.debtor",
                    ),
                ),
                (
                    "debts",
                    models.ManyToManyField(db_table="payment_request_debt", related_name="+", to="collections.debt"),
                ),
            ],
            options={
                "db_table": "payment_request",
                "ordering": ["-created_at", "-id"],
                "indexes": [models.Index(fields=["debtor", "-created_at", "-id"], name="payment_request_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", None), ("amount__gt", 0), _connector="OR"),
                        name="payment_request_amount_is_positive",
                    )
                ],
            },
        ),
    ]
