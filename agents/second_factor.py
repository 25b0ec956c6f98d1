"""The second factor of staff: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for a lost phone.

django-otp keeps the app's secret, refuses a code that was used before, and counts wrong codes. An agent has one app.
"""

import base64
import hashlib
import math
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from agents.models import Agent
from agents.roles import SUPERVISOR
from ddc.common.errors import DomainError, TooMany

log = structlog.get_logger(__name__)

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
#: Wrong codes in a row before a pause, which then doubles with each further one.
FREE_TRIES = 5
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
_APP_CODE = re.compile(r"[0-9]{6}")
_RECOVERY_CODE = re.compile(r"[a-z2-7]{16}")


class CodeRequired(DomainError):
    """The password is right, but the account has a second factor and no code was given."""

    status = 401
    code = "otp_required"
    message = "Enter the code of your authenticator app, or a recovery code."
    shows_code = True


class WrongCode(DomainError):
    """The code is wrong, or was used before."""

    status = 401
    code = "otp_invalid"
    message = "The code is wrong or was used before. Wait for the next code of your app."
    shows_code = True


class WrongNewCode(DomainError):
    """The code is not the present one of the app that is being set up."""

    status = 422
    code = "otp_invalid"
    message = "The code is wrong. Check the time of your phone, and enter the code that the app shows now."


class AlreadySetUp(DomainError):
    """The agent has a second factor, set up a moment ago in another place."""

    message = "Your account has a second factor already. Sign in with its code."


class StillRequired(DomainError):
    """The agent's role needs a second factor."""

    message = "Your role needs a second factor. Replace it instead."


@dataclass(frozen=True)
class Status:
    """An agent's second factor: since when, and how many recovery codes are left."""

    since: datetime | None
    recovery_codes: int


def is_required(agent: Agent) -> bool:
    """Return whether the agent must have a second factor in the back office (SECOND_FACTOR)."""
    if settings.SECOND_FACTOR == "optional":
        return False
    if settings.SECOND_FACTOR == "all" or agent.is_superuser:
        return True
    return agent.groups.filter(name=SUPERVISOR).exists()


def is_set_up(agent: Agent) -> bool:
    """Return whether the agent has a second factor."""
    return bool(_apps(agent).exists())


def status(agent: Agent) -> Status | None:
    """Return the agent's second factor; None without one."""
    app = _apps(agent).first()
    return Status(app.created_at, StaticToken.objects.filter(device__user=agent).count()) if app else None


def new_key() -> str:
    """Return a new secret for an authenticator app: 160 random bits in hexadecimal."""
    return str(random_hex(20))


def app_link(agent: Agent, key: str) -> str:
    """Return the ``otpauth://`` address that an authenticator app reads from a QR code."""
    return str(TOTPDevice(user=agent, key=key).config_url)


def typed_key(key: str) -> str:
    """Return the secret as people type it into an app: base32 in groups of four."""
    return grouped(base64.b32encode(bytes.fromhex(key)).decode())


def grouped(text: str) -> str:
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def is_present_code(key: str, code: str) -> bool:
    """Return whether an app with this secret shows the code now, or did half a minute ago."""
    clean = _cleaned(code)
    return _APP_CODE.fullmatch(clean) is not None and TOTP(bytes.fromhex(key)).verify(int(clean), tolerance=1)


def verify(agent: Agent, code: str, *, now: datetime) -> None:
    """Check a code of the agent's app, or use up a recovery code. Of simultaneous uses of one code only one succeeds.

    Call it outside of a transaction: a wrong code must stay counted although this raises.

    :raises TooMany: after too many wrong codes in a row
    :raises WrongCode: if the code is wrong or was used before, or the agent has no second factor
    """
    with transaction.atomic():
        refusal = _check(agent, code, now)
    if refusal is not None:
        log.warning("second_factor_refused", agent=str(agent.pk), reason=refusal.code)
        raise refusal


@transaction.atomic
def set_up(agent: Agent, *, key: str, code: str, replace: bool = False) -> list[str]:
    """Make an app with this secret the agent's second factor; return new recovery codes.

    :raises AlreadySetUp: if the agent has one; ``replace`` puts the new one in its place
    :raises WrongNewCode: if the code is not the app's present one
    """
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)  # Two at once would leave two apps.
    if not replace and is_set_up(agent):
        raise AlreadySetUp
    app = TOTPDevice.objects.create(user=agent, name="Authenticator app", key=key)
    if not (_APP_CODE.fullmatch(clean := _cleaned(code)) and app.verify_token(clean)):
        raise WrongNewCode
    _apps(agent).exclude(pk=app.pk).delete()
    return _new_recovery_codes(agent)


@transaction.atomic
def renew_recovery_codes(agent: Agent) -> list[str]:
    """Return new recovery codes; the earlier ones stop working."""
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    return _new_recovery_codes(agent)


def remove(agent: Agent) -> None:
    """Remove the agent's own second factor.

    :raises StillRequired: if the agent's role needs one
    """
    if is_required(agent):
        raise StillRequired
    delete(agent)


@transaction.atomic
def delete(agent: Agent) -> None:
    """Delete the app and the recovery codes of an agent. No open session counts as having passed them any more."""
    TOTPDevice.objects.filter(user=agent).delete()
    StaticDevice.objects.filter(user=agent).delete()
    agent.staff_sessions.update(second_factor=False)


def is_recovery_code(code: str) -> bool:
    """Return whether a text has the form of a recovery code."""
    return _RECOVERY_CODE.fullmatch(_cleaned(code)) is not None


def _apps(agent: Agent) -> Any:
    return TOTPDevice.objects.filter(user=agent, confirmed=True)


def _check(agent: Agent, code: str, now: datetime) -> DomainError | None:
    app = _apps(agent).select_for_update().first()
    if app is None:
        return WrongCode()
    if wait := _wait(app, now):
        return TooMany("Too many wrong codes. Try again later.", retry_after=wait)
    text = _cleaned(code)
    if _APP_CODE.fullmatch(text):
        is_right = app.verify_token(text)  # It counts a wrong code.
    else:
        used, _ = StaticToken.objects.filter(device__user=agent, token=_digest(text)).delete()
        is_right = bool(used)
        app.throttle_reset() if is_right else app.throttle_increment()
    return None if is_right else WrongCode()


def _wait(app: TOTPDevice, now: datetime) -> int:
    """Return the seconds until the next try is allowed."""
    if app.throttling_failure_count < FREE_TRIES or app.throttling_failure_timestamp is None:
        return 0
    doubled = min(app.throttling_failure_count - FREE_TRIES, 10)
    pause = min(_FIRST_PAUSE * 2**doubled, _LONGEST_PAUSE)
    ends: datetime = app.throttling_failure_timestamp + pause
    return max(0, math.ceil((ends - now).total_seconds()))


def _new_recovery_codes(agent: Agent) -> list[str]:
    codes = [base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    device, _ = StaticDevice.objects.get_or_create(user=agent, defaults={"name": "Recovery codes"})
    device.token_set.all().delete()
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_digest(code)) for code in codes)
    return [grouped(code) for code in codes]


def _digest(code: str) -> str:
    """Return what is stored of a recovery code. Its 80 random bits make a keyed or slow hash unnecessary."""
    return base64.b32encode(hashlib.sha256(code.encode()).digest()[:_RECOVERY_BYTES]).decode().lower()


def _cleaned(code: str) -> str:
    """Return a code without the spaces and hyphens with which people type it."""
    return re.sub(r"[\s-]", "", code[:100]).lower()
