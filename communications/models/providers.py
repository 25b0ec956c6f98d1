"""The state of providers, and the callbacks that they send."""

from django.db import models
from django.db.models import Q, Value

from ddc.common.observing.tracing import request_id_field


class Circuit(models.Model):
    """The circuit breaker of a provider: after several failures in a row nothing is claimed for it for a while."""

    provider = models.CharField(max_length=30, primary_key=True)
    failures = models.PositiveIntegerField(default=0, help_text="Failures in a row.")
    open_until = models.DateTimeField(
        null=True, blank=True, help_text="Nothing is sent until then; after it one message tries."
    )
    opened_at = models.DateTimeField("down since", null=True, blank=True)
    openings = models.PositiveIntegerField(default=0, help_text="Failed trials in a row, and the first failure.")
    last_error = models.CharField(max_length=500, null=True, blank=True)

    class Meta:
        db_table = "provider_circuit"


class ProviderEvent(models.Model):
    """A callback: stored before it is answered, and processed by a worker.

    Its unique id makes a repeated callback harmless. ``payload`` holds only what the handler needs.
    """

    class Kind(models.TextChoices):
        DELIVERY = "delivery", "delivery event"
        INBOUND = "inbound", "inbound message"
        KEY = "key", "key pressed in a call"
        UNPARSED = "unparsed", "not parsed yet"

    provider = models.CharField(max_length=30)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.DELIVERY, db_default=Kind.DELIVERY)
    payload = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="When a worker may process it.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    processed_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True, help_text="When it was left to an agent.")
    result = models.CharField(max_length=100, null=True, blank=True)
    error = models.CharField(max_length=500, null=True, blank=True)
    request_id = request_id_field()

    class Meta:
        db_table = "provider_event"
        verbose_name = "callback"
        permissions = [("rerun_providerevent", "Can retry or close a callback")]
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
