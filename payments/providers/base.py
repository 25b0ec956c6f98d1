"""The protocol of a payment provider: one class in one file of this folder, and one line in ``registry.py``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from ddc.common.errors import DomainError, Forbidden, Invalid


class NotAuthentic(Forbidden):
    """The signature of an event is missing or wrong, or the provider is not the configured one."""

    message = "The signature is wrong."


class Unreadable(Invalid):
    """An authentic event lacks what every event of its provider has."""

    message = "This is no event of the provider."


class ProviderDown(DomainError):
    """The provider gave no answer, or refused the request. Nothing was paid."""

    status = 503
    message = "The card payment page can't be reached now. Nothing was paid. Try again later, or pay by bank transfer."


class Kind(StrEnum):
    """The changes of an intent that a provider reports, and its payouts to us."""

    CAPTURED = "captured"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    PAYOUT = "payout"


@dataclass(frozen=True)
class Order:
    """A payment to ask for. ``return_url`` is for a payer who has paid, ``cancel_url`` for one who gives up."""

    intent_id: UUID
    amount: Decimal
    currency: str
    description: str
    return_url: str
    cancel_url: str
    language: str
    expires_at: datetime


@dataclass(frozen=True)
class Page:
    """The provider's page on which the payer pays, and the provider's id of it."""

    provider_id: str
    url: str


@dataclass(frozen=True)
class Reported:
    """The content of an event, or the answer to a query of a status.

    ``amount`` is in ``currency``: the sum that was paid, all that was refunded so far, or what was charged back.
    """

    kind: Kind
    occurred_at: datetime
    #: Our id, if the provider tells it.
    intent_id: UUID | None = None
    #: The provider's ids of its page, of the payment, and of a charge-back or a payout.
    provider_id: str = ""
    payment_id: str = ""
    object_id: str = ""
    amount: Decimal | None = None
    currency: str = ""
    #: The reason of a failure, or the description of a payment that has no intent.
    text: str = ""


@dataclass(frozen=True)
class Payout:
    """A payout by the provider's account: the sum of its payments, less what went back to payers, less fees."""

    payout_id: str
    amount: Decimal
    currency: str
    paid_on: date
    paid: Decimal
    returned: Decimal
    fees: Decimal
    payment_ids: list[str]


class PaymentProvider(Protocol):
    """A provider of card payments and the like. Amounts are in the currency's major unit.

    ``create``, ``status``, ``refund`` and ``payout`` wait for the network, and raise ProviderDown if it does not answer.
    """

    #: The value of PAYMENT_PROVIDER, and the name in ``payment_intent.provider`` and in the events' address.
    name: str

    def create(self, order: Order) -> Page:
        """Open a page for a payment. The same order again gets the same page."""

    def status(self, provider_id: str) -> Reported | None:
        """Return what became of a page, None while it is open."""

    def verify(self, body: bytes, headers: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """Return the id of an event and the event as JSON.

        :raises NotAuthentic: if its signature is wrong or old
        :raises Unreadable: if it has no id
        """

    def parse(self, event: dict[str, Any]) -> Reported | None:
        """Return the content of an event, None if that changes nothing. Raise any exception if it can't be read."""

    def refund(self, *, payment_id: str, amount: Decimal, currency: str, key: str) -> str:
        """Pay money back to the payer, and return the provider's id of the refund; the same key again pays nothing more."""

    def payout(self, payout_id: str) -> Payout:
        """Return a payout with what it consists of."""
