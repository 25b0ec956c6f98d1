"""Payments through a provider: what a debtor means to pay, the provider's events, and the money that went back."""

from django.db import models
from django.db.models import Q

from agents.models import agent_field
from arrangements.models import Arrangement
from collection.models import Debt
from ddc.common import money
from ddc.common.models import UUIDModel, newest_first
from ddc.common.money import money_field
from ddc.common.observing.tracing import request_id_field
from debtors.models import Debtor
from payments.models.credits import Refund
from payments.models.receipts import Receipt


class PaymentIntent(UUIDModel):
    """A sum that a debtor pays for debts of one currency at a provider. Only the receipt that it leads to moves money."""

    class Status(models.TextChoices):
        """In the order in which an intent moves; it skips steps, but never goes back."""

        CREATED = "created"
        REDIRECTED = "redirected", "at the provider"
        FAILED = "failed"
        EXPIRED = "expired"
        CAPTURED = "captured", "paid"
        REFUNDED = "refunded"
        DISPUTED = "disputed", "charged back"

        @property
        def rank(self) -> int:
            return list(type(self)).index(self)

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="payment_intents", db_index=False)
    debts = models.ManyToManyField(Debt, related_name="payment_intents", db_table="payment_intent_debt")
    arrangement = models.ForeignKey(
        Arrangement, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    provider = models.CharField(max_length=20)
    provider_id = models.CharField("provider's id", max_length=255, null=True, blank=True)
    payment_id = models.CharField(
        "provider's id of the payment", max_length=255, null=True, blank=True, help_text="Known once it is paid."
    )
    url = models.URLField("provider's page", max_length=2000, blank=True, default="")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CREATED)
    amount = money_field()
    currency_code = models.CharField("currency", max_length=3)
    idempotency_key = models.CharField(max_length=64)
    pending_key = models.CharField(
        max_length=64, null=True, blank=True, help_text="The sum and the debts, while the same payment is blocked."
    )
    expires_at = models.DateTimeField(help_text="When the provider's page closes.")
    disclosure = models.JSONField(help_text="What the debtor was shown before the provider's page.")
    disclosure_version = models.CharField(max_length=20)
    receipt = models.OneToOneField(Receipt, on_delete=models.PROTECT, null=True, blank=True, related_name="intent")
    failure = models.CharField(max_length=200, blank=True, default="", help_text="The provider's reason.")

    class Meta:
        db_table = "payment_intent"
        ordering = newest_first()
        verbose_name = "online payment"
        constraints = [
            models.UniqueConstraint(fields=["debtor", "idempotency_key"], name="payment_intent_is_created_once"),
            models.UniqueConstraint(fields=["pending_key"], name="payment_intent_is_pending_once"),
            models.UniqueConstraint(fields=["provider", "provider_id"], name="payment_intent_provider_id_is_unique"),
            models.UniqueConstraint(fields=["provider", "payment_id"], name="payment_intent_payment_is_unique"),
            models.CheckConstraint(name="payment_intent_amount_is_positive", condition=Q(amount__gt=0)),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="payment_intent_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="payment_intent_debtor_newest"),
            models.Index(fields=["updated_at"], name="payment_intent_silent", condition=Q(status="redirected")),
        ]

    def __str__(self) -> str:
        return f"{money.text(self.amount, self.currency_code)} {self.currency_code}"


class PaymentRequest(UUIDModel):
    """The demand of a payment link: debts of one currency, and a sum unless the debtor chooses it."""

    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="payment_requests", db_index=False)
    debts = models.ManyToManyField(Debt, related_name="+", db_table="payment_request_debt")
    arrangement = models.ForeignKey(
        Arrangement, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    amount = money_field(null=True, blank=True, help_text="Empty: the debtor chooses.")
    currency_code = models.CharField("currency", max_length=3)
    expires_at = models.DateTimeField()
    created_by = agent_field(editable=False)

    class Meta:
        db_table = "payment_request"
        ordering = newest_first()
        constraints = [
            models.CheckConstraint(
                name="payment_request_amount_is_positive", condition=Q(amount=None) | Q(amount__gt=0)
            )
        ]
        indexes = [models.Index(fields=["debtor", "-created_at", "-id"], name="payment_request_newest")]


class ProviderEvent(models.Model):
    """An event that a provider reported: stored before it is answered, and handled by a worker."""

    provider = models.CharField(max_length=20)
    event_id = models.CharField("provider's id", max_length=255)
    kind = models.CharField(max_length=100, blank=True, default="")
    raw = models.JSONField(help_text="As the provider sent it.")
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="When a worker may handle it.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    processed_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True, help_text="When it was left to a person.")
    result = models.CharField(max_length=100, blank=True, default="", db_default="")
    error = models.CharField(max_length=500, blank=True, default="", db_default="")
    request_id = request_id_field()

    class Meta:
        db_table = "payment_provider_event"
        verbose_name = "event of a payment provider"
        verbose_name_plural = "events of payment providers"
        ordering = ["-received_at", "-id"]
        permissions = [("rerun_providerevent", "Can retry or close an event of a payment provider")]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="payment_event_is_stored_once")]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="payment_event_waiting",
                condition=Q(processed_at__isnull=True, failed_at__isnull=True),
            ),
            models.Index(fields=["failed_at"], name="payment_event_failed", condition=Q(failed_at__isnull=False)),
            models.Index(fields=["-received_at", "-id"], name="payment_event_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class ProviderReturn(UUIDModel):
    """Money of a receipt that went back through its provider. A refund of ours is here before the provider has it."""

    class Kind(models.TextChoices):
        REFUND = "refund"
        CHARGEBACK = "chargeback", "charge-back"

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="provider_returns", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount = money_field()
    provider_id = models.CharField("provider's id", max_length=255, null=True, blank=True)
    refund = models.OneToOneField(
        Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="provider_return"
    )
    charge_back = models.OneToOneField(
        Receipt, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="The part that no payment of a debt gave back.",
    )  # fmt: skip
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        db_table = "payment_provider_return"
        ordering = newest_first()
        constraints = [
            models.UniqueConstraint(fields=["receipt", "provider_id"], name="provider_return_is_recorded_once"),
            models.CheckConstraint(name="provider_return_amount_is_positive", condition=Q(amount__gt=0)),
        ]


class ProviderPayout(UUIDModel):
    """A payout of a provider to our bank account, with the payments that it consists of by the provider's account."""

    provider = models.CharField(max_length=20)
    payout_id = models.CharField("provider's id", max_length=255)
    amount = money_field()
    currency_code = models.CharField("currency", max_length=3)
    paid_on = models.DateField()
    paid = money_field(help_text="The sum of the payments, before fees.")
    returned = money_field(help_text="What went back to payers.")
    fees = money_field()
    payment_ids = models.JSONField(default=list, help_text="The provider's ids of the payments.")

    class Meta:
        db_table = "payment_provider_payout"
        ordering = ["-paid_on", "-id"]
        constraints = [models.UniqueConstraint(fields=["provider", "payout_id"], name="payout_is_recorded_once")]
        indexes = [models.Index(fields=["-paid_on", "-id"], name="payout_newest")]

    def __str__(self) -> str:
        return f"{money.text(self.amount, self.currency_code)} {self.currency_code} on {self.paid_on}"
