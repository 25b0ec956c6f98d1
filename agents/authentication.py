"""Sign-in and authentication of staff and their programs."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import authenticate, user_logged_in
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from agents import api_tokens, roles, second_factor, sign_in_limits, tokens
from agents.models import Agent
from ddc.common.callers import client_ip
from ddc.common.errors import DomainError


class WrongCredentials(DomainError):
    """The user name or the password is wrong, or the user may not sign in; the error does not reveal which."""

    status = 401
    code = "credentials"
    message = "The user name or the password is wrong."


def bearer(request: Request | HttpRequest) -> str | None:
    """Return the token of an ``Authorization: Bearer`` header; None without that header.

    :raises AuthenticationFailed: if the header has another form
    """
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    if not header.strip():
        return None
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or not token.isascii() or " " in token:
        raise AuthenticationFailed("The Authorization header is malformed. Use the form: Bearer TOKEN.")
    return token


class BearerAuthentication(BaseAuthentication):
    """Authenticate by the token in ``Authorization: Bearer``."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        token = bearer(request)
        if token is None:
            return None
        try:
            return self.caller(token), None
        except tokens.BadToken as error:
            raise AuthenticationFailed(error.message) from error

    def caller(self, token: str) -> Any:
        """Return the caller who has the token.

        :raises BadToken: if it is invalid, expired or revoked
        """
        raise NotImplementedError

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class StaffAuthentication(BearerAuthentication):
    """Authenticate staff by an access token or API token, with one query."""

    def caller(self, token: str) -> Agent:
        agent, group_ids, own = tokens.owner(token)
        api_tokens.record_use(token, now=timezone.now())
        if not own:
            agent.granted = roles.permissions(group_ids)
        return agent

    @staticmethod
    def look_up(request: HttpRequest) -> tokens.LookUp | None:
        """Return the SQL that finds the caller, as part of a larger statement; None if the ordinary view must answer."""
        try:
            token = bearer(request)
            return tokens.look_up(token) if token else None
        except (AuthenticationFailed, tokens.BadToken):
            return None

    @staticmethod
    def record_use(request: HttpRequest) -> None:
        """Record the use of the token by which ``look_up`` found the caller."""
        api_tokens.record_use(bearer(request) or "", now=timezone.now())

    @staticmethod
    def may(found: Sequence[Any], permission: str) -> bool:
        """Return whether the roles of the caller from ``look_up`` include the permission."""
        _, is_superuser, group_ids, own = found
        return bool(is_superuser) or (not own and permission in roles.permissions(group_ids))


class LimitedBackend(ModelBackend):
    """Django's check of a password, after the attempt was counted. Only active staff may sign in."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Agent | None:
        """Return the agent, or None if the name or the password is wrong.

        :raises TooMany: after too many recent failures
        """
        if username is None or password is None:
            return None
        address = client_ip(request) if request else None
        with transaction.atomic(durable=True):  # No rollback of the caller takes the attempt back.
            sign_in_limits.begin_password(username, client_ip=address, now=timezone.now())
        return super().authenticate(request, username=username, password=password)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the permissions of an account and of its roles, in one query; Django's asks two for each page."""
        if not user_obj.is_active or user_obj.is_anonymous or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        if not hasattr(user_obj, "_perm_cache"):
            columns = ("content_type__app_label", "codename")
            own = Permission.objects.filter(user=user_obj).order_by().values_list(*columns)
            of_roles = Permission.objects.filter(group__user=user_obj).order_by().values_list(*columns)
            user_obj._perm_cache = {f"{app}.{name}" for app, name in own.union(of_roles)}
        return set(user_obj._perm_cache)

    def user_can_authenticate(self, user: Agent | AnonymousUser | None) -> bool:
        return super().user_can_authenticate(user) and bool(getattr(user, "is_staff", False))


def sign_in(request: Request, *, username: str, password: str, otp: str | None = None) -> Agent:
    """Check a user name and password, and a code where the account has a second factor.

    ``second_factor`` counts wrong codes per account. An account that has not set up its second factor yet signs in without: only
    the back office can lead a person through the set-up.

    :raises TooMany: after too many recent failures
    :raises WrongCredentials: if they are wrong, or the user is not staff or may not sign in
    :raises CodeRequired: if the account has a second factor and there is no code
    :raises WrongCode: if the code is wrong or was used before
    """
    user = authenticate(request=request, username=username, password=password)
    if not isinstance(user, Agent):
        raise WrongCredentials
    if second_factor.is_set_up(user):
        if not otp:
            raise second_factor.CodeRequired
        second_factor.verify(user, otp, now=timezone.now())
    user_logged_in.send(sender=Agent, request=request, user=user)
    return user
