"""The claim account of a debt as lawyers read it: one line for each event by value date, and what is owed after it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from collection.balances import ledger
from collection.balances.events import is_opening
from collection.claims.components import NOTHING, Components
from collection.models import Debt, LedgerEntry

Kind = LedgerEntry.Kind
_ORDER = {kind: place for place, kind in enumerate((Kind.INTEREST, Kind.COST, Kind.FEE, Kind.PAYMENT, Kind.CREDIT))}


@dataclass
class StatementLine:
    """One event.

    :ivar change: by how much it changes each component, with later changes of its allocation
    :ivar balances: what is owed after it
    """

    day: date
    kind: LedgerEntry.Kind
    cause: dict[str, Any]
    change: Components
    balances: Components = NOTHING


def lines(debt: Debt) -> list[StatementLine]:
    """Return the claim account as it is posted. What was reversed is left out; the interest of a day is one line."""
    return _account(ledger.unreversed(debt))


def lines_of(debts: Collection[Debt]) -> dict[UUID, list[StatementLine]]:
    """Return the claim accounts of several debts by their ids, with one query."""
    entries: dict[UUID, list[LedgerEntry]] = {debt.pk: [] for debt in debts}
    for entry in ledger.unreversed_of(debts):
        entries[entry.debt_id].append(entry)
    return {debt: _account(found) for debt, found in entries.items()}


def _account(entries: Iterable[LedgerEntry]) -> list[StatementLine]:
    found = _lines(entries)
    found.sort(key=lambda line: (line.kind != Kind.PLACEMENT, line.day, _ORDER.get(line.kind, len(_ORDER))))
    balances = NOTHING
    for line in found:
        balances += line.change
        line.balances = balances
    return found


def _lines(entries: Iterable[LedgerEntry]) -> list[StatementLine]:
    entries = list(entries)
    by_entry: dict[Any, StatementLine] = {}
    interest: dict[date, StatementLine] = {}
    for entry in entries:
        line = StatementLine(entry.value_date, Kind(entry.kind), entry.cause, ledger.components_of(entry))
        if line.kind == Kind.INTEREST:
            first = interest.setdefault(line.day, StatementLine(line.day, line.kind, line.cause, NOTHING))
            first.change += line.change
        elif line.kind != Kind.REALLOCATION:
            if is_opening(entry):
                line.kind, line.day = Kind.PLACEMENT, entry.value_date
            by_entry[entry.pk] = line
    for entry in entries:
        if entry.kind == Kind.REALLOCATION and entry.refers_to_id in by_entry:
            by_entry[entry.refers_to_id].change += ledger.components_of(entry)
    return [*by_entry.values(), *(line for line in interest.values() if line.change)]
