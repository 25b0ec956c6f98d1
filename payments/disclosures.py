"""The disclosure that card schemes demand of collectors before the payment page: who is owed, by which reference, for what.

Visa asks for it of merchants of category 7322: the original creditor, the reference, the date or a description, and a contact for
questions. The text shown is kept with the intent, under the version of its form.
"""

from collections.abc import Iterable
from typing import Any

from agency import profile
from collection.models import Debt

#: A change of the members below, or of the page that shows them, is a new version.
VERSION = "2026-11"


def of(debts: Iterable[Debt]) -> dict[str, Any]:
    """Return the disclosure of debts, as it is shown and kept: ``debts`` and ``contact``."""
    agency = profile.current()
    return {
        "debts": [
            {
                "creditor": debt.original_creditor,
                "reference": str(debt),
                "date": (debt.due_date or debt.placement_date).isoformat(),
                "description": debt.creditor.debt_kind,
            }
            for debt in debts
        ],
        "contact": {"name": agency.name, "phone": agency.phone, "email": agency.email, "address": agency.address},
    }
