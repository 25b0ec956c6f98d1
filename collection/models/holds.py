"""Holds and their history."""

from datetime import date

from django.db import models
from django.db.models import F, Func, Q, Value

from agents.models import agent_field
from collection.models.debts import Debt
from collection.models.deferrals import DeferralRequest
from collection.models.disputes import Dispute
from ddc.common.models import UUIDModel, UUIDv7, newest_first, uuid7
from debtors.models import Debtor


class HoldQuerySet(models.QuerySet["Hold"]):
    def not_ended(self) -> "HoldQuerySet":
        """Filter to the holds that have not ended, including those that begin later."""
        return self.filter(ended_at__isnull=True)

    def active_between(self, first_day: date, last_day: date) -> "HoldQuerySet":
        """Filter to the holds that are active on any of these days (``collection.holds.active``)."""
        days = (Value(day, models.DateField()) for day in (first_day, last_day))
        arguments = (F("starts_on"), F("ends_on"), F("ended_at"), *days)
        return self.filter(Func(*arguments, function="hold_is_active", output_field=models.BooleanField()))

    def on(self, debt: Debt) -> "HoldQuerySet":
        """Filter to the holds on this debt and on its debtor."""
        return self.filter(Q(debt=debt) | Q(debtor=debt.debtor_id))


class Hold(UUIDModel):
    """A reason to stop some actions for a debtor or a debt, from ``starts_on`` to the day before ``ends_on``.

    Dates follow the debtor's calendar. Without ``ends_on`` the hold is open-ended. Holds are independent of each other.
    """

    class Reason(models.TextChoices):
        DEFERRAL = "deferral"
        DISPUTE = "dispute"
        MORATORIUM = "moratorium", "Breathing space"
        MENTAL_HEALTH_MORATORIUM = "mental_health_moratorium", "Mental-health moratorium"
        SCOTTISH_MORATORIUM = "scottish_moratorium", "Moratorium in Scotland"
        NORTHERN_IRISH_MORATORIUM = "northern_irish_moratorium", "Moratorium in Northern Ireland"
        CEASE = "cease", "Cease request"
        ATTORNEY = "attorney"
        BANKRUPTCY = "bankruptcy"
        DECEASED = "deceased"
        MINOR = "minor"
        VULNERABLE = "vulnerable"
        HARDSHIP = "hardship", "Cannot pay"
        ARRANGEMENT = "arrangement"
        CLIENT_REQUEST = "client_request", "Client's request"
        COMPLAINT = "complaint"

    debtor = models.ForeignKey(
        Debtor, on_delete=models.PROTECT, null=True, blank=True, related_name="holds",
        help_text="For a hold on all debts of a debtor.",
    )  # fmt: skip
    debt = models.ForeignKey(
        Debt, on_delete=models.PROTECT, null=True, blank=True, related_name="holds", help_text="For a hold on one debt."
    )
    reason = models.CharField(max_length=30, choices=Reason.choices)
    blocks_contact = models.BooleanField(default=True, db_default=True)
    blocks_strategy = models.BooleanField(default=True, db_default=True)
    blocks_payment_requests = models.BooleanField(default=True, db_default=True)
    blocks_interest = models.BooleanField(default=False, db_default=False)
    starts_on = models.DateField("from")
    ends_on = models.DateField(
        "until", null=True, blank=True, help_text="The first day without the hold; empty: open-ended."
    )
    review_on = models.DateField(null=True, blank=True, help_text="The date of the next review.")
    source = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="The sender and the medium."
    )
    deferral_request = models.OneToOneField(DeferralRequest, on_delete=models.PROTECT, null=True, blank=True)
    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it expired or an agent ended it.")
    interest_applied_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The change of the hold for which interest was computed again."
    )
    by = agent_field()
    approved_by = agent_field()
    ended_by = agent_field()

    objects = HoldQuerySet.as_manager()

    class Meta:
        db_table = "hold"
        ordering = newest_first()
        constraints = [
            models.CheckConstraint(
                name="hold_ends_after_it_starts",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="hold_is_on_a_person_or_a_debt",
                condition=Q(debt__isnull=False, debtor__isnull=True) | Q(debt__isnull=True, debtor__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["ends_on"], name="hold_not_ended_by_end", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["review_on"], name="hold_not_ended_by_review", condition=Q(ended_at__isnull=True)),
            models.Index(
                fields=["created_at", "id"],
                name="hold_not_approved",
                condition=Q(approved_by__isnull=True, ended_at__isnull=True),
            ),
        ]

    @property
    def person(self) -> Debtor:
        """The debtor of the hold, or of its debt."""
        return self.debt.debtor if self.debt else self.debtor  # type: ignore[return-value]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} until {self.ends_on or 'further notice'}"


class HoldEvent(models.Model):
    """One event in the history of a hold. A trigger prevents updates and deletes."""

    class Kind(models.TextChoices):
        OPENED = "opened"
        APPROVED = "approved"
        MOVED = "moved", "end changed"
        REVIEWED = "reviewed"
        ENDED = "ended"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField()
    by = agent_field(help_text="Empty: the system.")
    why = models.CharField(max_length=500, blank=True, default="", db_default="")
    ends_on = models.DateField("until", null=True, blank=True, help_text="The end after this event.")

    class Meta:
        db_table = "hold_event"
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["hold", "-at", "-id"], name="hold_event_newest")]

    def __str__(self) -> str:
        return self.get_kind_display()
