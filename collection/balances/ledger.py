"""The ledger: the only code that changes a balance.

Entries are never changed or deleted; a correction is a reversal. A balance is the sum of its debt's entries, written in
the same transaction and under the debt's lock.
"""

import uuid
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.dispatch import Signal
from django.utils.timezone import now
from psycopg.types.json import Jsonb

from agents.models import Agent
from collection import statuses
from collection.claims.components import NAMES, Components
from collection.models import Debt, DebtStatus, LedgerEntry
from ddc.common.errors import DomainError, OutOfRange
from ddc.common.observing import tracing

# Every payment runs these two statements. The ORM would build their SQL each time, which takes longer than running them.
_LOCK = "SELECT * FROM debt WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_INSERT = """
    INSERT INTO ledger_entry (
        debt_id, kind, amount, interest, costs, fees, currency_code, value_date, posted_at, by_id, cause, payment_id, reverses_id,
        refers_to_id, request_id
    ) VALUES (
        %(debt)s, %(kind)s, %(amount)s, %(interest)s, %(costs)s, %(fees)s, %(currency)s, %(value_date)s,
        coalesce(%(posted_at)s, clock_timestamp()), %(by)s, %(cause)s, %(payment)s, %(reverses)s, %(refers_to)s, %(request)s
    )
"""
_POST = f"""
    WITH entry AS ({_INSERT})
    UPDATE debt SET current_balance = %(balance)s, balance_interest = %(balance_interest)s, balance_costs = %(balance_costs)s,
        balance_fees = %(balance_fees)s, is_itemized = %(is_itemized)s, current_status = %(status)s,
        disputed_amount = %(disputed)s, updated_at = %(now)s
    WHERE id = %(debt)s
    RETURNING EXISTS (SELECT FROM arrangement_debt WHERE arrangement_debt.debt_id = debt.id)
"""  # noqa: S608 - Our own SQL.


#: Sent with ``debt`` and ``kind`` in the transaction that posts an entry, after it.
posted = Signal()


class ExceedsBalance(OutOfRange):
    field = "amount"
    message = "This exceeds the open balance. Enter a smaller amount."


class ExceedsComponent(OutOfRange):
    """A component has less open than this would take from it."""

    def __init__(self, component: str) -> None:
        super().__init__(f"This exceeds the open {component}. Enter a smaller amount.", field=component)


class NoSuchDebt(DomainError):
    status = 404
    message = "This resource does not exist."


def lock_debt(debt_id: uuid.UUID) -> Debt:
    """Lock a debt until the transaction ends, and return its current row.

    A function that moves money calls this first and reads only afterwards. Inserts that refer to the debt do not wait.

    :raises NoSuchDebt: if it has been deleted
    """
    return lock_debts({debt_id})[debt_id]


def lock_debts(debt_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Debt]:
    """Lock several debts in the order of their ids, which rules out deadlocks.

    :raises NoSuchDebt: if one has been deleted
    """
    debts = lock_existing(debt_ids)
    if len(debts) < len(set(debt_ids)):
        raise NoSuchDebt
    return debts


def lock_existing(debt_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Debt]:
    """Lock those of several debts that have not been deleted, in the order of their ids."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Lock debts inside a transaction: the lock ends with it.")
    return {debt.pk: debt for debt in Debt.objects.raw(_LOCK, [list(debt_ids)])}


def post(
    debt: Debt,
    kind: LedgerEntry.Kind,
    amount: Decimal,
    value_date: date,
    *,
    by: Agent | None,
    cause: dict[str, Any],
    components: Components | None = None,
    payment_id: uuid.UUID | None = None,
    reverses: LedgerEntry | None = None,
    refers_to: LedgerEntry | None = None,
    more_follows: bool = False,
    posted_at: datetime | None = None,
) -> None:
    """Post an entry on a locked debt and move its balances.

    :param amount: in the debt's currency; negative if it lowers the balance
    :param components: the parts of the amount; None: principal
    :param posted_at: the time of posting; None: the database's clock, which it reads after the lock
    :param more_follows: another entry follows, with which the debt's balances and status are written: between the two, the debt
        is neither paid nor open again, and a balance may be below 0
    :raises ExceedsBalance: if the balance would fall below 0
    :raises ExceedsComponent: if a component would
    """
    balance = debt.current_balance + amount
    if balance < 0 and not more_follows:
        raise ExceedsBalance
    components = components or Components(principal=amount)
    debt.current_balance, debt.updated_at = balance, posted_at or now()
    debt.balance_interest += components.interest
    debt.balance_costs += components.costs
    debt.balance_fees += components.fees
    debt.balance_principal = balances(debt).principal  # The database computes it.
    debt.is_itemized = debt.is_itemized or components.principal != amount
    if not more_follows:
        _check_components(debt)
        _update_status(debt)
    values = {
        "debt": debt.pk,
        "kind": kind.value,
        "amount": amount,
        "interest": components.interest,
        "costs": components.costs,
        "fees": components.fees,
        "currency": debt.currency_code,
        "value_date": value_date,
        "posted_at": posted_at,
        "by": by and by.pk,
        "cause": Jsonb(cause),
        "payment": payment_id,
        "reverses": reverses and reverses.pk,
        "refers_to": refers_to and refers_to.pk,
        "request": tracing.current(),
        "balance": balance,
        "balance_interest": debt.balance_interest,
        "balance_costs": debt.balance_costs,
        "balance_fees": debt.balance_fees,
        "is_itemized": debt.is_itemized,
        "status": str(debt.current_status),
        "disputed": debt.disputed_amount,
        "now": debt.updated_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT if more_follows else _POST, values)
        if not more_follows:
            debt.is_arranged = cursor.fetchone()[0]
    posted.send(LedgerEntry, debt=debt, kind=kind)


def balances(debt: Debt) -> Components:
    """Return the open part of each component."""
    rest = debt.current_balance - debt.balance_interest - debt.balance_costs - debt.balance_fees
    return Components(rest, debt.balance_interest, debt.balance_costs, debt.balance_fees)


def components_of(entry: LedgerEntry) -> Components:
    """Return the components of an entry."""
    return Components(entry.principal, entry.interest, entry.costs, entry.fees)


def reverse(
    entry: LedgerEntry,
    debt: Debt,
    *,
    by: Agent | None,
    value_date: date,
    cause: dict[str, Any],
    more_follows: bool = False,
    posted_at: datetime | None = None,
) -> None:
    """Reverse an entry by one of the opposite components; ``more_follows`` and ``posted_at`` as in ``post``.

    :raises ExceedsBalance: if the balance would fall below 0
    :raises ExceedsComponent: if a component would
    """
    post(
        debt,
        LedgerEntry.Kind.REVERSAL,
        -entry.amount,
        value_date,
        by=by,
        cause=cause,
        components=-components_of(entry),
        payment_id=entry.payment_id,
        reverses=entry,
        more_follows=more_follows,
        posted_at=posted_at,
    )


def unreversed(debt: Debt, *kinds: LedgerEntry.Kind, payment_id: uuid.UUID | None = None) -> list[LedgerEntry]:
    """Return the entries that are not reversed, of some kinds or of all, oldest first."""
    entries = LedgerEntry.objects.filter(debt=debt, reversed_by__isnull=True)
    entries = entries.filter(kind__in=kinds) if kinds else entries.exclude(kind=LedgerEntry.Kind.REVERSAL)
    if payment_id is not None:
        entries = entries.filter(payment_id=payment_id)
    return list(entries.order_by("posted_at", "id"))


def unreversed_of(debts: Collection[Debt]) -> list[LedgerEntry]:
    """Return the entries of several debts that are not reversed, oldest first, with one query."""
    entries = LedgerEntry.objects.filter(debt__any_of=[debt.pk for debt in debts], reversed_by__isnull=True)
    return list(entries.exclude(kind=LedgerEntry.Kind.REVERSAL).order_by("posted_at", "id"))


def save(debt: Debt, *fields: str) -> None:
    """Write some columns of a locked debt, and ``updated_at``, by which clients detect a change."""
    debt.save(update_fields=[*fields, "updated_at"])


def _check_components(debt: Debt) -> None:
    if debt.is_itemized:
        found = balances(debt)
        for component in NAMES:
            if found.of(component) < 0:
                raise ExceedsComponent(component)


def _update_status(debt: Debt) -> None:
    """Mark an open debt as paid at 0, and derive its status again when the balance rises."""
    if debt.current_balance == 0 and debt.is_open:
        debt.current_status = DebtStatus.PAID
        statuses.close_requests(debt, now=debt.updated_at)
    elif debt.current_balance > 0 and debt.current_status == DebtStatus.PAID:
        debt.current_status = statuses.derive(debt)
    statuses.keep_disputed(debt)
