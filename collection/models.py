"""What is owed: debts in segments, the ledger behind their balances, and what stops or delays their collection."""

from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from ddc.common.models import ClockTimestamp, UUIDModel, UUIDv7, newest_first, uuid7
from ddc.common.money import DECIMAL_PLACES, MAX_DIGITS
from ddc.common.tracing import request_id_field
from debtors.models import Debtor


def money_field(**kwargs: Any) -> "models.DecimalField[Any, Any]":
    """Make a column for an amount; its currency stands in the same row's ``currency_code``."""
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **kwargs)


class Segment(UUIDModel):
    """A group of debts that are treated alike. Bands are half-open: ``min <= x < max``; null is no bound."""

    name = models.CharField(max_length=100)
    priority = models.IntegerField(default=100, help_text="1 is tried first; of equal ones, the older.")
    min_p2p_score = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    max_p2p_score = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    min_balance = money_field(null=True, blank=True)
    max_balance = money_field(null=True, blank=True)
    currency_code = models.CharField(
        max_length=3, null=True, blank=True, help_text="ISO 4217; needed by a balance band"
    )
    min_days_since_placement = models.PositiveIntegerField(null=True, blank=True)
    max_days_since_placement = models.PositiveIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "segment"
        ordering = newest_first()
        constraints = [
            models.UniqueConstraint(fields=["name"], name="segment_name_is_unique"),
            models.CheckConstraint(
                name="segment_p2p_band_is_not_empty", condition=Q(min_p2p_score__lt=models.F("max_p2p_score"))
            ),
            models.CheckConstraint(
                name="segment_balance_band_is_not_empty", condition=Q(min_balance__lt=models.F("max_balance"))
            ),
            models.CheckConstraint(
                name="segment_days_band_is_not_empty",
                condition=Q(min_days_since_placement__lt=models.F("max_days_since_placement")),
            ),
            models.CheckConstraint(
                name="segment_balance_band_has_a_currency",
                condition=Q(min_balance__isnull=True, max_balance__isnull=True) | Q(currency_code__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["currency_code", "priority", "created_at", "id"],
                name="segment_by_currency",
                condition=Q(is_active=True),
            )
        ]

    def __str__(self) -> str:
        return self.name


class DebtStatus(models.TextChoices):
    """Where a debt stands. The first four are open; ``paid`` comes from the balance alone."""

    ACTIVE = "active"
    PAYMENT_PLAN = "payment_plan"
    DEFERRED = "deferred"
    DISPUTED = "disputed"
    PAID = "paid"
    SETTLED = "settled"
    WRITTEN_OFF = "written_off"
    RECALLED = "recalled"


OPEN = (DebtStatus.ACTIVE, DebtStatus.PAYMENT_PLAN, DebtStatus.DEFERRED, DebtStatus.DISPUTED)


class DebtQuerySet(models.QuerySet["Debt"]):
    def open(self) -> "DebtQuerySet":
        return self.filter(current_status__in=OPEN)

    def overdue(self, today: date) -> "DebtQuerySet":
        return self.open().filter(due_date__lt=today)


class Debt(UUIDModel):
    """An amount that a debtor owes to a creditor. Its balance is the sum of its ledger entries."""

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="debts", db_index=False)
    segment = models.ForeignKey(
        Segment, on_delete=models.PROTECT, null=True, blank=True, related_name="debts", db_index=False
    )
    segment_is_pinned = models.BooleanField(
        default=False, db_default=False, help_text="Chosen by a person: the daily assignment leaves it alone."
    )
    original_creditor = models.CharField(max_length=255)
    external_reference = models.CharField(max_length=255, null=True, blank=True, help_text="The creditor's own number.")
    currency_code = models.CharField("currency", max_length=3, default="USD", help_text="ISO 4217")
    original_balance = money_field()
    current_balance = money_field()
    current_status = models.CharField(max_length=20, choices=DebtStatus.choices, default=DebtStatus.ACTIVE)
    status_before_closing = models.CharField(
        max_length=20, choices=DebtStatus.choices, null=True, blank=True, editable=False,
        help_text="What a debt is again when the payment that paid it is taken back.",
    )  # fmt: skip
    placement_date = models.DateField()
    due_date = models.DateField(null=True, blank=True)
    p2p_score = models.DecimalField(
        "promise-to-pay score", max_digits=4, decimal_places=3, null=True, blank=True, help_text="0 to 1"
    )

    objects = DebtQuerySet.as_manager()

    class Meta:
        db_table = "debt"
        ordering = newest_first()
        permissions = [
            ("adjust_debt", "Can adjust a balance, or place it anew"),
            ("close_debt", "Can close a debt, and open it again"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["original_creditor", "external_reference"], name="debt_reference_is_unique_per_creditor"
            ),
            models.CheckConstraint(name="debt_original_balance_is_positive", condition=Q(original_balance__gt=0)),
            models.CheckConstraint(name="debt_balance_is_not_negative", condition=Q(current_balance__gte=0)),
            models.CheckConstraint(
                name="debt_p2p_score_is_a_probability", condition=Q(p2p_score__gte=0, p2p_score__lte=1)
            ),
            models.CheckConstraint(
                name="debt_is_paid_only_at_zero", condition=~Q(current_status="paid") | Q(current_balance=0)
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="debt_newest"),
            models.Index(fields=["current_status", "-created_at", "-id"], name="debt_status_newest"),
            models.Index(fields=["segment", "-created_at", "-id"], name="debt_segment_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="debt_debtor_newest"),
            models.Index(fields=["placement_date"], name="debt_active", condition=Q(current_status="active")),
        ]

    @property
    def is_open(self) -> bool:
        return self.current_status in OPEN

    def __str__(self) -> str:
        return self.external_reference or f"{self.original_creditor} {str(self.id)[-6:]}"


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


class DeferralRequest(UUIDModel):
    """A debtor's wish for more time on one debt, and what an agent decided."""

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        REJECTED = "rejected"

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="deferral_requests")
    debt = models.ForeignKey(Debt, on_delete=models.PROTECT, related_name="deferral_requests")
    requested_deferral_days = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=1000)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_notes = models.CharField(max_length=1000, null=True, blank=True)

    class Meta:
        db_table = "deferral_requests"
        ordering = newest_first()
        permissions = [("review_deferralrequest", "Can approve and reject deferral requests")]
        constraints = [
            models.UniqueConstraint(
                fields=["debt"], condition=Q(status="pending"), name="debt_has_one_pending_deferral_request"
            ),
            models.CheckConstraint(
                name="deferral_request_is_reviewed_by_somebody",
                condition=Q(status="pending", reviewer__isnull=True, reviewed_at__isnull=True)
                | (~Q(status="pending") & Q(reviewer__isnull=False, reviewed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="deferral_request_asks_for_1_to_365_days",
                condition=Q(requested_deferral_days__gte=1, requested_deferral_days__lte=365),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="deferral_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="deferral_status_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.requested_deferral_days} days for {self.debt}"


class HoldQuerySet(models.QuerySet["Hold"]):
    def in_force(self, today: date) -> "HoldQuerySet":
        return self.filter(starts_on__lte=today).filter(Q(ends_on__isnull=True) | Q(ends_on__gt=today))

    def on(self, debt: Debt) -> "HoldQuerySet":
        """The holds that stop this debt: its own, and those of the person who owes it."""
        return self.filter(Q(debt=debt) | Q(debtor=debt.debtor_id))


class Hold(UUIDModel):
    """A reason to leave a debt or a person alone, from ``starts_on`` up to but without ``ends_on``; open where that is null.

    Days are those of the debtor's own calendar. Holds add up: each blocks what it blocks for as long as it lasts, whatever
    becomes of the others.
    """

    class Reason(models.TextChoices):
        DEFERRAL = "deferral"
        DISPUTE = "dispute"
        MORATORIUM = "moratorium", "moratorium (breathing space)"
        MENTAL_HEALTH_MORATORIUM = "mental_health_moratorium"
        CEASE = "cease", "cease request"
        ATTORNEY = "attorney"
        BANKRUPTCY = "bankruptcy"
        DECEASED = "deceased"
        VULNERABLE = "vulnerable"
        ARRANGEMENT = "arrangement"
        CLIENT_REQUEST = "client_request"
        COMPLAINT = "complaint"

    debtor = models.ForeignKey(
        Debtor, on_delete=models.CASCADE, null=True, blank=True, related_name="holds", help_text="Who is left alone."
    )
    debt = models.ForeignKey(
        Debt, on_delete=models.CASCADE, null=True, blank=True, related_name="holds", help_text="Or which debt."
    )
    reason = models.CharField(max_length=30, choices=Reason.choices)
    blocks_contact = models.BooleanField(default=True, db_default=True)
    blocks_strategy = models.BooleanField(default=True, db_default=True)
    blocks_payment_requests = models.BooleanField(default=True, db_default=True)
    blocks_interest = models.BooleanField(default=False, db_default=False)
    starts_on = models.DateField("from")
    ends_on = models.DateField("until", null=True, blank=True, help_text="The first day without it; empty: open.")
    review_on = models.DateField(null=True, blank=True, help_text="By when somebody has to look at it again.")
    source = models.CharField(max_length=255, blank=True, default="", db_default="", help_text="Who told us, and how.")
    deferral_request = models.OneToOneField(DeferralRequest, on_delete=models.PROTECT, null=True, blank=True)
    lifted_at = models.DateTimeField(
        null=True, blank=True, help_text="When its end was seen to, and the debt set free."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = HoldQuerySet.as_manager()

    class Meta:
        db_table = "hold"
        ordering = newest_first()
        constraints = [
            models.CheckConstraint(
                name="hold_ends_after_it_starts",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=models.F("starts_on")),
            ),
            models.CheckConstraint(
                name="hold_is_on_a_person_or_a_debt",
                condition=Q(debt__isnull=False, debtor__isnull=True) | Q(debt__isnull=True, debtor__isnull=False),
            ),
        ]

    @property
    def scope(self) -> str:
        return "debt" if self.debt_id else "person"

    def __str__(self) -> str:
        return f"{self.get_reason_display()} until {self.ends_on or 'further notice'}"


class ExchangeRate(models.Model):
    """How much of a currency one euro bought on a day, as the European Central Bank publishes it."""

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
