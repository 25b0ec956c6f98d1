"""Calls that are not taken in."""

from dataclasses import dataclass

from ddc.common.errors import DomainError, Forbidden


class NotAuthentic(Forbidden):
    """Not signed by a provider that is configured here."""

    message = "This call is not signed by a provider that is configured here."


class Unreadable(DomainError):
    """It is the provider's, and still makes no sense."""

    status = 422
    message = "This call can't be read."


@dataclass(frozen=True)
class Challenge(Exception):
    """Amazon SNS sends its credentials only after it was asked for them."""

    realm: str
