"""Debts."""

from decimal import Decimal

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value

from agents.models import agent_field
from collection.models.interest import InterestSchedule
from collection.models.segments import Segment
from creditors.models import Creditor
from ddc.common import normal_forms
from ddc.common.models import NormalFormField, NormalFormModel, NormalFormQuerySet, newest_first
from ddc.common.money import money_field
from debtors.models import Debtor


class DebtStatus(models.TextChoices):
    """The first four are open, and derived (``collection.statuses``). ``paid`` follows the balance and is never set by hand."""

    ACTIVE = "active"
    PAYMENT_PLAN = "payment_plan"
    DEFERRED = "deferred"
    DISPUTED = "disputed"
    PAID = "paid"
    SETTLED = "settled"
    WRITTEN_OFF = "written_off"
    RECALLED = "recalled"


OPEN = (DebtStatus.ACTIVE, DebtStatus.PAYMENT_PLAN, DebtStatus.DEFERRED, DebtStatus.DISPUTED)


class DebtQuerySet(NormalFormQuerySet["Debt"]):
    def open(self) -> "DebtQuerySet":
        return self.filter(current_status__in=OPEN)


class Debt(NormalFormModel):
    """An amount that a debtor owes to a creditor. Its balance is the sum of its ledger entries."""

    # Triggers check debtor, segment and creditor once per statement (docs/adr/0006).
    debtor = models.ForeignKey(
        Debtor, on_delete=models.PROTECT, related_name="debts", db_index=False, db_constraint=False
    )
    segment = models.ForeignKey(
        Segment, on_delete=models.PROTECT, null=True, blank=True, related_name="debts", db_index=False,
        db_constraint=False,
    )  # fmt: skip
    segment_is_pinned = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Chosen by an agent, so the daily assignment does not change it.",
    )
    creditor = models.ForeignKey(Creditor, on_delete=models.PROTECT, related_name="debts", db_constraint=False)
    external_reference = models.CharField(
        max_length=255, null=True, blank=True, help_text="The creditor's number for this debt."
    )
    normal_reference = NormalFormField(
        of="external_reference", form=normal_forms.reference, max_length=normal_forms.MAX_LENGTH
    )
    currency_code = models.CharField("currency", max_length=3, default="USD", help_text="ISO 4217")
    original_balance = money_field()
    current_balance = money_field()
    balance_principal = models.GeneratedField(
        expression=F("current_balance") - F("balance_interest") - F("balance_costs") - F("balance_fees"),
        output_field=money_field(),
        db_persist=True,
    )
    balance_interest = money_field(default=Decimal(0), db_default=Decimal(0), editable=False)
    balance_costs = money_field(default=Decimal(0), db_default=Decimal(0), editable=False)
    balance_fees = money_field(default=Decimal(0), db_default=Decimal(0), editable=False)
    is_itemized = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Interest, costs or fees were posted, so payments are allocated by a policy.",
    )
    disputed_amount = money_field(
        default=Decimal(0),
        db_default=Decimal(0),
        editable=False,
        help_text="The disputed part, which is not collected.",
    )
    current_status = models.CharField(max_length=20, choices=DebtStatus.choices, default=DebtStatus.ACTIVE)
    # A trigger keeps schedules, so no foreign key has to (docs/adr/0006).
    interest_schedule = models.ForeignKey(
        InterestSchedule, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="debts", db_index=False,
        db_constraint=False, editable=False,
    )  # fmt: skip
    interest_from = models.DateField(null=True, blank=True, editable=False, help_text="The first day with interest.")
    hand_status = models.CharField(
        "status set by hand", max_length=20, choices=DebtStatus.choices, null=True, blank=True, editable=False,
        help_text="The open status that an agent set; it holds while no record outranks it.",
    )  # fmt: skip
    hand_status_by = agent_field(editable=False, db_index=False)
    hand_status_at = models.DateTimeField(null=True, blank=True, editable=False)
    hand_status_reason = models.CharField(max_length=500, null=True, blank=True, editable=False)
    hand_status_until = models.DateField(
        null=True, blank=True, editable=False, help_text="The first day without it; empty: open-ended."
    )
    placement_date = models.DateField()
    due_date = models.DateField(null=True, blank=True)
    p2p_score = models.DecimalField(
        "promise-to-pay score", max_digits=4, decimal_places=3, null=True, blank=True, help_text="0 to 1"
    )

    #: Whether it was ever in an arrangement, as the ledger found out when it posted an entry.
    is_arranged = True

    objects = DebtQuerySet.as_manager()

    class Meta:
        db_table = "debt"
        ordering = newest_first()
        permissions = [
            ("adjust_debt", "Can adjust balances and replace placements"),
            ("close_debt", "Can close and reopen debts"),
            ("charge_debt", "Can charge costs and fees by a cost rule"),
            ("charge_without_rule", "Can charge costs and fees by another legal basis"),
            ("waive_debt", "Can waive parts of debts"),
            ("write_off_debt", "Can write off parts of debts"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["creditor", "normal_reference"],
                condition=~Q(current_status="recalled"),
                name="debt_reference_is_unique_per_creditor",
            ),
            models.CheckConstraint(
                name="debt_has_a_normal_reference",
                condition=Q(normal_reference__isnull=False)
                | Q(external_reference__isnull=True)
                | Q(external_reference=""),
            ),
            models.CheckConstraint(name="debt_original_balance_is_positive", condition=Q(original_balance__gt=0)),
            models.CheckConstraint(name="debt_balance_is_not_negative", condition=Q(current_balance__gte=0)),
            models.CheckConstraint(
                name="debt_component_balances_are_not_negative",
                condition=Q(
                    balance_principal__gte=0, balance_interest__gte=0, balance_costs__gte=0, balance_fees__gte=0
                ),
            ),
            models.CheckConstraint(
                name="debt_p2p_score_is_a_probability", condition=Q(p2p_score__gte=0, p2p_score__lte=1)
            ),
            models.CheckConstraint(
                name="debt_is_paid_only_at_zero", condition=~Q(current_status="paid") | Q(current_balance=0)
            ),
            models.CheckConstraint(
                name="debt_interest_has_a_first_day",
                condition=Q(interest_schedule__isnull=True) | Q(interest_from__isnull=False),
            ),
            models.CheckConstraint(
                name="debt_status_set_by_hand_is_complete",
                condition=Q(hand_status__isnull=True, hand_status_at__isnull=True, hand_status_until__isnull=True)
                | Q(hand_status__in=["payment_plan", "deferred", "disputed"], hand_status_at__isnull=False),
            ),
        ]
        indexes = [
            # Read backwards, except for a debtor's: new debts are then inserted in the order of the index.
            models.Index(fields=["created_at", "id"], name="debt_newest"),
            models.Index(fields=["current_status", "created_at", "id"], name="debt_status_newest"),
            models.Index(fields=["segment", "created_at", "id"], name="debt_segment_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="debt_debtor_newest"),
            GinIndex(
                OpClass(Func(F("external_reference"), function="search_compact"), name="gin_trgm_ops"),
                name="debt_lookup_trigrams",
            ),
            models.Index(fields=["id"], name="debt_bears_interest", condition=Q(interest_schedule__isnull=False)),
            models.Index(
                fields=["hand_status_until"],
                name="debt_hand_status_until",
                condition=Q(hand_status_until__isnull=False),
            ),
            # As payments write references: without spaces and punctuation, and O may be 0 (payments.receipts_matching).
            models.Index(
                Func(F("normal_reference"), Value("o -/._:#,;+*()'&|\""), Value("0"), function="translate"),
                name="debt_payment_reference",
                condition=Q(normal_reference__isnull=False),
            ),
            models.Index(
                F("creditor"),
                Func(F("normal_reference"), Value("0"), function="ltrim"),
                name="debt_reference_with_zeros",
                condition=Q(normal_reference__startswith="0"),
            ),
        ]

    @property
    def original_creditor(self) -> str:
        """The creditor's name, under the API's name for it."""
        return self.creditor.name

    @property
    def is_open(self) -> bool:
        return self.current_status in OPEN

    @property
    def undisputed(self) -> Decimal:
        """The balance without its disputed part."""
        undisputed: Decimal = self.current_balance - self.disputed_amount
        return max(undisputed, Decimal(0))

    @property
    def is_fully_disputed(self) -> bool:
        """Whether no part of the balance may be collected."""
        return self.current_status == DebtStatus.DISPUTED or 0 < self.current_balance <= self.disputed_amount

    def __str__(self) -> str:
        return self.external_reference or f"Debt {str(self.id)[-6:]}"
