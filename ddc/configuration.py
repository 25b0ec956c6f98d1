"""Readers for settings that are more than a word: mail URLs, windows, rations, the demo's own environment."""

import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_MAIL_BACKENDS = {
    "console": "django.core.mail.backends.console.EmailBackend",
    "demo": "communications.channels.demo.EmailBackend",
}
_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_SMTP_TIMEOUT_SECONDS = 10


LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "testserver"})
_KEY_BYTES, _KEY_CHARACTERS = 32, 12
#: What keys in examples look like.
_NOT_A_SECRET = re.compile(r"insecure|change.?me|example|secret.?key|password|123456", re.IGNORECASE)


def long_enough(name: str, key: str) -> str:
    """Return a key of 32 bytes at least.

    :raises ImproperlyConfigured: if it is shorter
    """
    if len(key.encode()) < _KEY_BYTES:
        raise ImproperlyConfigured(f"{name} is too short: it must have at least {_KEY_BYTES} bytes.")
    return key


def refuse_for_production(*, debug: bool, hosts: list[str], keys: Mapping[str, str]) -> None:
    """Refuse what is good enough for one's own machine alone.

    :raises ImproperlyConfigured: for DEBUG, a wildcard among the hosts, or a key that can be guessed
    """
    if debug:
        raise ImproperlyConfigured("DEBUG=1 shows settings and data to everybody: not with an address in the world.")
    if "*" in hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS=* lets anybody choose what links in mails point to: name the hosts.")
    for name, key in keys.items():
        if len(set(key)) < _KEY_CHARACTERS or _NOT_A_SECRET.search(key):
            raise ImproperlyConfigured(
                f'{name} can be guessed. Make one: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )


def demo_environment(file: Path, database_url: str | None) -> dict[str, str]:
    """Return what the running demo set, unless the environment names another database than the demo's."""
    if not file.is_file():
        return {}
    lines = (line.split("=", 1) for line in file.read_text("utf-8").splitlines() if "=" in line)
    values = dict(lines)
    return values if database_url in (None, "", values.get("DATABASE_URL")) else {}


def email_settings(url: str) -> dict[str, Any]:
    """Turn EMAIL_URL into Django's settings.

    ``smtp://`` is plain, ``smtp+tls://`` asks for STARTTLS, ``smtps://`` speaks TLS at once; ``anymail://PROVIDER`` is sent by
    that provider, with its ``ANYMAIL_*`` variables.

    :raises ImproperlyConfigured: if the URL is of no known form
    """
    parts = urlsplit(url)
    if parts.scheme in _MAIL_BACKENDS:
        return {"EMAIL_BACKEND": _MAIL_BACKENDS[parts.scheme]}
    if parts.scheme == "anymail" and re.fullmatch(r"[a-z_0-9]+", parts.netloc):
        return {"EMAIL_BACKEND": f"anymail.backends.{parts.netloc}.EmailBackend"}
    if parts.scheme in ("smtp", "smtp+tls", "smtps") and parts.hostname:
        return {
            "EMAIL_BACKEND": _SMTP,
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": parts.port or {"smtp": 25, "smtp+tls": 587, "smtps": 465}[parts.scheme],
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
            "EMAIL_USE_SSL": parts.scheme == "smtps",
            "EMAIL_TIMEOUT": _SMTP_TIMEOUT_SECONDS,
        }
    raise ImproperlyConfigured(
        "EMAIL_URL must be smtp://, smtp+tls:// or smtps:// with a host, console://, demo:// or anymail://PROVIDER."
    )


def contact_window(text: str) -> tuple[time, time]:
    """Read ``08:00-21:00``: from the first moment of the one to the last before the other, local time of the person.

    :raises ImproperlyConfigured: if it isn't of that form, or ends before it begins
    """
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text)
    if not match:
        raise ImproperlyConfigured(f"CONTACT_WINDOW is {text!r}; it must look like 08:00-21:00.")
    hours = [int(part) for part in match.groups()]
    opening, closing = time(hours[0], hours[1]), time(hours[2], hours[3])
    if opening >= closing:
        raise ImproperlyConfigured("CONTACT_WINDOW must close after it opens.")
    return opening, closing


def ration(name: str, value: int) -> int:
    """Return a number of requests that is at least 1.

    :raises ImproperlyConfigured: if it is less
    """
    if value < 1:
        raise ImproperlyConfigured(f"{name} must be at least 1.")
    return value


def rate(name: str, value: float) -> float:
    """Return a number of messages a second; 0 is no limit.

    :raises ImproperlyConfigured: if it is less than 0, or more than 0 and less than one in ten seconds
    """
    if value < 0 or 0 < value < 0.1:
        raise ImproperlyConfigured(f"{name} must be 0 (no limit), or at least 0.1 a second.")
    return value


def anymail_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return anymail's own settings out of its ``ANYMAIL_*`` variables."""
    return {name.removeprefix("ANYMAIL_"): value for name, value in environment.items() if name.startswith("ANYMAIL_")}
