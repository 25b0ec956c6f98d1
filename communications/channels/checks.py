"""What ``manage.py`` says at each command of how messages go, ``migrate`` at each start among them."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

_CONSOLE_MAIL = "django.core.mail.backends.console.EmailBackend"


@checks.register(checks.Tags.security)
def messages_leave(**_: Any) -> list[checks.CheckMessage]:
    """Warn of messages that are printed in production, where they count as sent."""
    if not settings.PRODUCTION:
        return []
    found: list[checks.CheckMessage] = []
    if settings.EMAIL_BACKEND == _CONSOLE_MAIL:
        words = "EMAIL_URL is console:// or not set: mail is printed into the log, counts as sent and reaches nobody."
        found.append(checks.Warning(words, hint="Set it to smtp+tls://user:password@host or the like.", id="ddc.W001"))
    if settings.SMS_BACKEND == "console":
        words = (
            "SMS_BACKEND is console or not set: text messages and calls are printed into the log with phone numbers and "
            "one-time codes, count as sent and reach nobody."
        )
        found.append(checks.Warning(words, hint="Set SMS_BACKEND to a provider that sends.", id="ddc.W002"))
    return found


@checks.register
def mail_provider_is_set_up(**_: Any) -> list[checks.CheckMessage]:
    """Refuse a provider of mail whose own settings, or packages, are missing."""
    try:
        get_connection()
    except (ImproperlyConfigured, ImportError) as error:
        return [checks.Error(f"EMAIL_URL names a provider that can't be used: {error}", id="ddc.E001")]
    return []
