"""The providers of SMS and voice that there are. A new one is one line here; SMS_BACKEND chooses one by name."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from communications.providers.base import Provider
from communications.providers.console import Console
from communications.providers.demo import Demo
from communications.providers.twilio import Twilio

PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        Console(),
        Demo(),
        Twilio(),
    )
}


def configured() -> Provider:
    """Return the provider that SMS_BACKEND names.

    :raises ImproperlyConfigured: if there is none of that name
    """
    if settings.SMS_BACKEND not in PROVIDERS:
        known = ", ".join(sorted(PROVIDERS))
        raise ImproperlyConfigured(f"SMS_BACKEND names no provider: “{settings.SMS_BACKEND}”. Use one of: {known}.")
    return PROVIDERS[settings.SMS_BACKEND]
