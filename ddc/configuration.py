"""Parse and check settings: URLs, secrets, limits and the demo's published environment."""

import pkgutil
import re
from collections.abc import Mapping
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from ddc.stack.state import read_env

_MAIL_BACKENDS = {
    "console": "django.core.mail.backends.console.EmailBackend",
    "demo": "communications.providers.demo.EmailBackend",
}
#: Modules of anymail's backends that are no mail provider; some of them drop mail silently.
_NO_PROVIDERS = {"base", "base_requests", "console", "test"}
_SMTP = "communications.channels.smtp.EmailBackend"
_SMTP_TIMEOUT_SECONDS = 10

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "testserver"})
_KEY_BYTES, _KEY_CHARACTERS = 32, 12
#: Mail services issue shorter secrets, some of hexadecimal digits.
_ISSUED_BYTES, _ISSUED_CHARACTERS = 16, 8
_WEBHOOK_SECRET = re.compile(r"(WEBHOOK|SIGNING|INBOUND)(_SIGNING)?_(KEY|SECRET)\Z")
#: Words of the keys in examples.
_NOT_A_SECRET = re.compile(r"insecure|change.?me|example|secret.?key|password|123456", re.IGNORECASE)


def long_enough(name: str, key: str) -> str:
    """Return the key if it has at least 32 bytes.

    :raises ImproperlyConfigured: if it is shorter
    """
    if len(key.encode()) < _KEY_BYTES:
        raise ImproperlyConfigured(f"{name} is too short. Use at least {_KEY_BYTES} bytes.")
    return key


def comma_separated(text: str) -> list[str]:
    """Return the non-empty parts between commas, without surrounding spaces."""
    return [part for raw in text.split(",") if (part := raw.strip())]


def origin(name: str, text: str) -> str:
    """Return ``https://host:port`` in lower case, as browsers write it.

    :raises ImproperlyConfigured: if it is not an http or https URL with only a host and a port
    """
    match = re.fullmatch(r"https?://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?/?", text, re.IGNORECASE)
    if not match:
        raise ImproperlyConfigured(f"{name} is {text!r}. Use a URL such as https://ddc.example, without a path.")
    return match[0].rstrip("/").lower()


def header_name(name: str, text: str) -> str:
    """Return the name of a header: letters and hyphens.

    :raises ImproperlyConfigured: if it has other characters
    """
    if not all(part.isascii() and part.isalpha() for part in text.split("-")):
        raise ImproperlyConfigured(f"{name} is {text!r}. Use the name of a header, such as X-Forwarded-For.")
    return text


def is_production(public_url: str, hosts: list[str]) -> bool:
    """Return whether other machines can reach the site: by its public URL, or by a host name that requests may carry."""
    own = urlsplit(public_url).hostname or ""
    return not {f"[{own}]" if ":" in own else own, *(host.lower() for host in hosts)} <= LOOPBACK_HOSTS


def check_production(*, debug: bool, demo: bool, hosts: list[str], secrets: Mapping[str, list[str]]) -> None:
    """Check settings that are safe only on a machine that others cannot reach.

    :raises ImproperlyConfigured: for DEBUG, DEMO, a wildcard host, or a secret that is short or easy to guess
    """
    if debug:
        raise ImproperlyConfigured(
            "DEBUG=1 shows settings and data to everyone. Set DEBUG=0, or use only loopback hosts."
        )
    if demo:
        raise ImproperlyConfigured(
            "DEMO=1 shows every message to everyone. Set DEMO=0, or use only loopback hosts in PUBLIC_URL and ALLOWED_HOSTS."
        )
    for host in hosts:
        if host == "*" or (host.startswith(".") and "." not in host.strip(".")):
            raise ImproperlyConfigured(
                f"ALLOWED_HOSTS={host} lets attackers choose the host of links in messages. List the hosts."
            )
    for name, values in secrets.items():
        for secret in values:
            _check_secret(name, secret)


def check_senders(*, email_backend: str, sms_backend: str) -> None:
    """Check that a site in production sends its messages.

    :raises ImproperlyConfigured: for console senders: they print codes and addresses into the log, and count messages as sent
    """
    if email_backend == _MAIL_BACKENDS["console"]:
        raise ImproperlyConfigured(
            "EMAIL_URL is console:// or not set: mail would be printed into the log and count as sent. Set it to an address such "
            "as smtp+tls://user:password@host."
        )
    if sms_backend == "console":
        raise ImproperlyConfigured(
            "SMS_BACKEND is console or not set: text messages would be printed into the log with their codes and count as sent. "
            "Set it to a provider that sends, such as twilio."
        )


def check_webhook_secrets(own: str, anymail: Mapping[str, Any], *, twilio: str) -> None:
    """Check the secrets by which a site in production knows callbacks: our own, and those that mail services and Twilio issue.

    :raises ImproperlyConfigured: for one that is short or easy to guess
    """
    if own:
        _check_secret("The password in ANYMAIL_WEBHOOK_SECRET", own.partition(":")[2])
    for name, value in anymail.items():
        if isinstance(value, str) and _WEBHOOK_SECRET.search(name):
            _check_issued(f"ANYMAIL_{name}", value, by="the mail service")
    if twilio:
        _check_issued("TWILIO_AUTH_TOKEN", twilio, by="Twilio")


def _check_issued(name: str, secret: str, *, by: str) -> None:
    if len(secret) < _ISSUED_BYTES or _can_be_guessed(secret, characters=_ISSUED_CHARACTERS):
        raise ImproperlyConfigured(f"{name} can be guessed. Use the one that {by} shows.")


def _check_secret(name: str, secret: str) -> None:
    if _can_be_guessed(long_enough(name, secret)):
        raise ImproperlyConfigured(
            f'{name} can be guessed. Make a random one: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )


def _can_be_guessed(secret: str, *, characters: int = _KEY_CHARACTERS) -> bool:
    in_order = sum(ord(after) - ord(before) == 1 for before, after in pairwise(secret))  # abcdef…
    return len(set(secret)) < characters or in_order > len(secret) / 2 or bool(_NOT_A_SECRET.search(secret))


def demo_environment(file: Path, database_url: str | None) -> dict[str, str]:
    """Return the settings of the running demo, unless the environment has another database than the demo's."""
    values = read_env(file)
    return values if database_url in (None, "", values.get("DATABASE_URL")) else {}


def broker_url(url: str) -> str:
    """Return REDIS_URL if both Celery and redis support it; a Unix socket has no form that both accept.

    :raises ImproperlyConfigured: if it is not a redis or rediss URL
    """
    if url.partition("://")[0] not in ("redis", "rediss"):
        raise ImproperlyConfigured(
            "REDIS_URL is not a Redis URL. Use redis://:password@host:6379/0, or rediss:// for TLS."
        )
    return url


def email_settings(url: str, *, demo: bool) -> dict[str, Any]:
    """Return Django's settings for EMAIL_URL.

    ``smtp://`` is unencrypted, ``smtp+tls://`` uses STARTTLS, ``smtps://`` uses TLS from the start; ``anymail://PROVIDER``
    uses that provider with its ``ANYMAIL_*`` variables.

    :raises ImproperlyConfigured: if the scheme is unknown, or is ``demo`` without DEMO=1
    """
    parts = urlsplit(url)
    if parts.scheme == "demo" and not demo:
        raise ImproperlyConfigured(
            "EMAIL_URL=demo:// sends nothing but records messages as sent. Use it only with DEMO=1."
        )
    if parts.scheme in _MAIL_BACKENDS:
        return {"EMAIL_BACKEND": _MAIL_BACKENDS[parts.scheme]}
    if parts.scheme == "anymail":
        if parts.netloc not in (providers := _mail_providers()):
            raise ImproperlyConfigured(
                f"EMAIL_URL has an unknown provider. anymail's providers are {', '.join(providers)}."
            )
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
        "EMAIL_URL is invalid. Use smtp://, smtp+tls:// or smtps:// with a host, console://, demo:// or anymail://PROVIDER."
    )


def _mail_providers() -> list[str]:
    from anymail import backends

    return sorted({module.name for module in pkgutil.iter_modules(backends.__path__)} - _NO_PROVIDERS)


def webhook_secret(text: str) -> str:
    """Return the user name and password of mail providers' callbacks.

    :raises ImproperlyConfigured: if one of the two is missing, because no callback could pass then
    """
    if text and not re.fullmatch(r"[^:]+:.+", text):
        raise ImproperlyConfigured("ANYMAIL_WEBHOOK_SECRET is invalid. Use the form user:password.")
    return text


def check_payments(provider: str, *, secret: str, webhook_secret: str, demo: bool) -> None:
    """Check the settings of card payments.

    :raises ImproperlyConfigured: if the provider is unknown, lacks a secret, or is the demo's without DEMO=1
    """
    if provider not in ("", "stripe", "demo"):
        raise ImproperlyConfigured(
            f"PAYMENT_PROVIDER is {provider!r}. Use stripe, or leave it empty for bank transfer only."
        )
    if provider == "demo" and not demo:
        raise ImproperlyConfigured("PAYMENT_PROVIDER=demo takes no money. Use it only with DEMO=1.")
    if provider == "stripe" and not (secret and webhook_secret):
        raise ImproperlyConfigured("PAYMENT_PROVIDER=stripe needs STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.")


def contact_window(text: str) -> tuple[time, time]:
    """Parse ``08:00-21:00``, in the debtor's local time: from the first minute up to, but not including, the second.

    ``24:00`` is the end of the day.

    :raises ImproperlyConfigured: if it has another form, or ends before it begins
    """
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24(?=:00)):([0-5]\d)", text)
    if not match:
        raise ImproperlyConfigured(f"CONTACT_WINDOW is {text!r}. Use the form 08:00-21:00.")
    hours = [int(part) for part in match.groups()]
    opening, closing = time(hours[0], hours[1]), time(hours[2] % 24, hours[3])
    if opening >= closing and hours[2] != 24:
        raise ImproperlyConfigured("CONTACT_WINDOW ends before it begins. Put the later time last.")
    return opening, closing


def check_range(name: str, value: int, *, least: int, most: int | None = None) -> int:
    """Return the value.

    :raises ImproperlyConfigured: if it is out of range
    """
    if value < least or (most is not None and value > most):
        raise ImproperlyConfigured(f"{name} must be {f'from {least} to {most}' if most else f'{least} or more'}.")
    return value


def rate(name: str, value: float) -> float:
    """Return a limit of messages per second; 0 is no limit.

    :raises ImproperlyConfigured: if it is negative, or less than one message in ten seconds
    """
    if value < 0 or 0 < value < 0.1:
        raise ImproperlyConfigured(f"{name} must be 0 (no limit) or at least 0.1 messages per second.")
    return value


def anymail_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return anymail's settings from the ``ANYMAIL_*`` variables."""
    found = {name.removeprefix("ANYMAIL_"): value for name, value in environment.items() if name.startswith("ANYMAIL_")}
    # By itself Amazon's client sends a mail up to three times if no answer arrives.
    once = {"config": {"retries": {"total_max_attempts": 1}}}
    return {"AMAZON_SES_CLIENT_PARAMS": once, **found}


def second_factor(text: str, *, demo: bool) -> str:
    """Return who must have a second factor in the back office: ``supervisors``, ``all`` or, in the demo, ``optional``.

    :raises ImproperlyConfigured: for another word, or ``optional`` without DEMO=1
    """
    if text in ("supervisors", "all") or (text == "optional" and demo):
        return text
    raise ImproperlyConfigured(f"SECOND_FACTOR is {text!r}. Use supervisors or all; optional needs DEMO=1.")


def second_question(text: str) -> str:
    """Return where the second question of debtors' sign-in is asked: on the ``pages`` only, or over the ``api`` too.

    :raises ImproperlyConfigured: for another word
    """
    if text in ("pages", "api"):
        return text
    raise ImproperlyConfigured(f"SECOND_QUESTION is {text!r}. Use pages or api.")
