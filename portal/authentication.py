"""Authenticate debtors by their tokens."""

from dataclasses import dataclass
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from agents.authentication import BearerAuthentication
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


class DebtorAuthentication(BearerAuthentication):
    """Authenticate debtors by their tokens."""

    def caller(self, token: str) -> Caller:
        return Caller(tokens.owner(token), token)


class DebtorPermission(BasePermission):
    """Allow signed-in debtors, who see only their own data."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Caller)
