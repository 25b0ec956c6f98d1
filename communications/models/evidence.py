"""What is kept of each hand-over of a message, and of what agents decided where nobody knew."""

from django.db import models

from agents.models import Agent
from communications.models.messages import CommunicationLog


class Unbegun(models.Model):
    """A message that is ``sending`` whose turn has not come: proof that its provider has never seen it.

    The table is not logged: it outlives the worker, and is empty after a crash of the server, which may have lost that a turn
    came. Where the proof is gone the message is in doubt.
    """

    log_id = models.UUIDField("message", primary_key=True)

    class Meta:
        db_table = "message_unbegun"

    def __str__(self) -> str:
        return str(self.log_id)


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
