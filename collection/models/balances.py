"""Ledger entries, which add up to the balances, and exchange rates."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from collection.models.debts import Debt
from ddc.common.models import ClockTimestamp, UUIDv7, uuid7
from ddc.common.money import money_field
from ddc.common.observing.tracing import request_id_field


def component_field(**kwargs: Any) -> "models.DecimalField[Any, Any]":
    """Return a column for one component of an amount, 0 by default."""
    return money_field(default=Decimal(0), db_default=Decimal(0), **kwargs)


class LedgerEntry(models.Model):
    """One change of a debt's balance. A trigger prevents updates and deletes.

    A debt's balance is the sum of its amounts: a placement is positive, a payment negative. Each amount is split into components;
    what is not interest, costs or fees is principal. The debt has no foreign-key constraint, since the entries of a deleted debt
    stay.
    """

    class Kind(models.TextChoices):
        PLACEMENT = "placement"
        PAYMENT = "payment"
        REVERSAL = "reversal"
        ADJUSTMENT = "adjustment"
        WRITE_OFF = "write_off", "Write-off"
        INTEREST = "interest"
        COST = "cost"
        FEE = "fee"
        WAIVER = "waiver"
        CHARGEBACK = "chargeback", "Charge-back"
        REFUND = "refund"
        CREDIT = "credit"
        REALLOCATION = "reallocation"

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    debt = models.ForeignKey(
        Debt, on_delete=models.DO_NOTHING, db_constraint=False, related_name="ledger_entries", db_index=False
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    amount = money_field()
    principal = models.GeneratedField(
        expression=F("amount") - F("interest") - F("costs") - F("fees"), output_field=money_field(), db_persist=True
    )
    interest = component_field()
    costs = component_field(help_text="Costs of the creditor and of legal pursuit.")
    fees = component_field(help_text="The agency's own fees.")
    currency_code = models.CharField(max_length=3)
    value_date = models.DateField(help_text="The day for which the amount counts.")
    posted_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    by = agent_field(help_text="Empty: the system.", db_index=False)
    payment_id = models.UUIDField(
        null=True, blank=True, help_text="The payment posted by this entry; it may have been deleted."
    )
    cause = models.JSONField(default=dict, help_text="The cause, copied at the time of posting.")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")
    refers_to = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="referring",
        db_index=False,
        help_text="The payment that is returned, or the entry that is allocated in another way.",
    )
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
            models.CheckConstraint(
                name="ledger_entry_of_money_that_went_back_names_its_payment",
                condition=~Q(kind__in=["chargeback", "refund", "reallocation"]) | Q(refers_to__isnull=False),
            ),
            models.CheckConstraint(
                name="ledger_entry_reallocation_moves_no_balance", condition=~Q(kind="reallocation") | Q(amount=0)
            ),
        ]
        indexes = [
            models.Index(fields=["debt", "posted_at", "id"], name="ledger_entry_debt_oldest"),
            models.Index(fields=["payment_id"], name="ledger_entry_payment", condition=Q(payment_id__isnull=False)),
            models.Index(fields=["refers_to"], name="ledger_entry_refers_to", condition=Q(refers_to__isnull=False)),
            models.Index(fields=["by"], name="ledger_entry_by", condition=Q(by__isnull=False)),
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
