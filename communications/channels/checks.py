"""System checks of how messages are sent. Each ``manage.py`` command runs them, ``migrate`` at each start included."""

from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection


@checks.register
def check_mail_backend(**_: Any) -> list[checks.CheckMessage]:
    """Refuse a mail provider that lacks settings or packages."""
    try:
        get_connection()
    except (ImproperlyConfigured, ImportError) as error:
        return [checks.Error(f"EMAIL_URL names a provider that cannot be used: {error}", id="ddc.E001")]
    return []
