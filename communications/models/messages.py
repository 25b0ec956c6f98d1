"""Messages: the outbox and the evidence in one table."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from agents.models import Agent
from collection.models import Debt
from communications.models.templates import CommunicationTemplate, CommunicationTemplateVersion
from communications.models.vocabulary import AsksFor, CallOutcome, MessageStatus
from contact.models import Purpose
from ddc.common.models import UUIDModel, newest_first
from ddc.common.observing.tracing import request_id_field
from debtors.channels import Channel
from debtors.models import Debtor

#: A worker may claim messages with these statuses when they are due; a claimed one is due when its lease is over.
DUE_STATUSES = (MessageStatus.QUEUED, MessageStatus.POSTPONED, MessageStatus.CLAIMED)
#: Messages with these statuses have no outcome yet.
UNFINISHED_STATUSES = (*DUE_STATUSES, MessageStatus.SENDING)
#: Messages with these statuses may be contacts; see ``communications/outbox/history.py``.
CONTACT_STATUSES = (
    MessageStatus.CLAIMED,
    MessageStatus.SENDING,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.BOUNCED,
    MessageStatus.UNCERTAIN,
    MessageStatus.RECEIVED,
)
#: When the contact was made.
MADE_AT = Coalesce("begun_at", "outcome_at", "sent_at", "updated_at")


class CommunicationLog(UUIDModel):
    """One message: first in the outbox, then the evidence of what was sent or received.

    A worker writes ``subject``, ``body`` and ``html`` just before sending. They are the sent text, with a one-time code masked.
    """

    class Direction(models.TextChoices):
        OUTBOUND = "outbound"
        INBOUND = "inbound"

    # Triggers check these three references once per statement, and that the debt is the debtor's (docs/adr/0006).
    debtor = models.ForeignKey(
        Debtor, on_delete=models.PROTECT, null=True, blank=True, related_name="communication_logs", db_index=False,
        db_constraint=False,
    )  # fmt: skip
    debt = models.ForeignKey(
        Debt, on_delete=models.PROTECT, null=True, blank=True, related_name="communication_logs", db_index=False,
        db_constraint=False,
    )  # fmt: skip
    template = models.ForeignKey(
        CommunicationTemplate, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False
    )
    template_version = models.ForeignKey(
        CommunicationTemplateVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    communication_type = models.CharField("type", max_length=12, choices=Channel.choices)
    direction = models.CharField(
        max_length=8, choices=Direction.choices, default=Direction.OUTBOUND, db_default=Direction.OUTBOUND
    )
    purpose = models.CharField(
        max_length=12,
        choices=[(one.value, one.value) for one in Purpose],
        default=Purpose.COLLECTION.value,
        db_default=Purpose.COLLECTION.value,
    )
    status = models.CharField(
        max_length=10, choices=MessageStatus.choices, default=MessageStatus.QUEUED, db_default=MessageStatus.QUEUED
    )
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="When a worker may claim it; of a claimed message, the end of the lease."
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="It is not sent after this time.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    one_time_code_of = models.UUIDField(
        null=True,
        blank=True,
        editable=False,
        help_text="The sign-in whose code the text contains; the code is not stored.",
    )
    address = models.CharField(
        max_length=254, null=True, blank=True, help_text="The recipient, or the sender of an inbound message."
    )
    subject = models.CharField(max_length=998, null=True, blank=True)
    body = models.TextField(null=True, blank=True)
    html = models.TextField(null=True, blank=True)
    draft = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text=(
            "Subject and body with their placeholders, and of a message that an agent wrote also its language and whether it "
            "asks for payment."
        ),
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
    machine_opened_at = models.DateTimeField(null=True, blank=True)
    machine_open_count = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Openings by mail proxies and scanners.",
    )
    clicked_at = models.DateTimeField(null=True, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    confirms_opt_out = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="The confirmation of an opt-out, which is sent to a suppressed address.",
    )
    proves_address = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="A code to an address that becomes the debtor's once the code is entered.",
    )
    in_reply_to = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replies", db_index=False
    )
    written_by = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The agent who wrote it or chose its template; empty: a rule, a command or the API.",
    )  # fmt: skip
    asks_for = models.CharField(
        "asks for",
        max_length=12,
        choices=AsksFor.choices,
        null=True,
        blank=True,
        editable=False,
        help_text="What this inbound message seems to ask for.",
    )
    read_at = models.DateTimeField(
        "read", null=True, blank=True, help_text="When an agent marked this inbound message as read."
    )
    read_by = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    begun_at = models.DateTimeField(null=True, blank=True, help_text="When an agent began the call.")
    begun_by = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome = models.CharField(max_length=12, choices=CallOutcome.choices, null=True, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    outcome_by = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome_notes = models.CharField(max_length=1000, null=True, blank=True)
    request_id = request_id_field()

    class Meta:
        db_table = "communication_log"
        verbose_name = "message"
        ordering = newest_first()
        permissions = [
            ("withdraw_communicationlog", "Can withdraw queued messages"),
            ("write_communicationlog", "Can write free text to a debtor"),
        ]
        constraints = [
            models.CheckConstraint(
                name="communication_log_waiting_is_due",
                condition=~Q(status__in=["queued", "postponed", "claimed", "sending"]) | Q(due_at__isnull=False),
            ),
            models.CheckConstraint(
                name="communication_log_outbound_has_a_debtor",
                # The confirmation of an opt-out is also sent to a number without a known debtor.
                condition=Q(direction="inbound") | Q(debtor__isnull=False) | Q(confirms_opt_out=True),
            ),
        ]
        indexes = [
            # It is read backwards: inserting in the order of the index takes a third of the time.
            models.Index(fields=["created_at", "id"], name="log_by_time"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="log_debtor_newest"),
            # The last contacts of a person. A queued message is not in it, so a strategy run does not write it.
            models.Index(
                "debtor",
                MADE_AT,
                name="log_contacts",
                condition=Q(status__in=[status.value for status in CONTACT_STATUSES]),
            ),
            models.Index(fields=["debt"], name="log_debt"),  # A debt has few messages, which are sorted quickly.
            models.Index(
                fields=["communication_type", "due_at"],
                name="log_waiting_by_channel",
                condition=Q(status__in=["queued", "postponed", "claimed", "sending"]),
            ),
            models.Index(
                fields=["due_at"],
                name="log_awaited",
                condition=Q(status__in=["queued", "postponed", "claimed"]) & ~Q(purpose="collection"),
            ),
            models.Index(
                fields=["due_at"],
                name="log_sending",
                condition=Q(status="sending"),
            ),
            models.Index(fields=["created_at", "id"], name="log_uncertain", condition=Q(status="uncertain")),
            models.Index(
                fields=["-created_at", "-id"],
                name="log_unread",
                condition=Q(direction="inbound", read_at__isnull=True),
            ),
            models.Index(
                fields=["address", "-created_at"],
                name="log_call_task_open",
                condition=Q(communication_type="call_script", status="sent", outcome__isnull=True),
            ),
            models.Index(
                fields=["sent_at", "id"],
                name="log_call_task_oldest",
                condition=Q(communication_type="call_script", status="sent", outcome__isnull=True),
            ),
            models.Index(fields=["outcome_at"], name="log_outcome_by", condition=Q(outcome_by__isnull=False)),
            models.Index(
                fields=["address", "-sent_at"],
                name="log_sms_sent_to",
                condition=Q(communication_type="sms", direction="outbound", sent_at__isnull=False),
            ),
            models.Index(fields=["address"], name="log_unknown_address", condition=Q(debtor__isnull=True)),
            models.Index(
                fields=["in_reply_to"],
                name="log_replies",
                condition=Q(in_reply_to__isnull=False),
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
