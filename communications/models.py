"""What is said: templates, and the log of every message, which is the outbox too."""

from datetime import datetime

from django.db import models
from django.db.models import Q, Value
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
    is_notice = models.BooleanField(
        "is a notice", default=False, db_default=False, help_text="Carries the validation notice (12 CFR 1006.34(c))."
    )
    overshadows = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Presses for payment in a way that must wait until the time to dispute ends.",
    )

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


class CallOutcome(models.TextChoices):
    """How a call went; ``calls.OUTCOMES`` says what each counts as."""

    NO_ANSWER = "no_answer", "no answer"
    BUSY = "busy"
    NOT_IN_SERVICE = "out_service", "number not in service"
    VOICEMAIL = "voicemail"
    ANSWERED = "answered", "somebody answered"
    WRONG_NUMBER = "wrong_number", "wrong number"
    THIRD_PARTY = "third_party", "spoke with somebody else"
    RIGHT_PARTY = "right_party", "spoke with the debtor"
    PROMISE = "promise", "the debtor promised to pay"
    REFUSED = "refused", "the debtor refused to pay"
    CALL_BACK = "call_back", "the debtor wants to be called back"
    NO_CALLS = "no_calls", "the debtor wants no more calls"
    NOT_CALLED = "not_called", "not called"


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
    machine_opened_at = models.DateTimeField(null=True, blank=True)
    machine_open_count = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Openings by programs that fetch pictures for their users, or look for threats.",
    )
    clicked_at = models.DateTimeField(null=True, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    confirms_opt_out = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="The one message that goes to who just opted out."
    )
    in_reply_to = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replies", db_index=False
    )
    read_at = models.DateTimeField(
        "read", null=True, blank=True, help_text="When an agent had read this message to us."
    )
    read_by = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome = models.CharField(max_length=12, choices=CallOutcome.choices, null=True, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    outcome_by = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome_notes = models.CharField(max_length=1000, null=True, blank=True)
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
                fields=["address", "-sent_at"],
                name="log_sms_sent_to",
                condition=Q(communication_type="sms", direction="outbound", sent_at__isnull=False),
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

    objects = _InDoubt()  # type: ignore[assignment, misc]

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
    """A callback: kept with what it tells before it is answered, and dealt with by a worker.

    Its unique id makes a repeated one harmless. ``payload`` is what the work needs, and no more.
    """

    class Kind(models.TextChoices):
        NEWS = "news", "news of a message"
        RECEIVED = "received", "message to us"
        KEY = "key", "key pressed in a call"
        UNREAD = "unread", "not read yet"

    provider = models.CharField(max_length=30)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.NEWS, db_default=Kind.NEWS)
    payload = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="From when a worker may deal with it.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    processed_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True, help_text="When it was given up.")
    result = models.CharField(max_length=100, null=True, blank=True, help_text="What came of it.")
    error = models.CharField(max_length=500, null=True, blank=True)

    class Meta:
        db_table = "provider_event"
        verbose_name = "callback"
        permissions = [("rerun_providerevent", "Can have a callback dealt with again")]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_is_unique")]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="provider_event_waiting",
                condition=Q(processed_at__isnull=True, failed_at__isnull=True),
            ),
            models.Index(fields=["failed_at"], name="provider_event_failed", condition=Q(failed_at__isnull=False)),
            models.Index(fields=["-received_at", "-id"], name="provider_event_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class _Tasks(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(communication_type=Channel.CALL_SCRIPT, status=MessageStatus.SENT)


class CallTask(CommunicationLog):
    """A call that an agent is asked to make: a call script that went to the agents."""

    objects = _Tasks()  # type: ignore[misc, assignment]

    class Meta:
        proxy = True
        permissions = [("finish_calltask", "Can say how a call went")]


class _Inbound(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(direction=CommunicationLog.Direction.INBOUND)


class InboundMessage(CommunicationLog):
    """What somebody wrote to us."""

    objects = _Inbound()  # type: ignore[misc, assignment]

    class Meta:
        proxy = True
        permissions = [("read_inboundmessage", "Can mark a message to us as read")]


# The contact gate's models live in a file of their own; Django finds an app's models here.
from communications.contact_models import ContactDecision, ContactPolicy, ContactWish, FirstNotice  # noqa: E402, F401
