"""Do random operations with receipts and credits: ``python -m tests.deep.receipts_worker SEED OPERATIONS THREADS``.

Prints one line per finished operation, so that a test sees its progress and can kill it.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import django

django.setup()

from agents.models import Agent  # noqa: E402
from collection import debts  # noqa: E402
from collection.models import Debt  # noqa: E402
from ddc.common.errors import DomainError  # noqa: E402
from payments import credits, posting, receipts, returns  # noqa: E402
from payments.models import Credit, Payment, Receipt, ReceiptAllocation, Refund  # noqa: E402
from tests.deep import random_operations  # noqa: E402

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
WHEN: dict[str, Any] = {"by": None, "today": TODAY, "now": NOW}


class NothingToDoYet(DomainError):
    """No row of the model exists yet."""


def amount(rng: random.Random) -> Decimal:
    return Decimal(rng.randrange(1, 20_000)).scaleb(-2)


def any_of(rng: random.Random, model: Any, *, newest: int = 60) -> Any:
    rows = list(model.objects.all()[:newest])
    if not rows:
        raise NothingToDoYet
    return rng.choice(rows)


def record(rng: random.Random) -> None:
    reference = rng.choice([any_of(rng, Debt).external_reference, "", "?"])
    fields = {"source": "bank", "provider": "A", "provider_id": str(rng.randrange(2_000)), "currency_code": "GBP"}
    receipts.record(**fields, amount=amount(rng), reference=reference, **WHEN)


def overpay(rng: random.Random) -> None:
    posting.record(debt=any_of(rng, Debt), amount=5 * amount(rng), overpayment="credit", by=None, today=TODAY, now=NOW)


def book(rng: random.Random) -> None:
    lines = [receipts.Line(any_of(rng, Debt), amount(rng), rng.random() < 0.3) for _ in range(rng.randint(1, 3))]
    receipts.book(any_of(rng, Receipt), lines, **WHEN)


def book_to(rng: random.Random) -> None:
    receipts.book_to(any_of(rng, Receipt), any_of(rng, Debt), **WHEN)


def undo(rng: random.Random) -> None:
    receipts.undo(any_of(rng, ReceiptAllocation), **WHEN)


def void(rng: random.Random) -> None:
    posting.void(any_of(rng, Payment), by=None, today=TODAY)


def apply(rng: random.Random) -> None:
    credit = any_of(rng, Credit)
    debt = rng.choice(list(Debt.objects.filter(debtor=credit.debtor_id)))
    credits.apply(credit, debt=debt, amount=amount(rng), **WHEN)


def refund(rng: random.Random) -> None:
    by = rng.choice(list(Agent.objects.all()))
    source = rng.randrange(3)
    if source == 0:
        returns.propose_refund(any_of(rng, Payment), amount=amount(rng), by=by, now=NOW)
    elif source == 1:
        credits.propose_refund(any_of(rng, Credit), amount=amount(rng), reason="x", by=by, now=NOW)
    else:
        credits.propose_refund_of_receipt(any_of(rng, Receipt), amount=amount(rng), reason="x", by=by, now=NOW)


def decide(rng: random.Random) -> None:
    decision = rng.choice([credits.approve, credits.reject])
    decision(any_of(rng, Refund), by=rng.choice(list(Agent.objects.all())), now=NOW, note="x")


def close(rng: random.Random) -> None:
    status = rng.choice(["settled", "recalled", *["active"] * 4])
    debts.amend(any_of(rng, Debt), by=None, today=TODAY, current_status=status)


def adjust(rng: random.Random) -> None:
    debts.amend(any_of(rng, Debt), by=None, today=TODAY, current_balance=10 * amount(rng))


OPERATIONS: list[Callable[[random.Random], object]] = [
    record, overpay, book, book_to, undo, void, apply, refund, decide, close, adjust,
]  # fmt: skip
WEIGHTS = [8, 2, 4, 3, 4, 2, 4, 3, 3, 1, 3]


if __name__ == "__main__":
    random_operations.work(OPERATIONS, WEIGHTS)
