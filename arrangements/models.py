"""Arrangements: promises to pay, payment plans and settlements; their policies, instalments and history."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from arrangements.schedules import BusinessDays, Frequency
from collection.models import Debt, Hold
from creditors.models import Creditor
from ddc.common.models import UUIDModel, UUIDv7, newest_first, uuid7
from ddc.common.money import money_field
from debtors.models import Debtor


class Kind(models.TextChoices):
    PROMISE = "promise", "promise to pay"
    PLAN = "plan", "payment plan"
    SETTLEMENT = "settlement"


class Interest(models.TextChoices):
    """The effect of an active arrangement on interest."""

    RUNS = "runs"
    FROZEN = "frozen", "is frozen"


def _percent(**kwargs: object) -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(max_digits=5, decimal_places=2, **kwargs)  # type: ignore[arg-type]


class ArrangementPolicy(UUIDModel):
    """The limits that a creditor, or the agency for all creditors, sets for arrangements of one currency.

    A row is never changed: a new version replaces it. An empty field of a creditor's row leaves the question to the agency's row.
    """

    creditor = models.ForeignKey(
        Creditor, on_delete=models.PROTECT, null=True, blank=True, related_name="arrangement_policies",
        help_text="Empty: the agency's policy for all creditors.",
    )  # fmt: skip
    currency_code = models.CharField("currency", max_length=3)
    version = models.PositiveIntegerField(editable=False)
    min_instalment = money_field(verbose_name="smallest instalment", null=True, blank=True)
    max_months = models.PositiveSmallIntegerField("most months", null=True, blank=True)
    max_days_to_first = models.PositiveSmallIntegerField("most days to the first instalment", null=True, blank=True)
    min_settlement_percent = _percent(
        verbose_name="smallest settlement in percent", null=True, blank=True, help_text="Of the balance; 100: none."
    )
    offer_valid_days = models.PositiveSmallIntegerField("days that an offer is valid", null=True, blank=True)
    grace_days = models.PositiveSmallIntegerField("days of grace", null=True, blank=True)
    tolerance_amount = money_field(verbose_name="tolerated shortfall", null=True, blank=True)
    tolerance_percent = _percent(
        verbose_name="tolerated shortfall in percent", null=True, blank=True,
        help_text="Of the instalment; the higher of amount and percentage counts.",
    )  # fmt: skip
    missed_to_break = models.PositiveSmallIntegerField("missed instalments that break it", null=True, blank=True)
    self_reinstate_days = models.PositiveSmallIntegerField(
        "days in which it reinstates itself", null=True, blank=True,
        help_text="After a break, if a payment with an earlier value date arrives.",
    )  # fmt: skip
    delay_days = models.PositiveSmallIntegerField("days that a debtor may delay an instalment", null=True, blank=True)
    clearing_days = models.PositiveSmallIntegerField(
        "days until a payment has cleared", null=True, blank=True, help_text="A settlement is kept only after these."
    )
    interest = models.CharField(max_length=10, choices=Interest.choices, null=True, blank=True)
    budget_percent = _percent(
        verbose_name="offered of a budget in percent",
        null=True,
        blank=True,
        help_text="Of what is left after essentials.",
    )
    by = agent_field(editable=False)
    replaced_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "arrangement_policy"
        ordering = newest_first()
        verbose_name_plural = "arrangement policies"
        constraints = [
            models.UniqueConstraint(
                fields=["creditor", "currency_code"],
                condition=Q(replaced_at__isnull=True),
                nulls_distinct=False,
                name="arrangement_policy_is_unique",
            ),
            models.CheckConstraint(
                condition=Q(min_settlement_percent__isnull=True) | Q(min_settlement_percent__range=(0, 100)),
                name="arrangement_policy_settlement_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=Q(missed_to_break__isnull=True) | Q(missed_to_break__gte=1),
                name="arrangement_policy_breaks_after_a_missed_instalment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.creditor or 'Agency'}, {self.currency_code}, version {self.version}"


class Arrangement(UUIDModel):
    """An agreement with a debtor on how debts of one creditor in one currency are paid.

    The terms that decide whether it is kept are copied from the policy when it is proposed, so a later policy never changes them.
    What is paid is not stored: it follows from the ledger.
    """

    class Status(models.TextChoices):
        PENDING_APPROVAL = "pending_approval", "waiting for approval"
        OFFERED = "offered"
        ACTIVE = "active"
        KEPT = "kept"
        BROKEN = "broken"
        EXPIRED = "expired"
        DECLINED = "declined"
        CANCELLED = "cancelled"
        SUPERSEDED = "superseded"

    class Source(models.TextChoices):
        AGENT = "agent"
        PORTAL = "portal"
        API = "api", "API"

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="arrangements", db_index=False)
    creditor = models.ForeignKey(Creditor, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency_code = models.CharField(max_length=3)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=16, choices=Status.choices)
    total = money_field(help_text="What is to be paid.")
    discount = money_field(default=Decimal(0), help_text="What is written off once a settlement is kept.")
    frequency = models.CharField(max_length=12, choices=[(each.value, each.value) for each in Frequency])
    business_days = models.CharField(
        max_length=20, choices=[(each.value, each.value) for each in BusinessDays], default=BusinessDays.FOLLOWING.value
    )
    source = models.CharField(max_length=10, choices=Source.choices)
    note = models.CharField(max_length=1000, blank=True, default="")
    needs = models.JSONField(default=list, blank=True, help_text="What exceeds policy or authority, in words.")
    creditor_consent = models.CharField(
        max_length=255, blank=True, default="", help_text="Who agreed for the creditor, and how."
    )
    policy = models.ForeignKey(ArrangementPolicy, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    grace_days = models.PositiveSmallIntegerField()
    tolerance_amount = money_field()
    tolerance_percent = _percent()
    missed_to_break = models.PositiveSmallIntegerField()
    self_reinstate_days = models.PositiveSmallIntegerField()
    clearing_days = models.PositiveSmallIntegerField()
    interest = models.CharField(max_length=10, choices=Interest.choices)
    proposed_by = agent_field(help_text="Empty: the debtor.")
    approved_by = agent_field()
    approved_at = models.DateTimeField(null=True, blank=True)
    anchored_on = models.DateField(help_text="The first agreed date, from which the others are counted.")
    moved_periods = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="By how many periods holds have moved the rest of the schedule."
    )
    starts_on = models.DateField(help_text="Payments from this value date on count.")
    expires_on = models.DateField(null=True, blank=True, help_text="The last day on which the offer can be accepted.")
    accepted_at = models.DateTimeField(null=True, blank=True)
    reinstated_on = models.DateField(
        null=True, blank=True, help_text="Instalments missed before this day no longer count: a person reinstated it."
    )
    broken_on = models.DateField(null=True, blank=True)
    needs_person = models.BooleanField(default=False, db_default=False, help_text="An agent has to look at it.")

    #: Those about which an agent should do something: broken ones, and those handed over to a person.
    NEEDS_ATTENTION = Q(status="broken") | Q(needs_person=True, status="active")

    class Meta:
        db_table = "arrangement"
        ordering = newest_first()
        permissions = [("approve_arrangement", "Can approve arrangements that other agents proposed")]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | Q(proposed_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
                name="arrangement_is_approved_by_another_person",
            ),
            models.CheckConstraint(condition=Q(total__gt=0, discount__gte=0), name="arrangement_total_is_positive"),
            models.CheckConstraint(
                condition=Q(discount=0) | Q(kind="settlement"), name="arrangement_discount_is_of_a_settlement"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="arrangement_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="arrangement_status_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="arrangement_debtor_newest"),
            models.Index(fields=["expires_on"], name="arrangement_offered", condition=Q(status="offered")),
            models.Index(fields=["broken_on", "id"], name="arrangement_broken", condition=Q(status="broken")),
            models.Index(
                fields=["created_at", "id"],
                name="arrangement_for_a_person",
                condition=Q(needs_person=True, status="active"),
            ),
        ]

    @property
    def is_pending(self) -> bool:
        """Whether it waits for approval."""
        return self.status == self.Status.PENDING_APPROVAL

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status not in (
            self.Status.PENDING_APPROVAL,
            self.Status.OFFERED,
            self.Status.ACTIVE,
            self.Status.BROKEN,
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} of {self.total:f} {self.currency_code}"


class ArrangementDebt(models.Model):
    """A debt of an arrangement, and its share of the total."""

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    arrangement = models.ForeignKey(Arrangement, on_delete=models.CASCADE, related_name="parts", db_index=False)
    debt = models.ForeignKey(Debt, on_delete=models.PROTECT, related_name="arrangement_parts")
    share = money_field()
    balance_at_start = money_field()
    is_active = models.BooleanField(default=False, db_default=False, help_text="The arrangement is active.")
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        db_table = "arrangement_debt"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["arrangement", "debt"], name="arrangement_names_a_debt_once"),
            models.UniqueConstraint(
                fields=["debt"], condition=Q(is_active=True), name="debt_has_one_active_arrangement"
            ),
        ]


class Instalment(models.Model):
    """One instalment: the agreed day, the business day on which it is due, and its amount."""

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    arrangement = models.ForeignKey(Arrangement, on_delete=models.CASCADE, related_name="instalments", db_index=False)
    no = models.PositiveSmallIntegerField()
    agreed_on = models.DateField()
    due_on = models.DateField()
    amount = money_field()
    reminded_on = models.DateField(null=True, blank=True, help_text="The day of the reminder of its due day.")
    delays = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="How often it was delayed.")

    class Meta:
        db_table = "instalment"
        ordering = ["no"]
        constraints = [
            models.UniqueConstraint(fields=["arrangement", "no"], name="instalment_number_is_unique"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="instalment_amount_is_positive"),
        ]
        indexes = [models.Index(fields=["due_on", "arrangement"], name="instalment_due")]


class ArrangementEvent(models.Model):
    """One event in the history of an arrangement. A trigger prevents updates and deletes."""

    class Kind(models.TextChoices):
        PROPOSED = "proposed"
        APPROVED = "approved"
        OFFERED = "offered"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        EXPIRED = "expired"
        CHANGED = "changed"
        MOVED = "moved", "instalments moved by a hold"
        MISSED = "missed", "instalment missed"
        BROKEN = "broken"
        REINSTATED = "reinstated"
        KEPT = "kept"
        REOPENED = "reopened"
        HANDED_OVER = "handed_over", "handed over to a person"
        CANCELLED = "cancelled"
        SUPERSEDED = "superseded"

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    arrangement = models.ForeignKey(Arrangement, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    by = agent_field(help_text="Empty: the debtor or the system.")
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "arrangement_event"
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["arrangement", "at", "id"], name="arrangement_event_oldest"),
            models.Index(fields=["kind", "at"], name="arrangement_event_kind"),
        ]
