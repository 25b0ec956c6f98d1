"""Staff tokens: short-lived access tokens and single-use refresh tokens; the agent of any token, API tokens included.

All tokens of one sign-in form a family and are revoked together. A refresh token that is used a second time was probably
stolen, so its whole family is revoked (RFC 9700, section 4.14.2). A family ends 30 days after the sign-in.

Every token belongs to one ``token_version`` of its agent. A database trigger increases the version with each new password, with
deactivation and with the loss of staff status, which ends all earlier tokens for good.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import Token

from agents import api_tokens
from agents.models import Agent, SpentRefreshToken, TokenFamily
from ddc.common.errors import DomainError, refusing
from ddc.common.postgresql.batches import delete_in_batches

_FAMILY_LIFETIME = timedelta(seconds=settings.TOKEN_FAMILY_SECONDS)


class BadToken(DomainError):
    """The token is invalid, expired or revoked, or its agent may no longer sign in."""

    status = 401
    code = "token"
    message = "The token is invalid or expired. Sign in again."


class AlreadyUsed(BadToken):
    """The refresh token was used before."""


class RotatedTokenBackend(TokenBackend):
    """Sign with the current key, and accept tokens that an old key signed."""

    def __init__(self, key: str, old_keys: list[str], *, audience: str, issuer: str) -> None:
        super().__init__("HS256", key, audience=audience, issuer=issuer)
        self._old = [TokenBackend("HS256", old, audience=audience, issuer=issuer) for old in old_keys]

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the claims of a token.

        :raises TokenBackendError: if no key signed it, or it has expired
        """
        try:
            return super().decode(token, verify)
        except TokenBackendError:
            for backend in self._old:
                try:
                    return backend.decode(token, verify)
                except TokenBackendError:
                    continue
            raise


class StaffToken(Token):
    """A token with an audience that no other kind of token has."""

    _token_backend = RotatedTokenBackend(
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS, audience="ddc:staff", issuer="ddc"
    )


class AccessToken(StaffToken):
    token_type = "access"  # noqa: S105
    lifetime = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)


class RefreshToken(StaffToken):
    token_type = "refresh"  # noqa: S105
    lifetime = timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)


@dataclass(frozen=True)
class Pair:
    """An access token and the refresh token that renews it."""

    access: str
    refresh: str


@transaction.atomic
def issue(agent: Agent, *, now: datetime) -> Pair:
    """Start a token family for a sign-in and return its first pair.

    The tokens belong to the version of ``agent`` as it was read: a password that has changed since makes them invalid.
    """
    return _pair(TokenFamily.objects.create(agent=agent, token_version=agent.token_version, created_at=now), now)


def rotate(refresh: str, *, now: datetime) -> Pair:
    """Exchange a refresh token for a new pair. Of simultaneous requests with one token, only one succeeds.

    :raises BadToken: if it is not a valid refresh token, or its agent may no longer sign in
    :raises AlreadyUsed: if it was used before; this revokes its family
    """
    token = _read(RefreshToken, refresh)
    try:
        return _exchange(token, now)
    except AlreadyUsed:
        # In its own transaction: the family stays revoked although the request fails.
        _revoke(TokenFamily.objects.filter(pk=_claimed_id(token, "family")), now)
        raise


def revoke(refresh: str, *, now: datetime) -> None:
    """Revoke the family of a refresh token.

    :raises BadToken: if it is not a refresh token, or is expired
    """
    token = _read(RefreshToken, refresh)
    _revoke(TokenFamily.objects.filter(pk=_claimed_id(token, "family")), now)


def revoke_families(agent: Agent, *, now: datetime) -> None:
    """End all sign-ins of an agent over the API. API tokens stay valid."""
    _revoke(TokenFamily.objects.filter(agent=agent), now)


def revoke_all(agent: Agent) -> None:
    """End all access, refresh and API tokens of an agent."""
    Agent.objects.filter(pk=agent.pk).update(token_version=F("token_version") + 1)


@dataclass(frozen=True)
class LookUp:
    """SQL that finds the agent of a token; it finds none if the token is revoked or the agent may no longer sign in."""

    source: str
    params: dict[str, Any]

    #: The agent's id, whether it is a superuser, and the ids of its groups and of its individual permissions.
    columns = """agent.id, agent.is_superuser,
        ARRAY(SELECT group_id FROM "USER_groups" WHERE agent_id = agent.id),
        ARRAY(SELECT permission_id FROM "USER_user_permissions" WHERE agent_id = agent.id)"""
    width = 4


def look_up(text: str) -> LookUp:
    """Return the SQL that finds the agent of an access token or API token, for use in a larger statement too.

    :raises BadToken: if it is neither of the two, or is expired
    """
    if text.startswith(api_tokens.PREFIX):
        return LookUp(_OF_API_CALLER, {"digest": api_tokens.digest(text)})
    token = _read(AccessToken, text)
    return LookUp(_OF_SIGNED_IN, {"agent": _claimed_id(token, "sub"), "family": _claimed_id(token, "family")})


def owner(text: str) -> tuple[Agent, list[int], list[int]]:
    """Return the agent of an access token or API token, with the ids of the agent's groups and individual permissions.

    :raises BadToken: if it is neither, or is expired or revoked, or its agent may no longer sign in
    """
    lookup = look_up(text)
    fields = Agent._meta.concrete_fields
    columns = ", ".join(f"agent.{field.column}" for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lookup.columns}, {columns} FROM {lookup.source}", lookup.params)  # noqa: S608
        row = cursor.fetchone()
    if row is None:
        raise BadToken
    agent = Agent.from_db("default", [field.attname for field in fields], row[lookup.width :])
    return agent, row[2], row[3]


_OF_API_CALLER = """"USER" AS agent JOIN api_token
        ON api_token.agent_id = agent.id AND api_token.token_version = agent.token_version
    WHERE api_token.digest = %(digest)s AND api_token.revoked_at IS NULL AND agent.is_active AND agent.is_staff
        AND (api_token.expires_at IS NULL OR api_token.expires_at > statement_timestamp())"""
_OF_SIGNED_IN = """"USER" AS agent JOIN token_family
        ON token_family.agent_id = agent.id AND token_family.token_version = agent.token_version
    WHERE agent.id = %(agent)s AND token_family.id = %(family)s AND token_family.revoked_at IS NULL
        AND agent.is_active AND agent.is_staff"""


def delete_expired(*, now: datetime) -> int:
    """Delete the families without a valid refresh token, and their used tokens; return the number of families."""
    cutoff = now - timedelta(seconds=settings.REFRESH_TOKEN_SECONDS + settings.ACCESS_TOKEN_SECONDS)
    recent = SpentRefreshToken.objects.filter(family=OuterRef("pk"), spent_at__gte=cutoff)
    deleted = delete_in_batches(TokenFamily.objects.filter(~Exists(recent), created_at__lt=cutoff))
    delete_in_batches(SpentRefreshToken.objects.filter(spent_at__lt=cutoff))
    return deleted


@transaction.atomic
def _exchange(token: RefreshToken, now: datetime) -> Pair:
    family = TokenFamily.objects.filter(
        pk=_claimed_id(token, "family"),
        revoked_at__isnull=True,
        created_at__gt=now - _FAMILY_LIFETIME,
        token_version=F("agent__token_version"),
        agent__is_active=True,
        agent__is_staff=True,
    ).first()
    if family is None:
        raise BadToken
    mark_used(token, family, now)
    return _pair(family, now)


def mark_used(token: RefreshToken, family: TokenFamily, now: datetime) -> None:
    """Record the use of a refresh token.

    :raises AlreadyUsed: if it was used before
    """
    with refusing({"spent_refresh_token_pkey": AlreadyUsed()}):
        SpentRefreshToken(jti=_claimed_id(token, "jti"), family=family, spent_at=now).save(force_insert=True)


def _pair(family: TokenFamily, now: datetime) -> Pair:
    ends = family.created_at + _FAMILY_LIFETIME

    def make(kind: type[StaffToken]) -> str:
        token = kind()
        token.set_iat(at_time=now)
        token.set_exp(from_time=now, lifetime=min(kind.lifetime or _FAMILY_LIFETIME, ends - now))
        token["sub"], token["family"] = str(family.agent_id), str(family.pk)
        return str(token)

    return Pair(make(AccessToken), make(RefreshToken))


_Kind = TypeVar("_Kind", bound=StaffToken)


def _read(kind: type[_Kind], text: str) -> _Kind:
    try:
        return kind(text)  # type: ignore[arg-type]  # simplejwt's own annotation is wrong
    except (TokenError, ValueError) as error:
        raise BadToken from error


def _claimed_id(token: StaffToken, claim: str) -> uuid.UUID:
    try:
        return uuid.UUID(str(token[claim]))
    except (KeyError, ValueError) as error:
        raise BadToken from error


def _revoke(families: QuerySet[TokenFamily], now: datetime) -> None:
    families.filter(revoked_at__isnull=True).update(revoked_at=now, updated_at=now)
