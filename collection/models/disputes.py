"""Disputes."""

from django.db import models
from django.db.models import Q

from agents.models import agent_field
from collection.models.debts import Debt
from ddc.common.models import UUIDModel, newest_first
from ddc.common.money import money_field

_OPEN = ["received", "awaiting_creditor"]


class Dispute(UUIDModel):
    """A debtor's claim that a debt, or a part of it, is not owed, and the decision."""

    class Status(models.TextChoices):
        RECEIVED = "received"
        AWAITING_CREDITOR = "awaiting_creditor"
        VERIFIED = "verified"
        ADJUSTED = "adjusted"
        WITHDRAWN = "withdrawn"
        RECALLED = "recalled"

    class Channel(models.TextChoices):
        PORTAL = "portal"
        PHONE = "phone"
        LETTER = "letter"
        EMAIL = "email", "E-mail"
        SMS = "sms", "Text message"
        OTHER = "other"

    debt = models.ForeignKey(Debt, on_delete=models.PROTECT, related_name="disputes")
    portion = money_field(null=True, blank=True, help_text="The disputed amount; empty: the whole debt.")
    currency_code = models.CharField(max_length=3)
    reason = models.CharField(max_length=1000, help_text="In the debtor's words.")
    evidence = models.CharField(max_length=1000, null=True, blank=True, help_text="Which proof there is, and where.")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    received_at = models.DateTimeField()
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.RECEIVED)
    by = agent_field(help_text="The agent who entered it; empty: the debtor.")
    asked_at = models.DateTimeField("creditor asked at", null=True, blank=True)
    asked_by = agent_field()
    answer = models.CharField(max_length=1000, null=True, blank=True, help_text="The outcome, as the debtor sees it.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = agent_field()

    #: Until the decision, the portion is not collected.
    OPEN = (Status.RECEIVED, Status.AWAITING_CREDITOR)

    class Meta:
        db_table = "dispute"
        ordering = newest_first()
        permissions = [("decide_dispute", "Can decide disputes")]
        constraints = [
            models.UniqueConstraint(fields=["debt"], condition=Q(status__in=_OPEN), name="debt_has_one_open_dispute"),
            models.CheckConstraint(
                name="dispute_portion_is_positive", condition=Q(portion__isnull=True) | Q(portion__gt=0)
            ),
            models.CheckConstraint(
                name="dispute_decision_is_complete",
                condition=Q(status__in=_OPEN, decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(status__in=_OPEN) & Q(decided_by__isnull=False, decided_at__isnull=False, answer__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="dispute_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="dispute_status_newest"),
            models.Index(
                fields=["status", "received_at", "id"], name="dispute_open_oldest", condition=Q(status__in=_OPEN)
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    def __str__(self) -> str:
        return f"Dispute of {self.debt}"
