"""Deferral requests."""

from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from collection.models.debts import Debt
from ddc.common.models import UUIDModel, newest_first
from debtors.models import Debtor


class DeferralRequest(UUIDModel):
    """A debtor's request for more time on a debt, and its review."""

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        REJECTED = "rejected"

    class ClosedBy(models.TextChoices):
        DEBTOR = "debtor"
        SYSTEM = "system"

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="deferral_requests")
    debt = models.ForeignKey(Debt, on_delete=models.PROTECT, related_name="deferral_requests")
    requested_deferral_days = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=1000)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    reviewer = agent_field()
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_notes = models.CharField(max_length=1000, null=True, blank=True)

    granted_days = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False, help_text="Approved days, or those that a second person has to confirm."
    )
    first_approver = agent_field(editable=False, help_text="Who approved first, where a second person confirms.")
    first_approved_at = models.DateTimeField(null=True, blank=True, editable=False)
    escalated_by = agent_field(editable=False, help_text="Who sent it to a Supervisor.")
    escalated_at = models.DateTimeField(null=True, blank=True, editable=False)
    question = models.CharField(max_length=1000, blank=True, default="", db_default="", editable=False)
    question_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the debtor was asked for more."
    )

    closed_by = models.CharField(
        max_length=10,
        choices=ClosedBy.choices,
        null=True,
        blank=True,
        editable=False,
        help_text="Rejected without a review: the debtor withdrew it, or the debt was closed.",
    )
    due_date_before = models.DateField(
        null=True, blank=True, editable=False, help_text="The due date that an early end restores."
    )
    granted_until = models.DateField(
        null=True, blank=True, editable=False, help_text="The due date that the approval gave to the debt."
    )

    class Meta:
        db_table = "deferral_requests"
        ordering = newest_first()
        permissions = [
            ("review_deferralrequest", "Can approve and reject deferral requests"),
            ("decide_escalated_deferralrequest", "Can decide deferral requests that were sent to a Supervisor"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["debt"], condition=Q(status="pending"), name="debt_has_one_pending_deferral_request"
            ),
            models.CheckConstraint(
                name="deferral_request_review_is_complete",
                condition=Q(status="pending", reviewer__isnull=True, reviewed_at__isnull=True, closed_by__isnull=True)
                | (~Q(status="pending") & Q(reviewer__isnull=False, reviewed_at__isnull=False, closed_by__isnull=True))
                | Q(status="rejected", reviewer__isnull=True, reviewed_at__isnull=False, closed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="deferral_request_is_for_1_to_365_days",
                condition=Q(requested_deferral_days__gte=1, requested_deferral_days__lte=365),
            ),
            models.CheckConstraint(
                name="deferral_request_grants_what_was_asked_at_most",
                condition=Q(granted_days__isnull=True)
                | Q(granted_days__gte=1, granted_days__lte=F("requested_deferral_days")),
            ),
            models.CheckConstraint(
                name="deferral_request_is_confirmed_by_a_second_person",
                condition=~Q(status="approved") | Q(first_approver__isnull=True) | ~Q(first_approver=F("reviewer")),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="deferral_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="deferral_status_newest"),
            models.Index(fields=["reviewed_at"], name="deferral_reviewed", condition=Q(reviewed_at__isnull=False)),
            models.Index(fields=["granted_until"], name="deferral_ends", condition=Q(granted_until__isnull=False)),
            models.Index(fields=["reviewer", "-reviewed_at"], name="deferral_of_reviewer"),
        ]

    @property
    def days(self) -> int:
        """The days that were granted, or else those that were asked for."""
        return self.granted_days or self.requested_deferral_days

    def __str__(self) -> str:
        return f"{self.requested_deferral_days} days for {self.debt}"
