"""Debtors' tokens, which differ from those of staff in key, audience and type. They are ended singly or all at once.

The portal's pages have tokens of their own type, which the API refuses: they live 15 minutes, and each page renews them.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import Exists, F
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from agents.tokens import BadToken, RotatedTokenBackend
from ddc.common.postgresql.batches import delete_in_batches
from debtors.models import Debtor
from portal.models import RevokedDebtorToken

_Kind = TypeVar("_Kind", bound="DebtorToken")


class DebtorToken(Token):
    token_type = "debtor"  # noqa: S105
    lifetime = timedelta(seconds=settings.DEBTOR_TOKEN_SECONDS)
    _token_backend = RotatedTokenBackend(
        settings.DEBTOR_TOKEN_KEY, settings.DEBTOR_TOKEN_KEY_FALLBACKS, audience="ddc:debtor", issuer="ddc"
    )


class PageToken(DebtorToken):
    token_type = "portal"  # noqa: S105
    lifetime = timedelta(seconds=settings.PORTAL_IDLE_SECONDS)


#: The longest time on the pages with one sign-in, in seconds.
_LONGEST_VISIT = 12 * 3600


def issue(debtor: Debtor, *, now: datetime) -> tuple[str, datetime]:
    """Return a token and its expiry. It also ends when the debtor's ``token_version`` changes."""
    token = DebtorToken()
    token.set_iat(at_time=now)
    token.set_exp(from_time=now)
    token["sub"], token["ver"] = str(debtor.pk), debtor.token_version
    return str(token), datetime.fromtimestamp(token["exp"], UTC)


def issue_for_pages(debtor: Debtor, *, now: datetime) -> str:
    """Return the token of a visit to the pages."""
    token = PageToken()
    token["sub"], token["ver"], token["began"] = str(debtor.pk), debtor.token_version, int(now.timestamp())
    return _dated(token, now)


def renew(text: str, *, now: datetime) -> str:
    """Return the token of the same visit, with a new expiry. A sign-out ends all tokens of a visit.

    :raises BadToken: if it is invalid or has expired, or the visit has lasted too long
    """
    token, _ = _read(text, PageToken)
    if now.timestamp() - token["began"] > _LONGEST_VISIT:
        raise BadToken
    return _dated(token, now)


def _dated(token: PageToken, now: datetime) -> str:
    token.set_iat(at_time=now)
    token.set_exp(from_time=now)
    return str(token)


def owner(text: str, kind: type[DebtorToken] = DebtorToken) -> Debtor:
    """Return the debtor of a token, in one query.

    :raises BadToken: if it is invalid, expired or revoked, or the debtor's phone has changed since
    """
    token, jti = _read(text, kind)
    try:
        debtor_id, version = uuid.UUID(str(token["sub"])), int(token["ver"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadToken from error
    revoked = RevokedDebtorToken.objects.filter(jti=jti)
    debtor = Debtor.objects.filter(~Exists(revoked), pk=debtor_id, token_version=version).first()
    if debtor is None:
        raise BadToken
    return debtor


def revoke(text: str, kind: type[DebtorToken] = DebtorToken) -> None:
    """End a token for good.

    :raises BadToken: if it is invalid or has expired
    """
    token, jti = _read(text, kind)
    expires_at = datetime.fromtimestamp(token["exp"], UTC)
    RevokedDebtorToken.objects.bulk_create([RevokedDebtorToken(jti=jti, expires_at=expires_at)], ignore_conflicts=True)


def revoke_all(debtor: Debtor) -> None:
    """End all tokens of a debtor, of the API and of the pages."""
    Debtor.objects.filter(pk=debtor.pk).update(token_version=F("token_version") + 1)


def delete_expired(*, now: datetime) -> int:
    """Delete revoked tokens that have expired. Return their number."""
    return delete_in_batches(RevokedDebtorToken.objects.filter(expires_at__lt=now))


def _read(text: str, kind: type[_Kind]) -> tuple[_Kind, uuid.UUID]:
    try:
        token = kind(text)  # type: ignore[arg-type]  # simplejwt's annotation is wrong
        return token, uuid.UUID(str(token["jti"]))
    except (TokenError, ValueError) as error:
        raise BadToken from error
