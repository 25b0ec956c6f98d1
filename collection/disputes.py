"""Receive and decide disputes: the debtor contests a debt or a part of it, and the creditor is asked for proof.

The disputed portion is not collected from the time of receipt (12 CFR 1006.38(d)), also after the 30 days of the validation
notice. A debt disputed in full is ``disputed`` and on hold; of one disputed in part the rest may still be requested.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from agents.models import Agent, require_permission
from collection import deferrals, states, statuses
from collection.balances import accounts, ledger
from collection.holds import amendments, holds
from collection.models import Debt, DebtStatus, Dispute, Hold
from ddc.common import money
from ddc.common.days import agency_today
from ddc.common.errors import DomainError, Missing, OutOfRange, refusing
from debtors.models import Debtor

Status = Dispute.Status

#: Sent with ``dispute`` and ``now`` in the transaction that decides a dispute.
decided = Signal()


class DebtNotOpen(DomainError):
    message = "This debt is closed; there is nothing to dispute."


class AlreadyDisputed(DomainError):
    message = "This debt has an open dispute already."


class PortionExceedsBalance(OutOfRange):
    field = "portion"
    message = "This exceeds the open balance. Enter a smaller amount."


class ReceivedInFuture(OutOfRange):
    field = "received_at"
    message = "This time is in the future. Enter the time of receipt."


class InvalidTransition(DomainError):
    field = "status"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A dispute can't be changed from {before.replace('_', ' ')} to {after.replace('_', ' ')}.")


class AnswerRequired(Missing):
    field = "answer"
    message = "The answer is missing. Enter the outcome for the debtor."


class BalanceNotLower(OutOfRange):
    field = "balance"
    message = "The corrected balance must be lower than the current one."


@transaction.atomic
def receive(
    debt: Debt,
    *,
    channel: str,
    reason: str,
    by: Agent | None,
    now: datetime,
    debtor: Debtor | None = None,
    portion: Decimal | None = None,
    evidence: str | None = None,
    received_at: datetime | None = None,
) -> Dispute:
    """Receive a dispute and suspend collection of the disputed portion.

    :param debtor: the debtor who enters it in the portal; ``by`` is then None
    :param portion: the disputed amount in the debt's currency; None, or the balance, disputes the whole debt
    :raises Forbidden: if ``by`` may not enter disputes
    :raises DebtOfAnotherDebtor: if it is another debtor's debt
    :raises DebtNotOpen: if it is closed
    :raises AlreadyDisputed: if it has an open dispute
    :raises BadAmount: if the portion has more decimals than the currency
    :raises PortionExceedsBalance: if the portion exceeds the balance
    :raises ReceivedInFuture: if the time of receipt is in the future
    """
    require_permission(by, "collections.add_dispute")
    if debtor is not None and debt.debtor_id != debtor.pk:
        raise deferrals.DebtOfAnotherDebtor
    received_at = received_at or now
    if received_at > now:
        raise ReceivedInFuture
    debt = ledger.lock_debt(debt.pk)
    if not debt.is_open:
        raise DebtNotOpen
    if portion is not None:
        portion = money.check(portion, debt.currency_code, field="portion")
        if portion > debt.current_balance:
            raise PortionExceedsBalance
    whole = portion is None or portion == debt.current_balance
    dispute = Dispute(
        debt=debt,
        portion=None if whole else portion,
        currency_code=debt.currency_code,
        reason=reason,
        evidence=evidence,
        channel=channel,
        received_at=received_at,
        by=by,
        created_at=now,
    )
    with refusing({"debt_has_one_open_dispute": AlreadyDisputed()}):
        dispute.save(force_insert=True)
    _suspend_collection(debt, dispute, by=by, now=now)
    return dispute


@transaction.atomic
def ask_creditor(dispute: Dispute, *, by: Agent, now: datetime) -> Dispute:
    """Record that the creditor has been asked to prove the debt.

    :raises InvalidTransition: if the creditor was asked before, or it is decided
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "collections.change_dispute")
    change_status(dispute, Status.AWAITING_CREDITOR, before=(Status.RECEIVED,), now=now, asked_at=now, asked_by=by)
    return dispute


@transaction.atomic
def verify(dispute: Dispute, *, answer: str, by: Agent, now: datetime) -> Dispute:
    """Record that the creditor proved the debt and the debtor got a copy; collection resumes.

    :raises InvalidTransition: if the creditor was not asked, or it is decided
    :raises AnswerRequired: if the answer is blank
    :raises Forbidden: if ``by`` may not decide
    """
    _decide(dispute, Status.VERIFIED, answer=answer, by=by, now=now)
    return _announce(dispute, now=now)


@transaction.atomic
def withdraw(dispute: Dispute, *, answer: str, by: Agent, now: datetime) -> Dispute:
    """Record that the debtor withdrew the dispute, at any time before a decision; collection resumes.

    :raises InvalidTransition: if it is decided
    :raises AnswerRequired: if the answer is blank
    :raises Forbidden: if ``by`` may not decide
    """
    _decide(dispute, Status.WITHDRAWN, answer=answer, by=by, now=now, before=Dispute.OPEN)
    return _announce(dispute, now=now)


@transaction.atomic
def adjust(dispute: Dispute, *, balance: Decimal, answer: str, by: Agent, now: datetime) -> Dispute:
    """Correct the balance of the debt by an adjustment in the ledger; collection of the rest resumes.

    :raises InvalidTransition: if the creditor was not asked, or it is decided
    :raises BalanceNotLower: if the balance would not fall
    :raises BadAmount: if it has more decimals than the currency
    :raises DebtNotOpen: if the debt has been closed since
    :raises AnswerRequired: if the answer is blank
    :raises Forbidden: if ``by`` may not decide, or adjust balances
    """
    require_permission(by, "collections.adjust_debt")
    debt = _decide(dispute, Status.ADJUSTED, answer=answer, by=by, now=now)
    if not debt.is_open:
        raise DebtNotOpen
    balance = money.check(balance, debt.currency_code, field="balance")
    if balance >= debt.current_balance:
        raise BalanceNotLower
    cause = {"type": "dispute", "disputeId": str(dispute.pk)}
    accounts.book(debt, accounts.to_balance(debt, balance, agency_today(now), cause), by=by, posted_at=now)
    return _announce(dispute, now=now)


@transaction.atomic
def recall(dispute: Dispute, *, answer: str, by: Agent, now: datetime) -> Dispute:
    """Return the debt to the creditor, who did not prove it: close it as recalled.

    :raises InvalidTransition: if the creditor was not asked, or it is decided
    :raises DebtNotOpen: if the debt has been closed since
    :raises AnswerRequired: if the answer is blank
    :raises Forbidden: if ``by`` may not decide, or close debts
    """
    debt = _decide(dispute, Status.RECALLED, answer=answer, by=by, now=now)
    if not debt.is_open:
        raise DebtNotOpen
    states.change(debt, DebtStatus.RECALLED, by=by, today=agency_today(now))
    return _announce(dispute, now=now)


def _suspend_collection(debt: Debt, dispute: Dispute, *, by: Agent | None, now: datetime) -> None:
    debt.disputed_amount = debt.current_balance if dispute.portion is None else dispute.portion
    if dispute.portion is not None:
        ledger.save(debt, "disputed_amount")
        return
    statuses.refresh(debt)
    ledger.save(debt, "disputed_amount", "current_status")
    holds.create_hold(
        reason=Hold.Reason.DISPUTE,
        debt=debt,
        dispute=dispute,
        source=f"Dispute, by {dispute.get_channel_display().lower()}",
        by=by,
        now=now,
    )


def _resume_collection(debt: Debt, dispute: Dispute, *, by: Agent) -> None:
    debt.disputed_amount = Decimal(0)
    statuses.refresh(debt)
    ledger.save(debt, "disputed_amount", "current_status")
    amendments.lift(debt, reason=Hold.Reason.DISPUTE, by=by, why=f"The dispute was {dispute.status}.")


def _decide(
    dispute: Dispute,
    status: Dispute.Status,
    *,
    answer: str,
    by: Agent,
    now: datetime,
    before: Collection[Dispute.Status] = (Status.AWAITING_CREDITOR,),
) -> Debt:
    """Lock the debt, decide, resume its collection, and return it."""
    require_permission(by, "collections.decide_dispute")
    if not answer.strip():
        raise AnswerRequired
    debt = ledger.lock_debt(dispute.debt_id)
    change_status(dispute, status, before=before, now=now, answer=answer, decided_at=now, decided_by=by)
    _resume_collection(debt, dispute, by=by)
    return debt


def change_status(
    dispute: Dispute, after: Dispute.Status, *, before: Collection[Dispute.Status], now: datetime, **changes: Any
) -> None:
    """Change the status by one conditional UPDATE, so that of two steps at once only one succeeds."""
    row = Dispute.objects.filter(pk=dispute.pk, status__in=before)
    if not row.update(status=after, updated_at=now, **changes):
        raise InvalidTransition(Dispute.objects.values_list("status", flat=True).get(pk=dispute.pk), after)
    dispute.refresh_from_db()


def _announce(dispute: Dispute, *, now: datetime) -> Dispute:
    decided.send(Dispute, dispute=dispute, now=now)
    return dispute
