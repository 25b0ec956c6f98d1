"""The decisions of the contact gate, kept as evidence."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from contact.engine.decision import Purpose
from ddc.common.models import UUIDv7, uuid7


class ContactDecision(models.Model):
    """One decision of the gate on one message, with the facts it depended on. A trigger forbids changes and deletion.

    Message, debtor and debt are plain ids without constraints, so that the decision outlives them.
    """

    class Stage(models.TextChoices):
        ASKED = "asked", "at the request"
        QUEUED = "queued", "after queueing by a strategy run"
        SENDING = "sending", "before sending"
        CALLING = "calling", "at the start of a call"

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    message_id = models.UUIDField("message")
    debtor_id = models.UUIDField(null=True)
    debt_id = models.UUIDField(null=True)
    channel = models.CharField(max_length=12)
    purpose = models.CharField(max_length=12, choices=[(one.value, one.value) for one in Purpose])
    stage = models.CharField(max_length=8, choices=Stage.choices)
    at = models.DateTimeField()
    verdict = models.CharField(max_length=8)
    until = models.DateTimeField(null=True)
    reasons = models.JSONField(default=list)
    policies = ArrayField(models.CharField(max_length=60), default=list, help_text="The versions that were applied.")
    facts = models.JSONField(default=dict, help_text="All that the decision depended on; addresses as digests.")
    facts_digest = models.CharField(max_length=64, help_text="SHA-256 of the facts.")

    class Meta:
        db_table = "contact_decision"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["message_id", "-at"], name="contact_decision_message"),
            models.Index(fields=["-at", "-id"], name="contact_decision_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} at {self.at:%Y-%m-%d %H:%M:%S}"
