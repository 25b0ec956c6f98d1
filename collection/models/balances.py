"""Ledger entries, which add up to the balances, and exchange rates."""

from django.db import models
from django.db.models import Q

from agents.models import agent_field
from collection.models.debts import Debt
from ddc.common.models import ClockTimestamp, UUIDv7, uuid7
from ddc.common.money import money_field
from ddc.common.observing.tracing import request_id_field


class LedgerEntry(models.Model):
    """One change of a debt's balance. A trigger prevents updates and deletes.

    A debt's balance is the sum of its amounts: a placement is positive, a payment negative. The debt has no foreign-key
    constraint, since the entries of a deleted debt stay.
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
    value_date = models.DateField(help_text="The day for which the amount counts.")
    posted_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    by = agent_field(help_text="Empty: the system.")
    payment_id = models.UUIDField(
        null=True, blank=True, help_text="The payment posted by this entry; it may have been deleted."
    )
    cause = models.JSONField(default=dict, help_text="The cause, copied at the time of posting.")
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


class ExchangeRate(models.Model):
    """The price of one euro in another currency on a day, published by the European Central Bank."""

    date = models.DateField()
    currency_code = models.CharField(max_length=3)
    per_euro = models.DecimalField(max_digits=20, decimal_places=8)

    class Meta:
        db_table = "exchange_rate"
        ordering = ["-date", "currency_code"]
        constraints = [
            models.UniqueConstraint(fields=["date", "currency_code"], name="exchange_rate_is_unique_per_day"),
            models.CheckConstraint(name="exchange_rate_is_positive", condition=Q(per_euro__gt=0)),
        ]
