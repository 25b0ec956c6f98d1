"""Worklists of agents: proxy models of messages for the back office."""

from django.db import models

from communications.models.messages import CommunicationLog
from communications.models.vocabulary import MessageStatus
from debtors.channels import Channel


class _Uncertain(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(status=MessageStatus.UNCERTAIN)


class UncertainMessage(CommunicationLog):
    """A message that may have been sent or not."""

    objects = _Uncertain()  # type: ignore[assignment, misc]

    class Meta:
        proxy = True
        ordering = ["created_at", "id"]


class _CallTasks(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(communication_type=Channel.CALL_SCRIPT, status=MessageStatus.SENT)


class CallTask(CommunicationLog):
    """A call script that was handed to the agents: a call to make."""

    objects = _CallTasks()  # type: ignore[misc, assignment]

    class Meta:
        proxy = True
        permissions = [("finish_calltask", "Can record the outcome of a call")]

    def __str__(self) -> str:
        return f"Call: {self.get_outcome_display() or 'to be made'}"


class _Inbound(models.Manager["CommunicationLog"]):
    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(direction=CommunicationLog.Direction.INBOUND)


class InboundMessage(CommunicationLog):
    """A message from a debtor."""

    objects = _Inbound()  # type: ignore[misc, assignment]

    class Meta:
        proxy = True
        permissions = [("read_inboundmessage", "Can mark an inbound message as read")]

    def __str__(self) -> str:
        return f"From {self.address or 'unknown'}"
