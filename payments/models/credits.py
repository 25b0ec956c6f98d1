"""Credits: a person's money that no debt has taken yet, and refunds of it to the payer."""

from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from creditors.models import Creditor
from ddc.common import money
from ddc.common.models import UUIDModel, newest_first
from ddc.common.money import money_field
from debtors.models import Debtor
from payments.models.payments import Payment
from payments.models.receipts import Receipt, ReceiptAllocation


class Credit(UUIDModel):
    """The account of a person with a creditor in one currency. Its balance is the sum of its entries; its row is only locked."""

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="credits", db_index=False)
    creditor = models.ForeignKey(Creditor, on_delete=models.PROTECT, related_name="+")
    currency_code = models.CharField("currency", max_length=3)

    class Meta:
        db_table = "credit"
        ordering = newest_first()
        permissions = [("apply_credit", "Can apply a credit to a debt")]
        constraints = [
            models.UniqueConstraint(fields=["debtor", "creditor", "currency_code"], name="credit_is_one_per_currency")
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="credit_newest")]

    def __str__(self) -> str:
        return f"Credit of {self.debtor} with {self.creditor} in {self.currency_code}"


class Refund(UUIDModel):
    """Money that goes back to the payer: of a receipt, out of a credit or out of suspense, or of a payment.

    From the proposal on it is taken from the credit or from suspense; a rejection puts it back. A payment is given back with the
    approval. The second person is not the first one.
    """

    class Decision(models.TextChoices):
        APPROVED = "approved"
        REJECTED = "rejected"

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds")
    credit = models.ForeignKey(
        Credit, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds",
        help_text="Where the money lies; empty: in suspense, or on the payment's debt.",
    )  # fmt: skip
    payment = models.ForeignKey(
        Payment, on_delete=models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="refunds",
        help_text="It may have been voided.",
    )  # fmt: skip
    value_date = models.DateField(
        null=True, blank=True, help_text="Of a refund of a payment; empty: the day of its approval."
    )
    amount = money_field()
    currency_code = models.CharField("currency", max_length=3)
    reason = models.CharField(max_length=500)
    proposed_by = agent_field(editable=False)
    decision = models.CharField(max_length=8, choices=Decision.choices, null=True, blank=True, editable=False)
    decided_by = agent_field(editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decision_note = models.CharField(max_length=500, blank=True, default="", editable=False)

    class Meta:
        db_table = "refund"
        ordering = newest_first()
        permissions = [("decide_refund", "Can approve and reject refunds")]
        constraints = [
            models.CheckConstraint(name="refund_amount_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="refund_is_of_a_receipt_or_a_payment",
                condition=Q(receipt__isnull=False, payment=None, value_date=None)
                | Q(receipt=None, credit=None, payment__isnull=False),
            ),
            models.CheckConstraint(
                name="refund_is_decided_by_a_second_person",
                condition=Q(decision__isnull=True, decided_by__isnull=True, decided_at__isnull=True)
                | (
                    Q(decision="rejected", decided_by__isnull=False, decided_at__isnull=False)
                    | Q(decision="approved", decided_by__isnull=False, decided_at__isnull=False)
                    & Q(proposed_by__isnull=False)
                    & ~Q(decided_by=F("proposed_by"))
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="refund_newest"),
            models.Index(fields=["created_at", "id"], name="refund_to_decide", condition=Q(decision__isnull=True)),
        ]

    @property
    def payer(self) -> str:
        """The payer of the receipt, or the debtor of the payment."""
        if self.receipt is not None:
            return f"{self.receipt.payer_name} {self.receipt.payer_account}".strip()
        return str(self.payment.debt.debtor) if self.payment else ""

    @property
    def status(self) -> str:
        """The decision, or "proposed" before it."""
        return self.decision or "proposed"

    def __str__(self) -> str:
        return f"Refund of {money.text(self.amount, self.currency_code)} {self.currency_code}"


class CreditEntry(UUIDModel):
    """One change of a credit: a receipt adds to it, a debt or a refund takes from it. A trigger prevents updates and deletes."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt"
        APPLIED = "applied", "applied to a debt"
        REFUND = "refund"
        REVERSAL = "reversal"

    credit = models.ForeignKey(Credit, on_delete=models.PROTECT, related_name="entries", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    amount = money_field(help_text="Positive if it adds to the credit.")
    allocation = models.OneToOneField(
        ReceiptAllocation, on_delete=models.PROTECT, null=True, blank=True, related_name="credit_entry"
    )
    payment_id = models.UUIDField(null=True, blank=True, help_text="The payment of the debt; it may have been voided.")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")
    by = agent_field(help_text="Empty: the system.")

    class Meta:
        db_table = "credit_entry"
        ordering = newest_first()
        verbose_name_plural = "credit entries"
        constraints = [
            models.CheckConstraint(
                name="credit_entry_names_its_cause",
                condition=Q(kind="receipt", amount__gt=0, allocation__isnull=False, reverses=None)
                | Q(kind="applied", amount__lt=0, payment_id__isnull=False, reverses=None)
                | Q(kind="refund", amount__lt=0, refund__isnull=False, reverses=None)
                | (Q(kind="reversal", reverses__isnull=False) & ~Q(amount=0)),
            ),
        ]
        indexes = [
            models.Index(fields=["credit", "created_at", "id"], name="credit_entry_oldest"),
            models.Index(fields=["payment_id"], name="credit_entry_payment", condition=Q(payment_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.amount}"
