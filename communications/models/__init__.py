"""Templates, messages, and the evidence beside them."""

from communications.models.evidence import MessageAttempt, PendingDispatch, UncertainResolution
from communications.models.messages import DUE_STATUSES, CommunicationLog
from communications.models.providers import Circuit, ProviderEvent
from communications.models.templates import CommunicationTemplate, CommunicationTemplateVersion
from communications.models.vocabulary import ANSWERED_BY_PERSON, CONNECTED, CONVERSATIONS, CallOutcome, MessageStatus
from communications.models.worklists import CallTask, InboundMessage, UncertainMessage

__all__ = [
    "ANSWERED_BY_PERSON",
    "CONNECTED",
    "CONVERSATIONS",
    "DUE_STATUSES",
    "CallOutcome",
    "CallTask",
    "Circuit",
    "CommunicationLog",
    "CommunicationTemplate",
    "CommunicationTemplateVersion",
    "InboundMessage",
    "MessageAttempt",
    "MessageStatus",
    "PendingDispatch",
    "ProviderEvent",
    "UncertainMessage",
    "UncertainResolution",
]
