"""Ledger entries, and drafts of entries, as the events of a debt's account."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from collection.balances import ledger
from collection.claims import account
from collection.claims.account import Event
from collection.claims.components import NOTHING, Components
from collection.models import LedgerEntry

Kind = LedgerEntry.Kind
_EVENTS = {
    Kind.PAYMENT: account.Kind.PAYMENT,
    Kind.CREDIT: account.Kind.PAYMENT,
    Kind.REFUND: account.Kind.REFUND,
    Kind.COST: account.Kind.CHARGE,
    Kind.FEE: account.Kind.CHARGE,
    Kind.ADJUSTMENT: account.Kind.ADJUSTMENT,
    Kind.WAIVER: account.Kind.ADJUSTMENT,
    Kind.WRITE_OFF: account.Kind.ADJUSTMENT,
}


@dataclass(frozen=True)
class Draft:
    """An entry to book. The components of a payment, a refund or a charge-back follow from its amount.

    :ivar amount: signed, as in ``LedgerEntry``
    :ivar components: of a charge, waiver, write-off or adjustment; None: principal
    """

    kind: LedgerEntry.Kind
    amount: Decimal
    value_date: date
    cause: dict[str, Any] = field(default_factory=dict)
    components: Components | None = None
    payment_id: Any = None
    reverses: LedgerEntry | None = None
    refers_to: LedgerEntry | None = None


@dataclass
class Item:
    """An entry, or a draft of one, as an event of the account.

    :ivar posted: the components that the ledger has for it by now, with later changes
    :ivar draft: what is to be booked for it
    """

    key: str
    source: LedgerEntry | Draft
    posted: Components = NOTHING
    returned: Decimal = Decimal(0)
    draft: Draft | None = None


def event_of(item: Item, items: Sequence[Item]) -> Event:
    """Return the event of an entry other than a placement; a refund refers to the event of its payment."""
    source = item.source
    kind = _EVENTS[Kind(source.kind)]
    if kind == account.Kind.PAYMENT:
        direction = tuple(source.cause.get("direction", ()))
        return Event(item.key, kind, source.value_date, -source.amount, returned=item.returned, direction=direction)
    if kind == account.Kind.REFUND:
        payment = next(one for one in items if _key(one.source) == _referred(source))
        return Event(item.key, kind, source.value_date, source.amount, refers_to=payment.key)
    return Event(item.key, kind, source.value_date, split=components_of(source))


def items_of(entries: Sequence[LedgerEntry], drafts: Sequence[Draft] = ()) -> list[Item]:
    """Return the events of an account. A charge-back belongs to its payment, a changed allocation to its entry."""
    sources: list[LedgerEntry | Draft] = [*entries, *drafts]
    direct = {Kind.INTEREST, Kind.REALLOCATION, Kind.CHARGEBACK, Kind.REVERSAL}
    found = [item_of(source, number) for number, source in enumerate(sources) if source.kind not in direct]
    by_entry = {_key(item.source): item for item in found if isinstance(item.source, LedgerEntry)}
    for source in sources:
        if source.kind not in (Kind.REALLOCATION, Kind.CHARGEBACK):
            continue
        item = by_entry[_referred(source)]
        item.returned += source.amount
        if isinstance(source, Draft):
            item.draft = source
        else:
            item.posted += ledger.components_of(source)
    return found


def item_of(source: LedgerEntry | Draft, number: int) -> Item:
    """Return an entry or a draft as an event; ``number`` tells equal drafts apart."""
    # Of equal events on a day the order must not depend on the order in which they arrived.
    key = f"{abs(source.amount):025.4f} {getattr(source, 'pk', f'~{number}')}"
    if isinstance(source, Draft):
        return Item(key, source, draft=source)
    return Item(key, source, posted=ledger.components_of(source))


def _key(source: LedgerEntry | Draft) -> Hashable:
    return source.pk if isinstance(source, LedgerEntry) else None


def _referred(source: LedgerEntry | Draft) -> Hashable:
    return source.refers_to_id if isinstance(source, LedgerEntry) else source.refers_to and source.refers_to.pk


def components_of(source: LedgerEntry | Draft) -> Components:
    """Return the components of an entry as it was posted."""
    if isinstance(source, LedgerEntry):
        return ledger.components_of(source)
    return source.components or Components(principal=source.amount)


def is_opening(source: LedgerEntry | Draft) -> bool:
    """Return whether an entry is a placement, or the adjustment to the balance that the debt was placed with."""
    return source.kind == Kind.PLACEMENT or (source.kind == Kind.ADJUSTMENT and source.cause.get("type") == "placement")
