"""What the portal's page shows a debtor of their own affairs. It only reads."""

import uuid
from dataclasses import dataclass
from datetime import date

from collection import totals
from collection.models import Debt, DeferralRequest
from communications import wording
from debtors.models import Debtor

#: The pages are in English, and so are their amounts and dates.
_LANGUAGE = "en"
_MOST = 200

_STATES = {
    "active": "Open",
    "payment_plan": "Open, with a payment plan",
    "deferred": "Open, with more time granted",
    "disputed": "Disputed; we are looking into it",
    "paid": "Paid, thank you",
    "settled": "Settled",
    "written_off": "Closed; nothing is left to pay",
    "recalled": "Back with the creditor; nothing is to be paid to us",
}
_DECISIONS = {"pending": "We are looking at it", "approved": "Granted", "rejected": "Not granted"}


@dataclass(frozen=True)
class DebtInWords:
    debt: Debt
    balance: str
    due: str | None
    overdue: bool
    state: str
    may_ask: bool
    has_asked: bool


@dataclass(frozen=True)
class RequestInWords:
    request: DeferralRequest
    asked: str
    state: str


@dataclass(frozen=True)
class Account:
    """Debts, what they add up to, and the requests for more time."""

    debts: list[DebtInWords]
    sums: list[str]
    requests: list[RequestInWords]


def of(debtor: Debtor, *, today: date) -> Account:
    """Put a debtor's account into words; the newest 200 of each."""
    requests = list(DeferralRequest.objects.filter(debtor=debtor).select_related("debt")[:_MOST])
    pending = {request.debt_id for request in requests if request.status == DeferralRequest.Status.PENDING}
    outstanding = totals.outstanding([debtor.pk], today=today)[debtor.pk]
    return Account(
        debts=[_debt(debt, pending, today) for debt in Debt.objects.filter(debtor=debtor)[:_MOST]],
        sums=[wording.amount(part.amount, part.currency_code, language=_LANGUAGE) for part in outstanding.by_currency],
        requests=[RequestInWords(asked, _day(asked.created_at.date()), _DECISIONS[asked.status]) for asked in requests],
    )


def _debt(debt: Debt, pending: set[uuid.UUID], today: date) -> DebtInWords:
    return DebtInWords(
        debt=debt,
        balance=wording.amount(debt.current_balance, debt.currency_code, language=_LANGUAGE),
        due=_day(debt.due_date) if debt.due_date and debt.is_open else None,
        overdue=bool(debt.is_open and debt.due_date and debt.due_date < today),
        state=_STATES[debt.current_status],
        may_ask=debt.is_open and debt.pk not in pending,
        has_asked=debt.is_open and debt.pk in pending,
    )


def _day(value: date) -> str:
    return wording.day(value, language=_LANGUAGE)
