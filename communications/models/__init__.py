"""Templates, messages, and the evidence beside them."""

from communications.models.evidence import MessageAttempt, PendingDispatch, UncertainResolution
from communications.models.messages import DUE_STATUSES, CommunicationLog, CommunicationLogQuerySet
from communications.models.providers import Circuit, ProviderEvent
from communications.models.templates import CommunicationTemplate, CommunicationTemplateVersion
from communications.models.vocabulary import OUTCOMES, CallOutcome, MessageStatus, OutcomeMeaning
from communications.models.worklists import CallTask, InboundMessage, UncertainMessage

__all__ = [
    "DUE_STATUSES",
    "OUTCOMES",
    "CallOutcome",
    "CallTask",
    "Circuit",
    "CommunicationLog",
    "CommunicationLogQuerySet",
    "CommunicationTemplate",
    "CommunicationTemplateVersion",
    "InboundMessage",
    "MessageAttempt",
    "MessageStatus",
    "OutcomeMeaning",
    "PendingDispatch",
    "ProviderEvent",
    "UncertainMessage",
    "UncertainResolution",
]
