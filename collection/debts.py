"""Debts as records: place, amend, delete. What moves their balance goes through the ledger."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction

from agents.models import Agent, require_permission
from collection import states
from collection.balances import ledger
from collection.models import OPEN, Debt, DebtStatus, LedgerEntry, Segment
from collection.segments import assignment
from ddc.common import money
from ddc.common.errors import DomainError, Duplicate, refusing, require_unchanged
from debtors.models import Debtor

Kind = LedgerEntry.Kind


class FixedByPayments(DomainError):
    """Currency and original balance are what payments were made against."""

    status = 422
    code = "immutable"
    message = "This can't change once there are payments."


class AnotherDebtor(DomainError):
    """A debt stays with the debtor who owes it."""

    status = 422
    code = "immutable"
    field = "debtor_id"
    message = "A debt can't be moved to another debtor."


class HasHistory(DomainError):
    """A debt with payments, messages, requests or holds stays."""

    message = "This debt has payments, messages, deferral requests or holds and can't be deleted."


class DebtIsClosed(DomainError):
    """A closed debt's balance doesn't move; it has to be opened again first."""

    message = "This debt is closed."


_CONSTRAINTS: dict[str, DomainError] = {
    "debt_reference_is_unique_per_creditor": Duplicate(
        "This creditor has a debt of this reference already.", field="external_reference"
    ),
}


@transaction.atomic
def place(
    *,
    debtor: Debtor,
    original_creditor: str,
    original_balance: Decimal,
    currency_code: str = "USD",
    current_balance: Decimal | None = None,
    current_status: str = DebtStatus.ACTIVE,
    placement_date: date | None = None,
    due_date: date | None = None,
    p2p_score: Decimal | None = None,
    segment: Segment | None = None,
    external_reference: str | None = None,
    by: Agent | None,
    today: date,
) -> Debt:
    """Place a debt with us: post its original balance, and an adjustment where less of it is still open.

    Amounts are in ``currency_code``. A segment that is given is pinned; else the debt is assigned to one at once.

    :raises NotAnOpenState: if it starts in a closed state
    :raises Duplicate: if the creditor has a debt of that reference
    :raises BadAmount: if an amount has more decimals than the currency
    """
    if current_status not in OPEN:
        raise states.NotAnOpenState
    original = money.check(original_balance, currency_code, field="original_balance")
    current = (
        original if current_balance is None else money.check(current_balance, currency_code, field="current_balance")
    )
    debt = Debt(
        debtor=debtor,
        segment=segment,
        segment_is_pinned=segment is not None,
        original_creditor=original_creditor,
        external_reference=external_reference,
        currency_code=currency_code,
        original_balance=original,
        current_balance=Decimal(0),
        current_status=current_status,
        placement_date=placement_date or today,
        due_date=due_date,
        p2p_score=p2p_score,
    )
    with refusing(_CONSTRAINTS):
        debt.save(force_insert=True)
    _post_placement(debt, current, by=by, today=today)
    if segment is None:
        assignment.assign(debt, today=today)
    return debt


@transaction.atomic
def amend(
    debt: Debt, *, by: Agent | None, today: date, if_unchanged_since: datetime | None = None, **fields: Any
) -> Debt:
    """Change some fields; another balance is an adjustment, another status goes through the state machine.

    A balance that is given as it was stays untouched, so a client may send back what it read; None is the original balance.
    ``if_unchanged_since`` is the ``updated_at`` that the client read.

    :raises Stale: if money or status is to change and the debt has changed since ``if_unchanged_since``
    :raises FixedByPayments: if currency or original balance are to change and there are payments
    :raises Forbidden: if ``by`` may not adjust, close or reopen
    :raises DomainError: as ``place`` and ``states.change`` do
    """
    debt = ledger.lock_debt(debt.pk)
    debtor = fields.pop("debtor", None)
    if debtor is not None and debtor.pk != debt.debtor_id:
        raise AnotherDebtor
    original = fields.pop("original_balance", debt.original_balance)
    balance = fields.pop("current_balance", debt.current_balance)
    balance = original if balance is None else balance
    currency = fields.pop("currency_code", debt.currency_code)
    status = fields.pop("current_status", debt.current_status)
    _amend_record(debt, fields, today=today)

    currency_moves = currency != debt.currency_code
    original_moves = original != debt.original_balance
    balance_moves = balance != debt.current_balance
    if balance == 0 and status in states.WRITES_OFF and debt.is_open:
        balance_moves = False  # Closing brings the balance there.
    status_moves = status != debt.current_status
    if not (currency_moves or original_moves or balance_moves or status_moves):
        return debt
    require_unchanged(debt.updated_at, since=if_unchanged_since)
    if currency_moves or original_moves:
        _place_anew(debt, currency, original, by=by, today=today)
    if balance_moves:
        adjust(debt, money.check(balance, currency, field="current_balance"), by=by, today=today)
    if status_moves:
        states.change(debt, status, by=by, today=today)
    return debt


@transaction.atomic
def delete(debt: Debt, *, by: Agent | None, today: date) -> None:
    """Delete a debt without history. Its ledger stays, ending in the reversal of all that stands.

    :raises HasHistory: if there are payments, messages, requests or holds
    """
    debt = ledger.lock_debt(debt.pk)
    cause = {
        "type": "deletion",
        "debtorId": str(debt.debtor_id),
        "originalCreditor": debt.original_creditor,
        "externalReference": debt.external_reference,
    }
    _reverse_all(debt, by=by, today=today, cause=cause)
    try:
        debt.delete()
        # Django defers its foreign keys to COMMIT; a payment that came in meanwhile has to speak up now.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (models.ProtectedError, models.RestrictedError) as error:
        raise HasHistory from error


def adjust(debt: Debt, balance: Decimal, *, by: Agent | None, today: date) -> None:
    """Bring a locked debt's balance to what it should be, by an adjustment.

    :raises Forbidden: if ``by`` may not adjust
    :raises DebtIsClosed: if it is settled, written off or recalled
    """
    require_permission(by, "collections.adjust_debt")
    if not debt.is_open and debt.current_status != DebtStatus.PAID:
        raise DebtIsClosed(field="current_balance")
    ledger.post(
        debt,
        kind=Kind.ADJUSTMENT,
        amount=balance - debt.current_balance,
        value_date=today,
        by=by,
        cause={"type": "adjustment"},
    )


def _amend_record(debt: Debt, fields: dict[str, Any], *, today: date) -> None:
    """Write what isn't money or status. A segment that is given anew is pinned; null hands the choice back."""
    if not fields:
        return
    chosen = fields.pop("segment", debt.segment)
    segment_moves = (chosen.pk if chosen else None) != debt.segment_id
    if segment_moves:
        debt.segment, debt.segment_is_pinned = chosen, chosen is not None
    if "placement_date" in fields:
        fields["placement_date"] = fields["placement_date"] or today
    for name, value in fields.items():
        setattr(debt, name, value)
    changed = [*fields, "segment", "segment_is_pinned"]
    seen = debt.updated_at
    with refusing(_CONSTRAINTS):
        ledger.save(debt, *changed)
    debt.updated_at = seen  # Our own write is no change that the caller should have seen.
    if segment_moves and chosen is None:
        assignment.assign(debt, today=today)


def _place_anew(debt: Debt, currency: str, original: Decimal, *, by: Agent | None, today: date) -> None:
    """Replace the placement. In the same currency adjustments stand; another currency keeps the number that was open."""
    require_permission(by, "collections.adjust_debt")
    if not debt.is_open and debt.current_status != DebtStatus.PAID:
        raise DebtIsClosed
    if debt.payments.exists():
        raise FixedByPayments(field="currency_code" if currency != debt.currency_code else "original_balance")
    original = money.check(original, currency, field="original_balance")
    cause = {"type": "amendment"}
    if currency == debt.currency_code:
        placements = ledger.standing(debt, Kind.PLACEMENT)
        shift = original - sum(entry.amount for entry in placements)
        if debt.current_balance + shift < 0:
            raise ledger.Overdrawn("What was taken off this debt is more than this.", field="original_balance")
        _post(debt, Kind.PLACEMENT, original, debt.placement_date, by=by, cause=cause)
        for entry in placements:
            ledger.reverse(entry, debt, by=by, value_date=today, cause=cause)
    else:
        current = debt.current_balance if debt.current_balance != debt.original_balance else original
        current = money.check(current, currency, field="currency_code")
        _reverse_all(debt, by=by, today=today, cause=cause)
        debt.currency_code = currency
        ledger.save(debt, "currency_code")
        debt.original_balance = original
        _post_placement(debt, current, by=by, today=today)
    debt.original_balance = original
    ledger.save(debt, "original_balance")


def _post_placement(debt: Debt, current: Decimal, *, by: Agent | None, today: date) -> None:
    _post(debt, Kind.PLACEMENT, debt.original_balance, debt.placement_date, by=by, cause={"type": "placement"})
    if current != debt.original_balance:
        _post(debt, Kind.ADJUSTMENT, current - debt.original_balance, today, by=by, cause={"type": "placement"})


def _post(
    debt: Debt, kind: LedgerEntry.Kind, amount: Decimal, value_date: date, *, by: Agent | None, cause: dict[str, Any]
) -> None:
    ledger.post(debt, kind=kind, amount=amount, value_date=value_date, by=by, cause=cause)


def _reverse_all(debt: Debt, *, by: Agent | None, today: date, cause: dict[str, Any]) -> None:
    """Reverse all that stands; what lowered the balance first, so that it doesn't go below 0 on the way."""
    entries = [entry for kind in Kind if kind != Kind.REVERSAL for entry in ledger.standing(debt, kind)]
    for entry in sorted(entries, key=lambda entry: entry.amount):
        ledger.reverse(entry, debt, by=by, value_date=today, cause=cause)
