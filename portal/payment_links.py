"""Payment links: a signed link to the page that asks a debtor to pay something."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction

from agents.models import Agent
from debtors.models import Debtor
from payments import payment_requests
from portal import links
from portal.links import Purpose


class PaymentLink(NamedTuple):
    """Its address, which only the caller has: the database keeps a hash; and when it expires."""

    url: str
    expires_at: datetime
    amount: Decimal | None
    currency_code: str


@transaction.atomic
def create(debtor: Debtor, *, by: Agent, now: datetime, **asked: Any) -> PaymentLink:
    """Create a link that leads a debtor, after the second question, to pay what is asked; see ``payment_requests.create``.

    :raises DomainError: as ``payment_requests.create`` does
    """
    request = payment_requests.create(debtor, by=by, now=now, **asked)
    url = links.create(debtor, Purpose.PAY, subject=request.pk, expires_at=request.expires_at, now=now)
    return PaymentLink(url, request.expires_at, request.amount, request.currency_code)
