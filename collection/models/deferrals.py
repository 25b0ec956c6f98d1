"""Deferral requests."""

from django.db import models
from django.db.models import Q

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
        permissions = [("review_deferralrequest", "Can approve and reject deferral requests")]
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
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="deferral_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="deferral_status_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.requested_deferral_days} days for {self.debt}"
