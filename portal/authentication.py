"""How debtors are known again."""

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
    """A debtor who is signed in, with the token of this request; ``request.user`` on the debtors' paths."""

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
    """A debtor who is signed in, and sees what is theirs."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Caller)
