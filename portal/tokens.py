"""Debtors' tokens, which differ from those of staff in key, audience and type. They are ended singly or all at once."""

import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Exists
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from agents.tokens import BadToken, RotatedTokenBackend
from ddc.common.postgresql.batches import delete_in_batches
from debtors.models import Debtor
from portal.models import RevokedDebtorToken


class DebtorToken(Token):
    token_type = "debtor"  # noqa: S105
    lifetime = timedelta(seconds=settings.DEBTOR_TOKEN_SECONDS)
    _token_backend = RotatedTokenBackend(
        settings.DEBTOR_TOKEN_KEY, settings.DEBTOR_TOKEN_KEY_FALLBACKS, audience="ddc:debtor", issuer="ddc"
    )


def issue(debtor: Debtor, *, now: datetime) -> tuple[str, datetime]:
    """Return a token and its expiry. It also ends when the debtor's ``token_version`` changes."""
    token = DebtorToken()
    token.set_iat(at_time=now)
    token.set_exp(from_time=now)
    token["sub"], token["ver"] = str(debtor.pk), debtor.token_version
    return str(token), datetime.fromtimestamp(token["exp"], UTC)


def owner(text: str) -> Debtor:
    """Return the debtor of a token, in one query.

    :raises BadToken: if it is invalid, expired or revoked, or the debtor's phone has changed since
    """
    token, jti = _read(text)
    try:
        debtor_id, version = uuid.UUID(str(token["sub"])), int(token["ver"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadToken from error
    revoked = RevokedDebtorToken.objects.filter(jti=jti)
    debtor = Debtor.objects.filter(~Exists(revoked), pk=debtor_id, token_version=version).first()
    if debtor is None:
        raise BadToken
    return debtor


def revoke(text: str) -> None:
    """End a token for good.

    :raises BadToken: if it is invalid or has expired
    """
    token, jti = _read(text)
    expires_at = datetime.fromtimestamp(token["exp"], UTC)
    RevokedDebtorToken.objects.bulk_create([RevokedDebtorToken(jti=jti, expires_at=expires_at)], ignore_conflicts=True)


def delete_expired(*, now: datetime) -> int:
    """Delete revoked tokens that have expired. Return their number."""
    return delete_in_batches(RevokedDebtorToken.objects.filter(expires_at__lt=now))


def _read(text: str) -> tuple[DebtorToken, uuid.UUID]:
    try:
        token = DebtorToken(text)  # type: ignore[arg-type]  # simplejwt's annotation is wrong
        return token, uuid.UUID(str(token["jti"]))
    except (TokenError, ValueError) as error:
        raise BadToken from error
