"""The claim account on the page of a debt, and what it would take to pay it on a day."""

from datetime import date
from typing import Any

from django.urls import reverse

from casework.admin.timeline.records import entry_words
from casework.admin.words import styled
from collection.admin.account_forms import ACTIONS
from collection.balances import accounts, statement
from collection.balances.statement import StatementLine
from collection.models import Debt
from ddc.common import days
from ddc.common.errors import DomainError


def context(debt: Debt, asked: str, *, today: date, user: Any) -> dict[str, Any]:
    """Return the values of the template; ``asked`` is the day of the payment, today if it can't be read."""
    found = accounts.payoff(debt, _day(asked, today))
    currency = debt.currency_code
    parts = found.balances
    owed = [("Costs", parts.costs), ("Fees", parts.fees), ("Interest", parts.interest), ("Principal", parts.principal)]
    page = "admin:collections_debt_"
    return {
        "lines": [_shown(line, currency) for line in statement.lines(debt)],
        "owed": [(name, styled(part, currency)) for name, part in [*owed, ("Balance", parts.total)]],
        "payoff": {
            "day": found.day,
            "amount": styled(found.amount, currency),
            "accrued": styled(found.accrued, currency) if found.accrued else "",
        },
        "actions": [
            {"label": label, "url": reverse(f"{page}{name}", args=[debt.pk])}
            for name, (label, permission) in ACTIONS.items()
            if debt.is_open and user.has_perm(permission)
        ],
    }


def _day(asked: str, today: date) -> date:
    try:
        found = date.fromisoformat(asked)
        days.plausible("due_date", today=today).check(found, field="on")
    except (ValueError, DomainError):
        return today
    return found


def _shown(line: StatementLine, currency: str) -> dict[str, Any]:
    change = line.change
    amounts = {"costs": change.costs + change.fees, "interest": change.interest, "principal": change.principal}
    shown = {name: styled(part, currency) if part else "" for name, part in amounts.items()}
    words = entry_words(line.kind, line.cause)
    basis = line.cause.get("ruleCode") or line.cause.get("legalBasis") or line.cause.get("reason") or ""
    text = f"{words}: {basis.replace('_', ' ')}" if basis else words
    return shown | {
        "day": f"{line.day.day} {line.day:%b %Y}",
        "words": text,
        "balance": styled(line.balances.total, currency),
    }
