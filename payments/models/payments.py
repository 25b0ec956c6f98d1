"""Payments, and the answers to repeated requests."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from collection.models import Debt
from ddc.common.models import UUIDModel, newest_first
from ddc.common.money import money_field


class PaymentStatus(models.TextChoices):
    """Only a completed payment lowers a balance."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"


class PaymentMethod(models.TextChoices):
    BANK_TRANSFER = "bank_transfer"
    CARD = "card"
    DIRECT_DEBIT = "direct_debit"
    CASH = "cash"
    CHEQUE = "cheque"
    WALLET = "wallet"
    OTHER = "other"


class Payment(UUIDModel):
    """A payment, or an attempt at one, for one debt in the debt's currency."""

    debt = models.ForeignKey(Debt, on_delete=models.PROTECT, related_name="payments", db_index=False)
    amount = money_field()
    currency_code = models.CharField("currency", max_length=3)
    payment_method = models.CharField(max_length=20, choices=PaymentMethod.choices, default=PaymentMethod.OTHER)
    status = models.CharField(max_length=10, choices=PaymentStatus.choices, default=PaymentStatus.COMPLETED)
    processor_txn_id = models.CharField("processor's transaction id", max_length=255, null=True, blank=True)
    payment_date = models.DateField(help_text="The value date.")
    allocation = ArrayField(
        models.CharField(max_length=9),
        default=list,
        db_default=[],
        blank=True,
        help_text="The components that the debtor wants to pay first; empty: by law or contract.",
    )
    recorded_by = agent_field(editable=False)
    refunded_amount = money_field(
        default=Decimal(0),
        db_default=Decimal(0),
        editable=False,
        help_text="The sum of charge-backs and refunds.",
    )
    charged_back_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "payment"
        ordering = newest_first()
        permissions = [("reverse_payment", "Can change, void and reverse posted payments")]
        constraints = [
            models.UniqueConstraint(fields=["processor_txn_id"], name="payment_processor_txn_id_is_unique"),
            models.CheckConstraint(name="payment_amount_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="payment_refunds_do_not_exceed_it",
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("amount")),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="payment_newest"),
            models.Index(fields=["debt", "-created_at", "-id"], name="payment_debt_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="payment_status_newest"),
            models.Index(fields=["payment_date"], name="payment_completed_on", condition=Q(status="completed")),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency_code} on {self.payment_date}"


class IdempotencyKey(models.Model):
    """The first answer to an idempotent request, stored for 24 hours."""

    caller = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64, help_text="SHA-256 of the request's body.")
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_key"
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_is_unique_per_caller")]
