"""Authenticate debtors by their tokens."""

from dataclasses import dataclass
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from agents.authentication import bearer
from debtors.models import Debtor
from portal import tokens


@dataclass(frozen=True)
class Caller:
    """A signed-in debtor with the token of this request: ``request.user`` on the paths for debtors."""

    debtor: Debtor
    token: str

    is_authenticated = True
    is_staff = False

    @property
    def pk(self) -> Any:
        return self.debtor.pk


class DebtorAuthentication(BaseAuthentication):
    """``Authorization: Bearer`` with a debtor's token."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        token = bearer(request)
        if token is None:
            return None
        try:
            return Caller(tokens.owner(token), token), None
        except tokens.BadToken as error:
            raise AuthenticationFailed(error.message) from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class DebtorPermission(BasePermission):
    """Allow signed-in debtors, who see only their own data."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Caller)
