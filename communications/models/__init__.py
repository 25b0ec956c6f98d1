"""Templates, messages, and the evidence beside them."""

from communications.models.evidence import MessageAttempt, PendingDispatch, UncertainResolution
from communications.models.messages import (
    CONTACT_STATUSES,
    DUE_STATUSES,
    MADE_AT,
    UNFINISHED_STATUSES,
    CommunicationLog,
)
from communications.models.providers import Circuit, ProviderEvent
from communications.models.restores import DatabaseRestore
from communications.models.templates import CommunicationTemplate, CommunicationTemplateVersion
from communications.models.vocabulary import (
    ANSWERED_BY_PERSON,
    CONNECTED,
    CONVERSATIONS,
    UNREACHED,
    AsksFor,
    CallOutcome,
    MessageStatus,
)
from communications.models.worklists import CallTask, InboundMessage, UncertainMessage

__all__ = [
    "ANSWERED_BY_PERSON",
    "CONNECTED",
    "CONTACT_STATUSES",
    "CONVERSATIONS",
    "DUE_STATUSES",
    "MADE_AT",
    "UNFINISHED_STATUSES",
    "UNREACHED",
    "AsksFor",
    "CallOutcome",
    "CallTask",
    "Circuit",
    "CommunicationLog",
    "CommunicationTemplate",
    "CommunicationTemplateVersion",
    "DatabaseRestore",
    "InboundMessage",
    "MessageAttempt",
    "MessageStatus",
    "PendingDispatch",
    "ProviderEvent",
    "UncertainMessage",
    "UncertainResolution",
]
