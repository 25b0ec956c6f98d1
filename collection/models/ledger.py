"""The movements behind every balance."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from collection.models.amounts import money_field
from collection.models.debts import Debt
from ddc.common.models import ClockTimestamp, UUIDv7, uuid7
from ddc.common.observing.tracing import request_id_field


class LedgerEntry(models.Model):
    """One movement of a debt's balance, never changed or deleted (a trigger sees to it).

    ``amount`` is signed so that a debt's entries add up to its balance: a placement is positive, a payment negative.
    It points at its debt without a database constraint: a deleted debt's story stays, ending in a reversal.
    """

    class Kind(models.TextChoices):
        PLACEMENT = "placement"
        PAYMENT = "payment"
        REVERSAL = "reversal"
        ADJUSTMENT = "adjustment"
        WRITE_OFF = "write_off"

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    debt = models.ForeignKey(
        Debt, on_delete=models.DO_NOTHING, db_constraint=False, related_name="ledger_entries", db_index=False
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    amount = money_field()
    currency_code = models.CharField(max_length=3)
    value_date = models.DateField(help_text="From when it counts.")
    posted_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Empty: the system itself.",
    )  # fmt: skip
    payment_id = models.UUIDField(null=True, blank=True, help_text="The payment that caused it, deleted or not.")
    cause = models.JSONField(default=dict, help_text="What caused it, as it was then.")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")
    request_id = request_id_field()

    class Meta:
        db_table = "ledger_entry"
        ordering = ["posted_at", "id"]
        verbose_name_plural = "ledger entries"
        constraints = [
            models.CheckConstraint(
                name="ledger_entry_reverses_if_and_only_if_it_is_a_reversal",
                condition=Q(kind="reversal", reverses__isnull=False) | (~Q(kind="reversal") & Q(reverses__isnull=True)),
            ),
            models.CheckConstraint(
                name="ledger_entry_of_a_payment_names_it", condition=~Q(kind="payment") | Q(payment_id__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["debt", "posted_at", "id"], name="ledger_entry_debt_oldest"),
            models.Index(fields=["payment_id"], name="ledger_entry_payment", condition=Q(payment_id__isnull=False)),
        ]
