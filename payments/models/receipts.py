"""Receipts: money that came in, what it was booked to, and what of it waits in suspense."""

from django.db import models
from django.db.models import Q

from agents.models import agent_field
from creditors.models import Creditor
from ddc.common import money
from ddc.common.models import UUIDModel, newest_first
from ddc.common.money import money_field


class Receipt(UUIDModel):
    """Money that came in, as the bank or provider reports it. A trigger prevents updates and deletes.

    Only a charge-back has a negative amount: money that went out, and that no payment of a debt gives back.
    """

    class Source(models.TextChoices):
        BANK = "bank"
        PROVIDER = "provider", "payment provider"
        CASH = "cash"
        CHEQUE = "cheque"
        CREDITOR = "creditor"
        OTHER = "other"
        CHARGEBACK = "chargeback", "charge-back"

    source = models.CharField(max_length=10, choices=Source.choices)
    provider = models.CharField(
        max_length=100, blank=True, default="", help_text="The bank account or the provider that reports it."
    )
    provider_id = models.CharField(
        "provider's id", max_length=255, null=True, blank=True, help_text="Unique per provider: it is recorded once."
    )
    amount = money_field()
    currency_code = models.CharField("currency", max_length=3)
    reference = models.CharField(max_length=500, blank=True, default="", help_text="The text that came with it.")
    payer_name = models.CharField("payer", max_length=255, blank=True, default="")
    payer_account = models.CharField("payer's account", max_length=64, blank=True, default="")
    creditor = models.ForeignKey(
        Creditor, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="The creditor of the debts, or the one who owes a charge-back; empty: unknown.",
    )  # fmt: skip
    value_date = models.DateField(help_text="The day for which the amount counts.")
    payment_id = models.UUIDField(null=True, blank=True, editable=False, help_text="The payment that was charged back.")
    recorded_by = agent_field(editable=False)

    #: Derived: a receipt is in suspense while something of it is left.
    STATUSES = ("suspense", "allocated")

    class Meta:
        db_table = "receipt"
        ordering = newest_first()
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="receipt_is_recorded_once"),
            models.CheckConstraint(
                name="receipt_is_money_in_unless_charged_back",
                condition=Q(source="chargeback", amount__lt=0) | (~Q(source="chargeback") & Q(amount__gt=0)),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="receipt_newest"),
            models.Index(fields=["payer_account"], name="receipt_payer_account", condition=~Q(payer_account="")),
        ]

    @property
    def status(self) -> str:
        """One of ``STATUSES``."""
        return self.STATUSES[self.suspense_reason is None]

    @property
    def suspense_reason(self) -> str | None:
        return self.suspense.reason if hasattr(self, "suspense") else None

    @property
    def suspense_text(self) -> str | None:
        """The reason in words."""
        return self.suspense.get_reason_display() if hasattr(self, "suspense") else None

    def __str__(self) -> str:
        return f"{money.text(self.amount, self.currency_code)} {self.currency_code} on {self.value_date}"


class Suspense(models.Model):
    """A receipt with money that is not booked yet, and why. The amount is what its allocations leave.

    The row exists while something is left, and locks the receipt for who books it.
    """

    class Reason(models.TextChoices):
        """The closed list of reasons, in words for people."""

        NO_REFERENCE = "no_reference", "It came without a reference"
        UNKNOWN = "unknown", "No debt has this reference"
        AMBIGUOUS = "ambiguous", "Several debts fit this reference"
        DISPUTED = "disputed", "The debt is disputed"
        SETTLED = "settled", "The debt was settled"
        WRITTEN_OFF = "written_off", "The debt was written off"
        RECALLED = "recalled", "The creditor has recalled the debt"
        OTHER_CURRENCY = "other_currency", "The debt is in another currency"
        DECEASED = "deceased", "The person has died"
        BANKRUPT = "bankrupt", "The person is bankrupt"
        REST = "rest", "A part of it is not booked yet"
        UNDONE = "undone", "Its booking was undone"
        CHARGED_BACK = "charged_back", "A charge-back of money that is used already"
        DUE_FROM_CREDITOR = "due_from_creditor", "A charge-back on a recalled debt: due from the creditor"

    receipt = models.OneToOneField(Receipt, on_delete=models.PROTECT, primary_key=True, related_name="suspense")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    since = models.DateTimeField()

    class Meta:
        db_table = "suspense"
        ordering = ["since", "receipt"]
        verbose_name_plural = "suspense"
        indexes = [models.Index(fields=["since", "receipt"], name="suspense_oldest")]

    def __str__(self) -> str:
        return self.get_reason_display()


class ReceiptAllocation(UUIDModel):
    """A part of a receipt and what it was booked to. A trigger prevents updates and deletes; an undo is a reversal.

    The amounts of a receipt's allocations add up to at most its amount. A payment has no foreign key, since it may be voided.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment"
        CREDIT = "credit"
        REFUND = "refund"
        OFFSET = "offset", "set off against another receipt"

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="allocations", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    amount = money_field(help_text="In the receipt's currency; negative in a reversal and of a charge-back.")
    payment_id = models.UUIDField(null=True, blank=True, help_text="It may have been voided.")
    credit = models.ForeignKey(
        "payments.Credit", on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    refund = models.ForeignKey("payments.Refund", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    counterpart = models.ForeignKey(Receipt, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")
    by = agent_field(help_text="Empty: the system.")
    why = models.CharField(max_length=200, blank=True, default="", help_text="Why it was booked there.")

    class Meta:
        db_table = "receipt_allocation"
        ordering = newest_first()
        constraints = [
            models.CheckConstraint(
                name="receipt_allocation_names_what_it_is_booked_to",
                condition=Q(kind="payment", payment_id__isnull=False, credit=None, refund=None, counterpart=None)
                | Q(kind="credit", payment_id=None, credit__isnull=False, refund=None, counterpart=None)
                | Q(kind="refund", payment_id=None, credit=None, refund__isnull=False, counterpart=None)
                | Q(kind="offset", payment_id=None, credit=None, refund=None, counterpart__isnull=False),
            ),
            models.CheckConstraint(name="receipt_allocation_is_not_zero", condition=~Q(amount=0)),
        ]
        indexes = [
            models.Index(fields=["receipt", "created_at", "id"], name="receipt_allocation_oldest"),
            models.Index(
                fields=["payment_id"], name="receipt_allocation_payment", condition=Q(payment_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.amount}"
