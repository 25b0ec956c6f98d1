"""What is said: templates, the log of every message, and what is kept beside it. Each module holds one subject."""

from communications.models.evidence import MessageAttempt, Settlement, Unbegun
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
    "ProviderEvent",
    "Settlement",
    "Unbegun",
    "UncertainMessage",
]
