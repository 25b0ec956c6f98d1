"""What is said: templates, and the log of every message, which is the outbox too."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Agent
from collection.models import Debt
from ddc.common.models import UUIDModel, newest_first
from ddc.common.tracing import request_id_field
from debtors.models import Debtor


class Channel(models.TextChoices):
    """How something is said; the contract's ``communicationType``."""

    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    CALL_SCRIPT = "call_script"


class CommunicationTemplate(UUIDModel):
    """Text with ``{{placeholders}}``, in one language; variants of one message share their name."""

    name = models.CharField(max_length=100)
    language = models.CharField(max_length=20, default="en", help_text="BCP 47")
    description = models.CharField(max_length=255, null=True, blank=True)
    communication_type = models.CharField("type", max_length=12, choices=Channel.choices)
    subject = models.CharField(max_length=255, null=True, blank=True, help_text="Needed for e-mail.")
    body = models.TextField()
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "communication_templates"
        ordering = newest_first()
        permissions = [("send_communicationtemplate", "Can send a template to a debtor")]
        constraints = [
            models.UniqueConstraint(fields=["name", "language"], name="template_name_is_unique_per_language"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"


class CommunicationTemplateVersion(models.Model):
    """A template's text as it was once. A change makes a new version; none is ever changed, or deleted without its template.

    A trigger says so too.
    """

    template = models.ForeignKey(
        CommunicationTemplate, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField(help_text="1 is the first.")
    language = models.CharField(max_length=20)
    subject = models.CharField(max_length=255, null=True, blank=True)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        db_table = "communication_template_version"
        ordering = ["template", "-number"]
        verbose_name = "template version"
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number_is_unique"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class MessageStatus(models.TextChoices):
    """Where a message stands. ``received`` is an inbound one's only status."""

    QUEUED = "queued"
    POSTPONED = "postponed"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    BLOCKED = "blocked"
    UNCERTAIN = "uncertain"
    RECEIVED = "received"


class Purpose(models.TextChoices):
    """Why something is said. What was solicited by the debtor goes at any hour, never to a suppressed address."""

    COLLECTION = "collection"
    SOLICITED = "solicited"


#: A worker may take these when they are due; a claimed one again once its lease is over.
DUE_STATUSES = (MessageStatus.QUEUED, MessageStatus.POSTPONED, MessageStatus.CLAIMED)


class CommunicationLogQuerySet(models.QuerySet["CommunicationLog"]):
    def due(self, now: datetime) -> "CommunicationLogQuerySet":
        return self.filter(status__in=DUE_STATUSES, due_at__lte=now)


class CommunicationLog(UUIDModel):
    """One message: first in the outbox, then the evidence of what was said.

    ``subject``, ``body`` and ``html`` are empty until a worker renders them, just before sending, and then are exactly what
    went, but for a one-time code, which is masked.
    """

    class Direction(models.TextChoices):
        OUTBOUND = "outbound"
        INBOUND = "inbound"

    debtor = models.ForeignKey(
        Debtor, on_delete=models.PROTECT, null=True, blank=True, related_name="communication_logs", db_index=False
    )
    debt = models.ForeignKey(
        Debt, on_delete=models.PROTECT, null=True, blank=True, related_name="communication_logs", db_index=False
    )
    template = models.ForeignKey(
        CommunicationTemplate, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    template_version = models.ForeignKey(
        CommunicationTemplateVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    communication_type = models.CharField("type", max_length=12, choices=Channel.choices)
    direction = models.CharField(
        max_length=8, choices=Direction.choices, default=Direction.OUTBOUND, db_default=Direction.OUTBOUND
    )
    purpose = models.CharField(
        max_length=12, choices=Purpose.choices, default=Purpose.COLLECTION, db_default=Purpose.COLLECTION
    )
    status = models.CharField(
        max_length=10, choices=MessageStatus.choices, default=MessageStatus.QUEUED, db_default=MessageStatus.QUEUED
    )
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="From when a worker may take it; of a claimed one, when its lease is over."
    )
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Not sent after this; a one-time code is worthless by then."
    )
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    one_time_code_of = models.UUIDField(
        null=True,
        blank=True,
        editable=False,
        help_text="The sign-in whose code the text carries; the code is kept nowhere.",
    )
    address = models.CharField(max_length=254, null=True, blank=True, help_text="Where it went, or came from.")
    subject = models.CharField(max_length=998, null=True, blank=True)
    body = models.TextField(null=True, blank=True)
    html = models.TextField(null=True, blank=True)
    draft = models.JSONField(
        null=True, blank=True, editable=False, help_text="Subject and body before they were filled in, for another try."
    )
    seal = models.CharField(
        max_length=80,
        null=True,
        blank=True,
        editable=False,
        help_text="A keyed digest of the message and its attempts.",
    )
    provider = models.CharField(max_length=30, null=True, blank=True)
    provider_message_id = models.CharField(max_length=255, null=True, blank=True)
    failure_reason = models.CharField(max_length=500, null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    open_count = models.PositiveIntegerField(default=0, db_default=0)
    clicked_at = models.DateTimeField(null=True, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    request_id = request_id_field()

    objects = CommunicationLogQuerySet.as_manager()

    class Meta:
        db_table = "communication_log"
        ordering = newest_first()
        constraints = [
            models.CheckConstraint(
                name="communication_log_that_waits_is_due_sometime",
                condition=~Q(status__in=["queued", "postponed", "claimed", "sending"]) | Q(due_at__isnull=False),
            ),
            models.CheckConstraint(
                name="communication_log_outbound_has_a_debtor",
                condition=Q(direction="inbound") | Q(debtor__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="log_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="log_debtor_newest"),
            models.Index(fields=["debt", "-created_at", "-id"], name="log_debt_newest"),
            models.Index(
                fields=["communication_type", "due_at"],
                name="log_waiting_by_channel",
                condition=Q(status__in=["queued", "postponed", "claimed", "sending"]),
            ),
            models.Index(
                fields=["due_at"],
                name="log_solicited_waiting",
                condition=Q(status__in=["queued", "postponed", "claimed"], purpose="solicited"),
            ),
            models.Index(
                fields=["due_at"],
                name="log_in_hand_over",
                condition=Q(status="sending"),
            ),
            models.Index(
                fields=["provider", "provider_message_id"],
                name="log_provider_message",
                condition=Q(provider_message_id__isnull=False),
            ),
        ]

    @property
    def debt_ids(self) -> list[str]:
        return [str(self.debt_id)] if self.debt_id else []

    def __str__(self) -> str:
        return f"{self.communication_type} {self.status}"


class _InDoubt(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(status=MessageStatus.UNCERTAIN)


class UncertainMessage(CommunicationLog):
    """A message of which nobody knows whether it went: the same row, in the back office's queue of them."""

    objects = _InDoubt()

    class Meta:
        proxy = True
        ordering = ["created_at", "id"]


class MessageAttempt(models.Model):
    """One hand-over of a message, as it ended: what the provider answered, and when. Written once, never changed."""

    log = models.ForeignKey(CommunicationLog, on_delete=models.CASCADE, related_name="attempt_rows", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="1 is the first.")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    provider = models.CharField(max_length=30)
    result = models.CharField(max_length=10, help_text="sent, retry, failed, opted_out or uncertain.")
    provider_message_id = models.CharField(max_length=255, null=True, blank=True)
    answer = models.CharField(max_length=500, null=True, blank=True, help_text="The provider's words.")

    class Meta:
        db_table = "message_attempt"
        ordering = ["log", "number", "id"]
        verbose_name = "attempt"
        indexes = [models.Index(fields=["log", "number", "id"], name="attempt_of_log")]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.result}"


class Settlement(models.Model):
    """What an agent decided on a message of which nobody knew whether it went; who, when and why. Once per message."""

    class Decision(models.TextChoices):
        WENT = "went", "It went"
        SENT_AGAIN = "sent_again", "Send again"

    log = models.OneToOneField(CommunicationLog, on_delete=models.PROTECT, related_name="settlement")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    by = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    why = models.CharField(max_length=500)
    sent_again_as = models.OneToOneField(
        CommunicationLog, on_delete=models.PROTECT, null=True, blank=True, related_name="sent_again_for"
    )

    class Meta:
        db_table = "message_settlement"

    def __str__(self) -> str:
        return self.get_decision_display()


class Circuit(models.Model):
    """What the last hand-overs say of a provider: after some failures in a row nothing is claimed for it for a while."""

    provider = models.CharField(max_length=30, primary_key=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    open_until = models.DateTimeField(
        null=True, blank=True, help_text="Nothing goes until then, and one message after."
    )
    opened_at = models.DateTimeField(null=True, blank=True, help_text="Since when it has been down.")
    openings = models.PositiveIntegerField(default=0, help_text="How often it was found down in a row.")
    words = models.CharField(max_length=500, null=True, blank=True, help_text="What it said last.")

    class Meta:
        db_table = "provider_circuit"


class ProviderEvent(models.Model):
    """A callback that was dealt with. Its unique id makes a repeated one harmless."""

    provider = models.CharField(max_length=30)
    event_id = models.CharField(max_length=255)
    received_at = models.DateTimeField()

    class Meta:
        db_table = "provider_event"
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_is_unique")]
