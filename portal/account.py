"""Load what the portal shows of a debtor's account."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from collection.balances import totals
from collection.models import Debt, DeferralRequest, Dispute
from communications.texts import formats
from contact.models import ValidationNotice
from ddc.common.days import agency_today
from debtors import calendars
from debtors.models import Debtor

#: The pages are in English, including amounts.
_LANGUAGE = "en"
_MAX_ROWS = 200

_STATES = {
    "active": "Open",
    "payment_plan": "Open, with a payment plan",
    "deferred": "Open, with more time granted",
    "disputed": "Disputed. We are looking into it.",
    "paid": "Paid, thank you",
    "settled": "Settled",
    "written_off": "Closed. You have nothing left to pay.",
    "recalled": "Returned to the creditor. Please do not pay us.",
}
_OUTCOMES = {
    "received": "We have received it. You do not have to pay the disputed amount for now.",
    "awaiting_creditor": "We have asked the creditor. You do not have to pay the disputed amount for now.",
    "verified": "The creditor has proved that you owe it.",
    "adjusted": "We have corrected the debt.",
    "withdrawn": "You withdrew it.",
    "recalled": "The creditor has taken the debt back.",
}
_DECISIONS = {"pending": "We are looking at it.", "approved": "Granted", "rejected": "Not granted"}


@dataclass(frozen=True)
class DebtRow:
    debt: Debt
    balance: str
    due: date | None
    overdue: bool
    state: str
    may_request: bool
    has_requested: bool
    disputed: str | None
    may_dispute: bool
    dispute_by: date | None


@dataclass(frozen=True)
class Account:
    """A debtor's debts with their sums, requests for more time, and disputes; these with their states in words."""

    debts: list[DebtRow]
    sums: list[str]
    requests: list[tuple[DeferralRequest, str]]
    disputes: list[tuple[Dispute, str, str]]


def load(debtor: Debtor, *, now: datetime) -> Account:
    """Load a debtor's account: the newest 200 debts, requests and disputes, by the debtor's day."""
    today = calendars.today(debtor, at=now)
    requests = list(DeferralRequest.objects.filter(debtor=debtor).select_related("debt__creditor")[:_MAX_ROWS])
    pending = {request.debt_id for request in requests if request.status == DeferralRequest.Status.PENDING}
    disputes = list(Dispute.objects.filter(debt__debtor=debtor).select_related("debt__creditor")[:_MAX_ROWS])
    disputed = {dispute.debt_id for dispute in disputes if dispute.is_open}
    debts = list(Debt.objects.filter(debtor=debtor).select_related("creditor")[:_MAX_ROWS])
    notices = ValidationNotice.objects.in_bulk([debt.pk for debt in debts])
    outstanding = totals.outstanding([debtor.pk], today=agency_today(now), undisputed=True)[debtor.pk]
    return Account(
        debts=[_debt(debt, pending, disputed, notices.get(debt.pk), today) for debt in debts],
        sums=[
            formats.amount(part.amount, part.currency_code, language=_LANGUAGE)
            for part in outstanding.by_currency
            if part.amount
        ],
        requests=[(request, _DECISIONS[request.status]) for request in requests],
        disputes=[(dispute, _portion(dispute), _OUTCOMES[dispute.status]) for dispute in disputes],
    )


def _debt(
    debt: Debt, pending: set[uuid.UUID], disputed: set[uuid.UUID], notice: ValidationNotice | None, today: date
) -> DebtRow:
    return DebtRow(
        debt=debt,
        balance=formats.amount(debt.undisputed, debt.currency_code, language=_LANGUAGE),
        due=debt.due_date if debt.is_open else None,
        overdue=bool(debt.is_open and debt.due_date and debt.due_date < today),
        state=_STATES[debt.current_status],
        may_request=debt.is_open and debt.pk not in pending,
        has_requested=debt.is_open and debt.pk in pending,
        disputed=formats.amount(min(debt.disputed_amount, debt.current_balance), debt.currency_code, language=_LANGUAGE)
        if debt.is_open and debt.disputed_amount
        else None,
        may_dispute=debt.is_open and debt.pk not in disputed,
        dispute_by=notice.period_ends_on if notice and today <= notice.period_ends_on else None,
    )


def _portion(dispute: Dispute) -> str:
    if dispute.portion is None:
        return "The whole debt"
    return formats.amount(dispute.portion, dispute.currency_code, language=_LANGUAGE)
