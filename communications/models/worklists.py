"""What waits for an agent: rows of the log, each kind as a model of its own for the back office."""

from django.db import models

from communications.models.messages import CommunicationLog
from communications.models.vocabulary import MessageStatus
from debtors.channels import Channel


class _InDoubt(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(status=MessageStatus.UNCERTAIN)


class UncertainMessage(CommunicationLog):
    """A message of which nobody knows whether it went: the same row, in the back office's queue of them."""

    objects = _InDoubt()  # type: ignore[assignment, misc]

    class Meta:
        proxy = True
        ordering = ["created_at", "id"]


class _Tasks(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(communication_type=Channel.CALL_SCRIPT, status=MessageStatus.SENT)


class CallTask(CommunicationLog):
    """A call that an agent is asked to make: a call script that went to the agents."""

    objects = _Tasks()  # type: ignore[misc, assignment]

    class Meta:
        proxy = True
        permissions = [("finish_calltask", "Can say how a call went")]

    def __str__(self) -> str:
        return f"Call: {self.get_outcome_display() or 'to be made'}"


class _Inbound(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(direction=CommunicationLog.Direction.INBOUND)


class InboundMessage(CommunicationLog):
    """What somebody wrote to us."""

    objects = _Inbound()  # type: ignore[misc, assignment]

    class Meta:
        proxy = True
        permissions = [("read_inboundmessage", "Can mark a message to us as read")]

    def __str__(self) -> str:
        return f"From {self.address or 'somebody'}"
