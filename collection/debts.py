"""Place, amend and delete debts. Changes of their balance go through the ledger."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from agents.models import Agent, require_permission
from collection import states
from collection.balances import accounts, ledger
from collection.balances.events import Draft
from collection.claims.components import Components
from collection.models import OPEN, Debt, DebtStatus, Dispute, LedgerEntry, Segment
from collection.segments import assignment
from creditors import creditors
from ddc.common import days, money
from ddc.common.errors import DomainError, Duplicate, Invalid, deleting, refusing, require_unchanged
from debtors.models import Debtor

Kind = LedgerEntry.Kind


class ImmutableAfterPayments(Invalid):
    code = "immutable"
    message = "This debt has payments, so its currency and original balance can't be changed."


class DebtorIsImmutable(Invalid):
    code = "immutable"
    field = "debtor_id"
    message = "A debt can't be moved to another debtor. Delete it and place it again."


class CurrencyOfOpenDispute(Invalid):
    code = "immutable"
    field = "currency_code"
    message = "This debt has an open dispute, whose amount is in its currency. Decide the dispute first."


class DebtInUse(DomainError):
    message = "This debt has payments, messages, deferral requests or holds and can't be deleted."


class DebtIsClosed(DomainError):
    message = "This debt is closed. Reopen it first."


_DATES = ("placement_date", "due_date")
_CONSTRAINTS: dict[str, DomainError] = {
    "debt_reference_is_unique_per_creditor": Duplicate(
        "This creditor already has a debt with this reference.", field="external_reference"
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
    status_reason: str | None = None,
    status_until: date | None = None,
    placement_date: date | None = None,
    due_date: date | None = None,
    p2p_score: Decimal | None = None,
    segment: Segment | None = None,
    external_reference: str | None = None,
    by: Agent | None,
    today: date,
) -> Debt:
    """Place a debt: post its original balance, and an adjustment if the current balance differs.

    A given segment is pinned; otherwise the debt is assigned to one.

    :raises ClosedStatusRefused: if the status is a closed one
    :raises Duplicate: if the creditor has a debt with that reference
    :raises BadAmount: if an amount has more decimals than the currency
    :raises ImplausibleDate: if a date is likely a typing error
    :raises EndedCurrency: if the currency has ended
    """
    if current_status not in OPEN:
        raise states.ClosedStatusRefused
    placement_date = placement_date or today
    _check_dates({"placement_date": placement_date, "due_date": due_date}, today=today)
    money.require_current(currency_code, today=today, field="currency_code")
    original = money.check(original_balance, currency_code, field="original_balance")
    current = (
        original if current_balance is None else money.check(current_balance, currency_code, field="current_balance")
    )
    debt = Debt(
        debtor=debtor,
        segment=segment,
        segment_is_pinned=segment is not None,
        creditor=creditors.find_or_create(original_creditor),
        external_reference=external_reference,
        currency_code=currency_code,
        original_balance=original,
        current_balance=Decimal(0),
        placement_date=placement_date,
        due_date=due_date,
        p2p_score=p2p_score,
    )
    states.set_by_hand(debt, current_status, by=by, today=today, reason=status_reason, until=status_until)
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
    """Change some fields of a debt. Another balance is posted as an adjustment.

    Values equal to the current ones change nothing, so a client may send back a whole debt. With a reopened status, the balance
    is the one that the debt has afterwards.

    :param if_unchanged_since: the ``updated_at`` that the client read
    :raises Stale: if money or status would change and the debt has changed since then
    :raises ImmutableAfterPayments: if currency or original balance would change and there are payments
    :raises Forbidden: if ``by`` may not adjust, close or reopen
    :raises DomainError: as ``place`` and ``states.change`` do
    """
    debt = ledger.lock_debt(debt.pk)
    debtor = fields.pop("debtor", None)
    if debtor is not None and debtor.pk != debt.debtor_id:
        raise DebtorIsImmutable
    currency = fields.pop("currency_code", debt.currency_code)
    for name in ("original_balance", "current_balance"):
        if fields.get(name) is not None:
            money.check(fields[name], currency, field=name)
    original = fields.pop("original_balance", debt.original_balance)
    balance = fields.pop("current_balance", debt.current_balance)
    balance = original if balance is None else balance
    status = fields.pop("current_status", debt.current_status)
    by_hand = {"reason": fields.pop("status_reason", None), "until": fields.pop("status_until", None)}
    _amend_record(debt, fields, today=today)

    currency_changes = currency != debt.currency_code
    original_changes = original != debt.original_balance
    balance_changes = balance != debt.current_balance
    if balance == 0 and status in states.WRITES_OFF and debt.is_open:
        balance_changes = False  # Closing writes it off.
    status_changes = status != debt.current_status or any(by_hand.values())
    if not (currency_changes or original_changes or balance_changes or status_changes):
        return debt
    require_unchanged(debt.updated_at, since=if_unchanged_since)
    # A debt is reopened before its balance changes, and closed after that. A paid one is reopened by its balance.
    status_is_first = status_changes and status in OPEN and debt.current_status != DebtStatus.PAID
    if status_is_first:
        _change_status(debt, status, by=by, today=today, **by_hand)
    if currency_changes or original_changes:
        _replace_placement(debt, currency, original, by=by, today=today)
    if balance_changes and balance != debt.current_balance:
        adjust(debt, money.recheck(balance, currency, field="current_balance"), by=by, today=today)
    if status_changes and not status_is_first:
        _change_status(debt, status, by=by, today=today, **by_hand)
    return debt


@transaction.atomic
def delete(debt: Debt, *, by: Agent | None, today: date) -> None:
    """Delete a debt. Its ledger stays and ends with the reversal of all entries.

    :raises DebtInUse: if there are payments, messages, deferral requests or holds
    """
    debt = ledger.lock_debt(debt.pk)
    cause = {
        "type": "deletion",
        "debtorId": str(debt.debtor_id),
        "originalCreditor": debt.original_creditor,
        "externalReference": debt.external_reference,
    }
    _reverse_all(debt, by=by, today=today, cause=cause)
    with deleting(DebtInUse):
        Debt.objects.filter(pk=debt.pk).delete()


def adjust(debt: Debt, balance: Decimal, *, by: Agent | None, today: date) -> None:
    """Change the balance of a locked debt by an adjustment.

    :raises Forbidden: if ``by`` may not adjust
    :raises DebtIsClosed: if it is settled, written off or recalled
    """
    require_permission(by, "collections.adjust_debt")
    if not debt.is_open and debt.current_status != DebtStatus.PAID:
        raise DebtIsClosed(field="current_balance")
    accounts.book(debt, accounts.to_balance(debt, balance, today, {"type": "adjustment"}), by=by)


def _change_status(debt: Debt, status: str, *, by: Agent | None, today: date, **by_hand: Any) -> None:
    with refusing(_CONSTRAINTS):  # A recalled debt may have been placed again.
        states.change(debt, status, by=by, today=today, **by_hand)


def _amend_record(debt: Debt, fields: dict[str, Any], *, today: date) -> None:
    """Write the fields other than money and status. A new segment is pinned; null assigns one again."""
    if not fields:
        return
    chosen = fields.pop("segment", debt.segment)
    segment_changes = (chosen.pk if chosen else None) != debt.segment_id
    if segment_changes:
        debt.segment, debt.segment_is_pinned = chosen, chosen is not None
    if "placement_date" in fields:
        fields["placement_date"] = fields["placement_date"] or today
    changed_dates = {name: fields[name] for name in _DATES if name in fields and fields[name] != getattr(debt, name)}
    _check_dates(changed_dates, today=today)
    if "original_creditor" in fields:
        fields["creditor"] = creditors.find_or_create(fields.pop("original_creditor"))
    for name, value in fields.items():
        setattr(debt, name, value)
    changed = [*fields, "segment", "segment_is_pinned"]
    updated_at = debt.updated_at
    with refusing(_CONSTRAINTS):
        ledger.save(debt, *changed)
    debt.updated_at = updated_at  # Only changes by others make the caller's copy stale.
    if segment_changes and chosen is None:
        assignment.assign(debt, today=today)


def _replace_placement(debt: Debt, currency: str, original: Decimal, *, by: Agent | None, today: date) -> None:
    """Replace the placement. The same currency keeps adjustments; another one keeps the number of the open balance."""
    require_permission(by, "collections.adjust_debt")
    if not debt.is_open and debt.current_status != DebtStatus.PAID:
        raise DebtIsClosed
    if debt.payments.exists():
        raise ImmutableAfterPayments(field="currency_code" if currency != debt.currency_code else "original_balance")
    original = money.recheck(original, currency, field="original_balance")
    if currency != debt.currency_code:
        money.require_current(currency, today=today, field="currency_code")
    if currency != debt.currency_code and debt.disputes.filter(status__in=Dispute.OPEN).exists():
        raise CurrencyOfOpenDispute
    cause = {"type": "amendment"}
    if currency == debt.currency_code:
        placements = ledger.unreversed(debt, Kind.PLACEMENT)
        placed = Components.sum(ledger.components_of(entry) for entry in placements)
        components = replace(placed, principal=placed.principal + original - placed.total)
        if debt.current_balance + original - placed.total < 0 or components.principal < 0:
            raise ledger.ExceedsBalance("The adjustments of this debt exceed this amount.", field="original_balance")
        new = Draft(Kind.PLACEMENT, original, debt.placement_date, cause, components)
        reversals = (accounts.reversal(entry, today, cause) for entry in placements)
        accounts.book(debt, new, *reversals, by=by)
    else:
        current = debt.current_balance if debt.current_balance != debt.original_balance else original
        current = money.recheck(current, currency, field="currency_code")
        _reverse_all(debt, by=by, today=today, cause=cause, more_follows=True)
        debt.currency_code = currency
        ledger.save(debt, "currency_code")
        debt.original_balance = original
        _post_placement(debt, current, by=by, today=today)
    debt.original_balance = original
    ledger.save(debt, "original_balance")


def _check_dates(dates: dict[str, date | None], *, today: date) -> None:
    for name, day in dates.items():
        if day is not None:
            days.plausible(name, today=today).check(day, field=name)


def _post_placement(debt: Debt, current: Decimal, *, by: Agent | None, today: date) -> None:
    cause, adjusts = {"type": "placement"}, current != debt.original_balance
    original = debt.original_balance
    ledger.post(debt, Kind.PLACEMENT, original, debt.placement_date, by=by, cause=cause, more_follows=adjusts)
    if adjusts:
        ledger.post(debt, Kind.ADJUSTMENT, current - debt.original_balance, today, by=by, cause=cause)


def _reverse_all(
    debt: Debt, *, by: Agent | None, today: date, cause: dict[str, Any], more_follows: bool = False
) -> None:
    """Reverse all entries."""
    entries = ledger.unreversed(debt)
    for number, entry in enumerate(entries, start=1):
        more = more_follows or number < len(entries)
        ledger.reverse(entry, debt, by=by, value_date=today, cause=cause, more_follows=more)
