"""Readers for settings that are more than a word: mail URLs, windows, rations, the demo's own environment."""

import pkgutil
import re
from collections.abc import Mapping
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_MAIL_BACKENDS = {
    "console": "django.core.mail.backends.console.EmailBackend",
    "demo": "communications.channels.demo.EmailBackend",
}
#: What anymail has for itself: some of it sends nothing, and says that it did.
_NO_PROVIDERS = {"base", "base_requests", "console", "test"}
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


def listed(text: str) -> list[str]:
    """Read what stands between commas."""
    return [part for raw in text.split(",") if (part := raw.strip())]


def web_address(name: str, text: str) -> str:
    """Return ``https://host:port`` in small letters, as browsers write it.

    :raises ImproperlyConfigured: if it begins with neither http:// nor https://, or has more than a host and a port
    """
    match = re.fullmatch(r"https?://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?/?", text, re.IGNORECASE)
    if not match:
        raise ImproperlyConfigured(f"{name} is {text!r}; it must look like https://ddc.example, without a path.")
    return match[0].rstrip("/").lower()


def is_in_the_world(public_url: str, hosts: list[str]) -> bool:
    """Tell whether other machines can reach us: by our own address, or by what requests may name as their host."""
    own = urlsplit(public_url).hostname or ""
    return not {f"[{own}]" if ":" in own else own, *(host.lower() for host in hosts)} <= LOOPBACK_HOSTS


def refuse_for_production(*, debug: bool, demo: bool, hosts: list[str], secrets: Mapping[str, list[str]]) -> None:
    """Refuse what is good enough for one's own machine alone.

    :raises ImproperlyConfigured: for DEBUG, DEMO, hosts that anybody can have, or a secret that is short or can be guessed
    """
    if debug:
        raise ImproperlyConfigured("DEBUG=1 shows settings and data to everybody: not with an address in the world.")
    if demo:
        raise ImproperlyConfigured(
            "DEMO=1 shows every message to everybody: PUBLIC_URL and ALLOWED_HOSTS may name loopback hosts alone."
        )
    for host in hosts:
        if host == "*" or (host.startswith(".") and "." not in host.strip(".")):
            raise ImproperlyConfigured(
                f"ALLOWED_HOSTS={host} lets anybody choose what links in mails point to: name the hosts."
            )
    for name, values in secrets.items():
        for secret in values:
            if _can_be_guessed(long_enough(name, secret)):
                raise ImproperlyConfigured(
                    f'{name} can be guessed. Make one: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
                )


def _can_be_guessed(secret: str) -> bool:
    in_order = sum(ord(after) - ord(before) == 1 for before, after in pairwise(secret))  # abcdef…
    return len(set(secret)) < _KEY_CHARACTERS or in_order > len(secret) / 2 or bool(_NOT_A_SECRET.search(secret))


def demo_environment(file: Path, database_url: str | None) -> dict[str, str]:
    """Return what the running demo set, unless the environment names another database than the demo's."""
    if not file.is_file():
        return {}
    lines = (line.split("=", 1) for line in file.read_text("utf-8").splitlines() if "=" in line)
    values = dict(lines)
    return values if database_url in (None, "", values.get("DATABASE_URL")) else {}


def database_settings(url: str, **ours: Any) -> dict[str, Any]:
    """Turn DATABASE_URL into Django's settings, with ours where the URL says nothing else.

    The command line that each of the two has for the server (``OPTIONS["options"]``) becomes one, the URL's last, for what
    comes last holds.

    :raises ImproperlyConfigured: if it is no URL of a PostgreSQL
    """
    if url.partition("://")[0] not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:5432/ddc.")
    asked = environ.Env.db_url_config(url)
    options = {**ours["OPTIONS"], **asked.get("OPTIONS", {})}
    lines = (part["OPTIONS"].get("options") for part in (ours, asked) if "OPTIONS" in part)
    options["options"] = " ".join(line for line in lines if line)
    return {**ours, **asked, "ENGINE": ours["ENGINE"], "OPTIONS": options}


def broker_url(url: str) -> str:
    """Return REDIS_URL.

    :raises ImproperlyConfigured: if it is of a form that Celery or redis doesn't know; they have no socket in common
    """
    if url.partition("://")[0] not in ("redis", "rediss"):
        raise ImproperlyConfigured("REDIS_URL must look like redis://:password@host:6379/0, or rediss:// for TLS.")
    return url


def email_settings(url: str, *, demo: bool) -> dict[str, Any]:
    """Turn EMAIL_URL into Django's settings.

    ``smtp://`` is plain, ``smtp+tls://`` asks for STARTTLS, ``smtps://`` speaks TLS at once; ``anymail://PROVIDER`` is sent by
    that provider, with its ``ANYMAIL_*`` variables.

    :raises ImproperlyConfigured: if the URL is of no known form, or the demo's while there is none
    """
    parts = urlsplit(url)
    if parts.scheme == "demo" and not demo:
        raise ImproperlyConfigured("EMAIL_URL=demo:// sends nothing, and says that it did: it takes DEMO=1.")
    if parts.scheme in _MAIL_BACKENDS:
        return {"EMAIL_BACKEND": _MAIL_BACKENDS[parts.scheme]}
    if parts.scheme == "anymail":
        if parts.netloc not in (providers := _mail_providers()):
            raise ImproperlyConfigured(f"EMAIL_URL names no provider; anymail's providers are {', '.join(providers)}.")
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


def _mail_providers() -> list[str]:
    from anymail import backends

    return sorted({module.name for module in pkgutil.iter_modules(backends.__path__)} - _NO_PROVIDERS)


def webhook_secret(text: str) -> str:
    """Return what callbacks of mail providers show as their name and password.

    :raises ImproperlyConfigured: if it isn't two, or if one is empty: no callback could ever show it
    """
    if text and not re.fullmatch(r"[^:]+:.+", text):
        raise ImproperlyConfigured("ANYMAIL_WEBHOOK_SECRET must look like user:password.")
    return text


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
