"""The evidence beside a message: its hand-overs, and the decisions of agents about uncertain ones."""

from django.db import models

from agents.models import Agent
from communications.models.messages import CommunicationLog


class PendingDispatch(models.Model):
    """A message that is ``sending`` but not handed over yet: proof that its provider has not seen it.

    The table is not logged. It survives a worker, and is empty after a crash of the server, which may have lost that a hand-over
    started. Without this row a message is uncertain when its worker dies.
    """

    message_id = models.UUIDField("message", primary_key=True)

    class Meta:
        db_table = "pending_dispatch"
        verbose_name_plural = "pending dispatches"

    def __str__(self) -> str:
        return str(self.message_id)


class MessageAttempt(models.Model):
    """One hand-over of a message with the provider's answer. It is written once and never changed."""

    message = models.ForeignKey(CommunicationLog, on_delete=models.CASCADE, related_name="attempt_rows", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="1 is the first.")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    provider = models.CharField(max_length=30)
    result = models.CharField(max_length=10, help_text="sent, retry, failed, opted_out or uncertain.")
    provider_message_id = models.CharField(max_length=255, null=True, blank=True)
    answer = models.CharField(max_length=500, null=True, blank=True, help_text="The provider's answer.")

    class Meta:
        db_table = "message_attempt"
        ordering = ["message", "number", "id"]
        verbose_name = "attempt"
        indexes = [models.Index(fields=["message", "number", "id"], name="attempt_of_message")]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.result}"


class UncertainResolution(models.Model):
    """An agent's decision about an uncertain message: who decided what, when and why. There is one per message."""

    class Decision(models.TextChoices):
        SENT = "sent", "Was sent"
        SENT_AGAIN = "sent_again", "Sent again"

    message = models.OneToOneField(CommunicationLog, on_delete=models.PROTECT, related_name="uncertain_resolution")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    by = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    replacement = models.OneToOneField(
        CommunicationLog, on_delete=models.PROTECT, null=True, blank=True, related_name="replacement_of"
    )

    class Meta:
        db_table = "uncertain_resolution"

    def __str__(self) -> str:
        return self.get_decision_display()
