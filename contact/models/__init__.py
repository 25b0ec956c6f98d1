"""Tables of the contact rules: policies, preferences, decisions and validation notices."""

from contact.engine.decision import Purpose
from contact.models.decisions import ContactDecision
from contact.models.policies import WEEKDAYS, ContactPolicy
from contact.models.preferences import ContactPreference
from contact.models.validation_notice import ValidationNotice

__all__ = ["WEEKDAYS", "ContactDecision", "ContactPolicy", "ContactPreference", "Purpose", "ValidationNotice"]
