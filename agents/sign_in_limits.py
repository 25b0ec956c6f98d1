"""Limits of sign-in: every attempt is counted before its password, token or code is checked, and forgiven if it was right.

Counting first costs a stranger's flood one row instead of one password hash, and simultaneous attempts cannot pass together.
"""

import hashlib
import unicodedata
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from agents.models import SignInAttempt
from ddc.common import rate_limits
from ddc.common.callers import UNKNOWN
from ddc.common.postgresql.batches import delete_in_batches
from ddc.common.rate_limits import RateLimit

PERIOD = timedelta(minutes=15)
#: Wrong passwords in 15 minutes for one user name from one address, for one user name, and from one address.
PER_NAME_AND_ADDRESS, PER_NAME, PER_ADDRESS = 10, 30, 30
#: Refused refresh tokens, and wrong one-time codes, in 15 minutes from one address, which many people may share.
REFRESHES_PER_ADDRESS, CODES_PER_ADDRESS = 100, 100
#: An address from which someone signed in within this time is known: strangers elsewhere cannot use up its limit.
_KNOWN_FOR = timedelta(days=30)
_FAILURES_KEPT_FOR = timedelta(days=1)

Kind = SignInAttempt.Kind


@transaction.atomic
def begin_password(username: str, *, client_ip: str | None, now: datetime) -> None:
    """Count an attempt to sign in with a user name and password. Call it outside a transaction, so that it stays counted.

    :raises TooMany: if there were too many failures for the name or from the address
    """
    address, name = client_ip or UNKNOWN, digest(username)
    rate_limits.serialize("sign-in name", name)
    rate_limits.serialize("sign-in address", address)
    failed = SignInAttempt.objects.filter(kind=Kind.PASSWORD, succeeded=False)
    limits = [
        (failed.filter(name=name, client_ip=address), RateLimit(PER_NAME_AND_ADDRESS, PERIOD)),
        (failed.filter(client_ip=address), RateLimit(PER_ADDRESS, PERIOD)),
    ]
    if not _is_known(name, address, now):
        limits.append((failed.filter(name=name), RateLimit(PER_NAME, PERIOD)))
    rate_limits.consume(limits, now=now, message="Too many wrong passwords. Try again later.")
    SignInAttempt.objects.create(kind=Kind.PASSWORD, name=name, client_ip=address, created_at=now)


@transaction.atomic
def signed_in(username: str, *, client_ip: str | None, now: datetime) -> None:
    """Forgive the failures of this name at this address, and remember the address. Call it when all factors were right."""
    address, name = client_ip or UNKNOWN, digest(username)
    SignInAttempt.objects.filter(kind=Kind.PASSWORD, name=name, client_ip=address).delete()
    SignInAttempt.objects.create(kind=Kind.PASSWORD, name=name, client_ip=address, succeeded=True, created_at=now)


@transaction.atomic
def begin(kind: SignInAttempt.Kind, maximum: int, *, client_ip: str | None, now: datetime) -> SignInAttempt:
    """Count an attempt that only its address limits: a refresh token or a one-time code. Delete the row if it was right.

    :raises TooMany: if there were too many failures from the address
    """
    address = client_ip or UNKNOWN
    rate_limits.serialize(f"{kind} address", address)
    failed = SignInAttempt.objects.filter(kind=kind, client_ip=address)
    rate_limits.consume([(failed, RateLimit(maximum, PERIOD))], now=now)
    return SignInAttempt.objects.create(kind=kind, client_ip=address, created_at=now)


def digest(username: str) -> str:
    """Return the SHA-256 digest under which a name is counted.

    No name is stored, because people type passwords into its field.
    """
    normal = unicodedata.normalize("NFKC", username).casefold()
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()


def delete_old(*, now: datetime) -> int:
    """Delete the attempts that no limit counts any more. Return their number."""
    failed = Q(created_at__lt=now - _FAILURES_KEPT_FOR, succeeded=False)
    return delete_in_batches(SignInAttempt.objects.filter(Q(created_at__lt=now - _KNOWN_FOR) | failed))


def _is_known(name: str, address: str, now: datetime) -> bool:
    signed_in = SignInAttempt.objects.filter(kind=Kind.PASSWORD, succeeded=True, name=name, client_ip=address)
    return address != UNKNOWN and signed_in.filter(created_at__gt=now - _KNOWN_FOR).exists()
