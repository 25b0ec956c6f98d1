"""What the portal's page shows a debtor of their own affairs. It only reads."""

import uuid
from dataclasses import dataclass
from datetime import date

from collection.balances import totals
from collection.models import Debt, DeferralRequest, Dispute
from communications.models import FirstNotice
from communications.texts import formats
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
_OUTCOMES = {
    "received": "We have it, and ask nothing of what you dispute",
    "awaiting_creditor": "We have asked the creditor, and ask nothing of what you dispute",
    "verified": "The creditor has shown that it is owed",
    "adjusted": "The debt was corrected",
    "withdrawn": "You took it back",
    "recalled": "The creditor has taken the debt back",
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
    disputed: str | None
    may_dispute: bool
    dispute_by: str | None


@dataclass(frozen=True)
class RequestInWords:
    request: DeferralRequest
    asked: str
    state: str


@dataclass(frozen=True)
class DisputeInWords:
    dispute: Dispute
    portion: str
    received: str
    state: str


@dataclass(frozen=True)
class Account:
    """Debts, what they add up to, the requests for more time, and the disputes."""

    debts: list[DebtInWords]
    sums: list[str]
    requests: list[RequestInWords]
    disputes: list[DisputeInWords]


def of(debtor: Debtor, *, today: date) -> Account:
    """Put a debtor's account into words; the newest 200 of each."""
    requests = list(DeferralRequest.objects.filter(debtor=debtor).select_related("debt")[:_MOST])
    pending = {request.debt_id for request in requests if request.status == DeferralRequest.Status.PENDING}
    disputes = list(Dispute.objects.filter(debt__debtor=debtor).select_related("debt")[:_MOST])
    disputed = {dispute.debt_id for dispute in disputes if dispute.is_open}
    debts = list(Debt.objects.filter(debtor=debtor)[:_MOST])
    notices = FirstNotice.objects.in_bulk([debt.pk for debt in debts])
    outstanding = totals.outstanding([debtor.pk], today=today, undisputed=True)[debtor.pk]
    return Account(
        debts=[_debt(debt, pending, disputed, notices.get(debt.pk), today) for debt in debts],
        sums=[
            formats.amount(part.amount, part.currency_code, language=_LANGUAGE)
            for part in outstanding.by_currency
            if part.amount
        ],
        requests=[RequestInWords(asked, _day(asked.created_at.date()), _DECISIONS[asked.status]) for asked in requests],
        disputes=[_dispute(dispute) for dispute in disputes],
    )


def _debt(
    debt: Debt, pending: set[uuid.UUID], disputed: set[uuid.UUID], notice: FirstNotice | None, today: date
) -> DebtInWords:
    within = notice is not None and today <= notice.period_ends_on
    return DebtInWords(
        debt=debt,
        balance=formats.amount(debt.undisputed, debt.currency_code, language=_LANGUAGE),
        due=_day(debt.due_date) if debt.due_date and debt.is_open else None,
        overdue=bool(debt.is_open and debt.due_date and debt.due_date < today),
        state=_STATES[debt.current_status],
        may_ask=debt.is_open and debt.pk not in pending,
        has_asked=debt.is_open and debt.pk in pending,
        disputed=formats.amount(min(debt.disputed_amount, debt.current_balance), debt.currency_code, language=_LANGUAGE)
        if debt.is_open and debt.disputed_amount
        else None,
        may_dispute=debt.is_open and debt.pk not in disputed,
        dispute_by=_day(notice.period_ends_on) if notice and within else None,
    )


def _dispute(dispute: Dispute) -> DisputeInWords:
    portion = "All of it"
    if dispute.portion is not None:
        portion = formats.amount(dispute.portion, dispute.currency_code, language=_LANGUAGE)
    return DisputeInWords(dispute, portion, _day(dispute.received_at.date()), _OUTCOMES[dispute.status])


def _day(value: date) -> str:
    return formats.day(value, language=_LANGUAGE)
