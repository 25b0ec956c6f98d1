"""Receipts for tests."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from collection.models import Debt
from payments import receipts, reconciliation
from payments.models import Receipt

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
_numbers = itertools.count(1)


def receipt(amount: str | int, reference: str = "", **values: Any) -> Receipt:
    """Record a receipt as the bank reports it."""
    fields = {
        "source": "bank",
        "provider": "Trust account",
        "provider_id": f"L{next(_numbers)}",
        "currency_code": "GBP",
    }
    return receipts.record(
        **{
            **fields,
            "amount": Decimal(amount),
            "reference": reference,
            "by": None,
            "today": TODAY,
            "now": NOW,
            **values,
        }
    )


def reason(receipt: Receipt) -> str | None:
    """Return why the receipt waits in suspense, or None if it doesn't."""
    row = Receipt.objects.select_related("suspense").get(pk=receipt.pk)
    return row.suspense.reason if hasattr(row, "suspense") else None


def booked(receipt: Receipt) -> list[tuple[str, Decimal]]:
    """Return the unreversed parts of a receipt, oldest first."""
    rows = receipt.allocations.filter(reverses=None, reversed_by=None).order_by("created_at", "id")
    return [(row.kind, row.amount) for row in rows]


def balance(debt: Debt) -> Decimal:
    debt.refresh_from_db()
    return debt.current_balance


def no_difference() -> bool:
    found = list(reconciliation.differences())
    assert found == []
    return True
