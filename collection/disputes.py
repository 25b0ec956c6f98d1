"""Disputes: a debtor says that they don't owe a debt, or a part of it; the creditor is asked, and somebody decides.

From the moment that it is received nothing of the disputed portion is collected (12 CFR 1006.38(d)): where that is all of the
debt, the debt is ``disputed`` and on hold; where it is a part, the undisputed rest may still be asked for. It makes no
difference here whether it came within the thirty days after the notice: we stop either way.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from agents.models import Agent, require_permission
from collection import deferrals, states
from collection.balances import ledger
from collection.holds import amendments, holds
from collection.models import Debt, DebtStatus, Dispute, Hold, LedgerEntry
from ddc.common import money
from ddc.common.errors import DomainError, refusing
from debtors.models import Debtor

Status = Dispute.Status

#: Sent within the transaction when a dispute was decided; ``dispute`` and ``now`` come along.
decided = Signal()


class DebtNotOpen(DomainError):
    message = "This debt is closed; there is nothing to dispute."


class AlreadyDisputed(DomainError):
    """A debt has one open dispute at most."""

    message = "This debt is disputed already."


class MoreThanIsOpen(DomainError):
    status = 422
    code = "range"
    field = "portion"
    message = "This is more than what is still open."


class ReceivedLater(DomainError):
    status = 422
    code = "range"
    field = "received_at"
    message = "This lies in the future."


class NoSuchStep(DomainError):
    """The creditor is asked before anything is decided, but for what the debtor takes back."""

    field = "status"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A dispute that is {before.replace('_', ' ')} can't become {after.replace('_', ' ')}.")


class AnswerMissing(DomainError):
    """The debtor is told what came of it."""

    status = 422
    code = "required"
    field = "answer"
    message = "Tell what came of it; the debtor sees this."


class NotLower(DomainError):
    """A dispute makes no debt larger."""

    status = 422
    code = "range"
    field = "balance"
    message = "The corrected balance is lower than the one that was disputed."


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
    """Take in a dispute, and stop collecting what is disputed.

    :param debtor: who disputes it by themselves, in the portal; then ``by`` is None
    :param portion: how much of the debt, in its currency; None, or all that is open: the whole debt
    :raises Forbidden: if ``by`` may not enter disputes
    :raises NotTheirDebt: if the debt is another's
    :raises DebtNotOpen: if it is closed
    :raises AlreadyDisputed: if a dispute of it is open
    :raises BadAmount: if the portion has more decimals than the currency
    :raises MoreThanIsOpen: if the portion is more than the balance
    :raises ReceivedLater: if it came in the future
    """
    require_permission(by, "collections.add_dispute")
    if debtor is not None and debt.debtor_id != debtor.pk:
        raise deferrals.NotTheirDebt
    received_at = received_at or now
    if received_at > now:
        raise ReceivedLater
    debt = ledger.lock_debt(debt.pk)
    if not debt.is_open:
        raise DebtNotOpen
    if portion is not None:
        portion = money.check(portion, debt.currency_code, field="portion")
        if portion > debt.current_balance:
            raise MoreThanIsOpen
    whole = portion is None or portion == debt.current_balance
    dispute = Dispute(
        debt=debt,
        portion=None if whole else portion,
        currency_code=debt.currency_code,
        reason=reason,
        evidence=evidence,
        channel=channel,
        received_at=received_at,
        status_before=debt.current_status,
        by=by,
        created_at=now,
    )
    with refusing({"debt_has_one_open_dispute": AlreadyDisputed()}):
        dispute.save(force_insert=True)
    _stop_collecting(debt, dispute, by=by, now=now)
    return dispute


@transaction.atomic
def ask_creditor(dispute: Dispute, *, by: Agent, now: datetime) -> Dispute:
    """Note that the creditor was asked to prove the debt.

    :raises NoSuchStep: if the creditor was asked already, or it is over
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "collections.change_dispute")
    _step(dispute, Status.AWAITING_CREDITOR, before=(Status.RECEIVED,), now=now, asked_at=now, asked_by=by)
    return dispute


@transaction.atomic
def verify(dispute: Dispute, *, answer: str, by: Agent, now: datetime) -> Dispute:
    """Note that the creditor proved the debt, and a copy of the proof went to the debtor: collecting goes on.

    :raises NoSuchStep: if the creditor was not asked, or it is over
    :raises AnswerMissing: if nobody says what the proof is
    :raises Forbidden: if ``by`` may not decide
    """
    debt = _decide(dispute, Status.VERIFIED, answer=answer, by=by, now=now)
    _go_on(debt, dispute, by=by)
    return _told(dispute, now=now)


@transaction.atomic
def withdraw(dispute: Dispute, *, answer: str, by: Agent, now: datetime) -> Dispute:
    """Note that the debtor took the dispute back, asked or not: collecting goes on.

    :raises NoSuchStep: if it is over
    :raises AnswerMissing: if nobody says how they did
    :raises Forbidden: if ``by`` may not decide
    """
    debt = _decide(dispute, Status.WITHDRAWN, answer=answer, by=by, now=now, before=Dispute.OPEN)
    _go_on(debt, dispute, by=by)
    return _told(dispute, now=now)


@transaction.atomic
def adjust(dispute: Dispute, *, balance: Decimal, answer: str, by: Agent, now: datetime) -> Dispute:
    """Correct the debt to ``balance`` in its currency, by an adjustment in the ledger; what is left is collected.

    :raises NoSuchStep: if the creditor was not asked, or it is over
    :raises NotLower: if the balance would not fall
    :raises BadAmount: if it has more decimals than the currency
    :raises DebtNotOpen: if the debt was closed meanwhile
    :raises AnswerMissing: if nobody says why
    :raises Forbidden: if ``by`` may not decide, or adjust balances
    """
    require_permission(by, "collections.adjust_debt")
    debt = _decide(dispute, Status.ADJUSTED, answer=answer, by=by, now=now)
    if not debt.is_open:
        raise DebtNotOpen
    balance = money.check(balance, debt.currency_code, field="balance")
    if balance >= debt.current_balance:
        raise NotLower
    _go_on(debt, dispute, by=by)
    ledger.post(
        debt,
        kind=LedgerEntry.Kind.ADJUSTMENT,
        amount=balance - debt.current_balance,
        value_date=now.date(),
        by=by,
        cause={"type": "dispute", "disputeId": str(dispute.pk)},
    )
    return _told(dispute, now=now)


@transaction.atomic
def recall(dispute: Dispute, *, answer: str, by: Agent, now: datetime) -> Dispute:
    """Give the debt back to the creditor, who can't prove it, or won't: it is closed as recalled.

    :raises NoSuchStep: if the creditor was not asked, or it is over
    :raises DebtNotOpen: if the debt was closed meanwhile
    :raises AnswerMissing: if nobody says why
    :raises Forbidden: if ``by`` may not decide, or close debts
    """
    debt = _decide(dispute, Status.RECALLED, answer=answer, by=by, now=now)
    if not debt.is_open:
        raise DebtNotOpen
    _go_on(debt, dispute, by=by)
    states.change(debt, DebtStatus.RECALLED, by=by, today=now.date())
    return _told(dispute, now=now)


def _stop_collecting(debt: Debt, dispute: Dispute, *, by: Agent | None, now: datetime) -> None:
    debt.disputed_amount = debt.current_balance if dispute.portion is None else dispute.portion
    if dispute.portion is not None:
        ledger.save(debt, "disputed_amount")
        return
    debt.current_status = DebtStatus.DISPUTED
    ledger.save(debt, "disputed_amount", "current_status")
    holds.put(
        reason=Hold.Reason.DISPUTE,
        debt=debt,
        dispute=dispute,
        source=f"Dispute, by {dispute.get_channel_display().lower()}",
        by=by,
        now=now,
    )


def _go_on(debt: Debt, dispute: Dispute, *, by: Agent) -> None:
    """Let collecting go on: the debt is what it was, unless it was changed by hand or closed meanwhile."""
    before = dispute.status_before
    deferred = Hold.objects.standing().filter(debt=debt, reason=Hold.Reason.DEFERRAL)
    if before == DebtStatus.DISPUTED or (before == DebtStatus.DEFERRED and not deferred.exists()):
        before = DebtStatus.ACTIVE
    if debt.current_status == DebtStatus.DISPUTED:
        debt.current_status = before
    if debt.status_before_closing == DebtStatus.DISPUTED:
        debt.status_before_closing = before
    debt.disputed_amount = Decimal(0)
    ledger.save(debt, "disputed_amount", "current_status", "status_before_closing")
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
    """Decide under the debt's lock, which is returned."""
    require_permission(by, "collections.decide_dispute")
    if not answer.strip():
        raise AnswerMissing
    debt = ledger.lock_debt(dispute.debt_id)
    _step(dispute, status, before=before, now=now, answer=answer, decided_at=now, decided_by=by)
    return debt


def _step(
    dispute: Dispute, after: Dispute.Status, *, before: Collection[Dispute.Status], now: datetime, **changes: Any
) -> None:
    """Move a dispute on by one conditional UPDATE: of two at once, one finds no row."""
    row = Dispute.objects.filter(pk=dispute.pk, status__in=before)
    if not row.update(status=after, updated_at=now, **changes):
        raise NoSuchStep(Dispute.objects.values_list("status", flat=True).get(pk=dispute.pk), after)
    dispute.refresh_from_db()


def _told(dispute: Dispute, *, now: datetime) -> Dispute:
    decided.send(Dispute, dispute=dispute, now=now)
    return dispute
