"""What is kept of providers: whether they are up, and what they told."""

from django.db import models
from django.db.models import Q, Value

from ddc.common.observing.tracing import request_id_field


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
    request_id = request_id_field()

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
