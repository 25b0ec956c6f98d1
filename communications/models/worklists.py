"""Worklists of agents: proxy models of messages for the back office."""

from django.db import models

from communications.models.messages import CommunicationLog
from communications.models.vocabulary import MessageStatus
from debtors.channels import Channel


class _Rows(models.Manager["CommunicationLog"]):
    """The rows of one worklist."""

    def __init__(self, **condition: str) -> None:
        super().__init__()
        self._condition = condition

    def get_queryset(self) -> models.QuerySet["CommunicationLog"]:
        return super().get_queryset().filter(**self._condition)


class UncertainMessage(CommunicationLog):
    """A message that may have been sent or not."""

    objects = _Rows(status=MessageStatus.UNCERTAIN)  # type: ignore[assignment, misc]

    class Meta:
        proxy = True
        ordering = ["created_at", "id"]


class CallTask(CommunicationLog):
    """A call script that was handed to the agents: a call to make."""

    objects = _Rows(  # type: ignore[assignment, misc]
        communication_type=Channel.CALL_SCRIPT, status=MessageStatus.SENT
    )

    class Meta:
        proxy = True
        permissions = [("finish_calltask", "Can record the outcome of a call")]

    def __str__(self) -> str:
        return f"Call: {self.get_outcome_display() or 'to be made'}"


class InboundMessage(CommunicationLog):
    """A message from a debtor."""

    objects = _Rows(direction=CommunicationLog.Direction.INBOUND)  # type: ignore[assignment, misc]

    class Meta:
        proxy = True
        permissions = [("read_inboundmessage", "Can mark an inbound message as read")]

    def __str__(self) -> str:
        return f"From {self.address or 'unknown'}"
