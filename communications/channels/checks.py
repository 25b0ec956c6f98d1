"""System checks of how messages are sent. Each ``manage.py`` command runs them, ``migrate`` at each start included."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

_CONSOLE_MAIL = "django.core.mail.backends.console.EmailBackend"


@checks.register(checks.Tags.security)
def warn_of_printed_messages(**_: Any) -> list[checks.CheckMessage]:
    """Warn in production if messages are printed instead of sent: they count as sent."""
    if not settings.PRODUCTION:
        return []
    warnings: list[checks.CheckMessage] = []
    if settings.EMAIL_BACKEND == _CONSOLE_MAIL:
        text = (
            "EMAIL_URL is console:// or not set: mail is printed into the log and counts as sent, but is not delivered."
        )
        warnings.append(
            checks.Warning(text, hint="Set it to an address such as smtp+tls://user:password@host.", id="ddc.W001")
        )
    if settings.SMS_BACKEND == "console":
        text = (
            "SMS_BACKEND is console or not set: text messages and calls are printed into the log with phone numbers and "
            "one-time codes and count as sent, but are not delivered."
        )
        warnings.append(checks.Warning(text, hint="Set SMS_BACKEND to a provider that sends.", id="ddc.W002"))
    return warnings


@checks.register
def check_mail_backend(**_: Any) -> list[checks.CheckMessage]:
    """Refuse a mail provider that lacks settings or packages."""
    try:
        get_connection()
    except (ImproperlyConfigured, ImportError) as error:
        return [checks.Error(f"EMAIL_URL names a provider that cannot be used: {error}", id="ddc.E001")]
    return []
