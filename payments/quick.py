"""A payment that is recorded in two statements: who pays what, and the payment with all that it posts.

It waits for no lock and opens no transaction. Where the debt was written by somebody else in between, nothing is recorded here,
and the ordinary way takes the lock.
"""

from io import BytesIO
from typing import cast

import orjson
from django.db import IntegrityError, connection
from django.http import HttpRequest
from django.utils.timezone import now
from rest_framework.exceptions import ParseError, ValidationError

from agents.models import Agent
from collection.models import Debt
from ddc.common import rows
from ddc.common.api.parser import ExactJSONParser
from ddc.common.api.quick import ask
from ddc.common.api.serializers import reader, write
from ddc.common.errors import DomainError
from payments import posting
from payments.models import PaymentStatus
from payments.serializers import PaymentSerializer

#: What the rules ask of a debt.
_NAMES = ("id", "currency_code", "current_balance", "current_status", "status_before_closing")
_SELECT = ", ".join(f"debt.{column}" for column in (*_NAMES, rows.VERSION))
#: The debt, unless the payment is there already.
_JOIN = """JOIN debt ON debt.id = %(debt)s
    AND NOT EXISTS (SELECT FROM payment WHERE processor_txn_id = %(transaction)s)"""


def record(request: HttpRequest) -> bytes | None:
    """Record a completed payment and return it; None, and nothing written, where the ordinary view has to answer."""
    if request.content_type != "application/json" or request.GET or "HTTP_IDEMPOTENCY_KEY" in request.META:
        return None
    reads = reader(PaymentSerializer, False)
    try:
        body = ExactJSONParser().parse(BytesIO(request.body))
        terms = reads.run_validation(body)
    except (ParseError, ValidationError):
        return None
    terms.pop("updated_at", None)
    if (
        not reads.fields.keys() >= body.keys()
        or terms.get("status", PaymentStatus.COMPLETED) != PaymentStatus.COMPLETED
    ):
        return None
    asked = {"debt": terms.pop("debt").pk, "transaction": terms.get("processor_txn_id")}
    row = ask(request, "payments.add_payment", _SELECT, asked, join=_JOIN)
    if row is None:
        return None
    agent = cast(Agent, request.user)
    debt = Debt.from_db(connection.alias, _NAMES, row[:-1])
    try:
        payment = posting.record_unlocked(debt=debt, version=row[-1], by=agent, today=now().date(), **terms)
    except (DomainError, IntegrityError, rows.Changed):
        return None
    return orjson.dumps(write(PaymentSerializer, payment))
