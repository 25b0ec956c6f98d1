"""Contact channels, and the kinds of address that they use."""

from django.db import models


class AddressKind(models.TextChoices):
    """The kind of an address; text messages and calls both use phones."""

    EMAIL = "email", "e-mail"
    PHONE = "phone"


class Channel(models.TextChoices):
    """A way to contact a debtor; the API's ``communicationType``."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "Text message"
    VOICE = "voice", "Automated call"
    CALL_SCRIPT = "call_script", "Agent call"

    @property
    def is_call(self) -> bool:
        """Whether the channel is a call, by machine or by an agent with a script."""
        return self in (Channel.VOICE, Channel.CALL_SCRIPT)

    @property
    def address_kind(self) -> AddressKind:
        """The kind of address that the channel uses."""
        return AddressKind.EMAIL if self == Channel.EMAIL else AddressKind.PHONE
