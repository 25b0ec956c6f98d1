"""The account of a debt: its ledger entries in the order of their value dates, with interest and allocation.

With each booking the account is computed, and the ledger gets the differences: interest by value date, changed allocations,
and the entry itself. So the order in which entries arrive does not matter, and a second run posts nothing. A debt
that never had interest, costs or fees is principal only and needs none of this.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from agents.models import Agent
from collection.balances import ledger, terms
from collection.balances.events import Draft, Item, components_of, event_of, is_opening, item_of, items_of
from collection.claims import account
from collection.claims.account import Account, Event
from collection.claims.components import Components
from collection.models import Debt, LedgerEntry
from ddc.common import money

Kind = LedgerEntry.Kind
_OPENING = "opening"


def book(
    debt: Debt, *drafts: Draft, by: Agent | None, until: date | None = None, posted_at: datetime | None = None
) -> None:
    """Post entries on a locked debt, and what they change: interest until their value dates, and allocations.

    :param until: post the interest until this day too
    :raises ExceedsBalance: if more would be paid than is owed
    """
    to_post = list(drafts) if _is_simple(debt, drafts) else _with_differences(debt, drafts, until)
    for number, draft in enumerate(to_post, start=1):
        ledger.post(
            debt,
            draft.kind,
            draft.amount,
            draft.value_date,
            by=by,
            cause=draft.cause,
            components=draft.components,
            payment_id=draft.payment_id,
            reverses=draft.reverses,
            refers_to=draft.refers_to,
            more_follows=number < len(to_post),
            posted_at=posted_at,
        )


def reversal(entry: LedgerEntry, value_date: date, cause: dict[str, Any]) -> Draft:
    """Return the draft that reverses an entry."""
    components = -ledger.components_of(entry)
    return Draft(Kind.REVERSAL, -entry.amount, value_date, cause, components, entry.payment_id, reverses=entry)


def to_balance(debt: Debt, balance: Decimal, day: date, cause: dict[str, Any]) -> Draft:
    """Return the adjustment after which a balance is owed, with the interest until a day."""
    return Draft(Kind.ADJUSTMENT, balance - owed(debt, day).total, day, cause)


def on_day(debt: Debt, day: date) -> Account:
    """Return the account of a debt on a day, with the interest until then."""
    if _is_simple(debt, ()):
        return Account(until=day, balances=ledger.balances(debt))
    return _compute(debt, items_of(ledger.unreversed(debt)), day)[0]


def owed(debt: Debt, day: date) -> Components:
    """Return what is owed by component, with all entries and the interest until a day or the last entry."""
    if _is_simple(debt, ()):
        return ledger.balances(debt)
    entries = ledger.unreversed(debt)
    return _compute(debt, items_of(entries), max([day, *_days(entries)]))[0].balances


def paid(debt: Debt) -> Decimal:
    """Return what was paid on a debt in all, without what went back."""
    kinds = (Kind.PAYMENT, Kind.CREDIT, Kind.CHARGEBACK, Kind.REFUND)
    return -sum((entry.amount for entry in ledger.unreversed(debt, *kinds)), Decimal(0))


def largest_payment(debt: Debt, value_date: date) -> Decimal:
    """Return the largest payment with a value date that leaves nothing over: what is open for it."""
    unit = money.quantum(debt.currency_code)
    total = owed(debt, value_date).total.quantize(unit)
    if _is_simple(debt, ()):
        return total
    entries = ledger.unreversed(debt)
    until = max([value_date, *_days(entries)])

    def excess(amount: Decimal) -> Decimal:
        items = [*items_of(entries), item_of(Draft(Kind.PAYMENT, -amount, value_date), len(entries))]
        return _compute(debt, items, until)[0].excess

    fits, too_much = total - excess(total).quantize(unit), total
    while too_much - fits > unit:  # An earlier payment saves interest, so the two are close to each other.
        middle = fits + ((too_much - fits) / 2 // unit) * unit
        fits, too_much = (fits, middle) if excess(middle) else (middle, too_much)
    return fits


def _is_simple(debt: Debt, drafts: Iterable[Draft]) -> bool:
    if debt.is_itemized or debt.interest_schedule_id is not None:
        return False
    return all(draft.components is None or draft.components.principal == draft.amount for draft in drafts)


def _with_differences(debt: Debt, drafts: Sequence[Draft], until: date | None) -> list[Draft]:
    """Return all entries to post: reversals, the differences of interest and allocation, and the drafts themselves."""
    reversed_by: dict[Hashable, Draft] = {draft.reverses.pk: draft for draft in drafts if draft.reverses}
    kept, reversals = [], [draft for draft in drafts if draft.reverses]
    for entry in ledger.unreversed(debt):
        if entry.pk in reversed_by:
            continue
        if entry.kind == Kind.REALLOCATION and (of := reversed_by.get(entry.refers_to_id)):
            reversals.append(reversal(entry, of.value_date, of.cause))
        else:
            kept.append(entry)
    new = [draft for draft in drafts if not draft.reverses]
    items = items_of(kept, new)
    days = [*_days(kept), *(draft.value_date for draft in new), *([until] if until else [])]
    if not days:
        return [*reversals, *new]
    found, checkpoints = _compute(debt, items, max(days), [*([until] if until else []), *_interest_days(kept)])
    if found.excess:
        raise ledger.ExceedsBalance
    placements = [draft for draft in new if is_opening(draft)]
    return [
        *placements,
        *_interest_differences(kept, checkpoints),
        *_allocation_differences(items, found),
        *reversals,
        *_allocated(items, found),
    ]


def _compute(
    debt: Debt, items: Sequence[Item], until: date, checkpoints: Sequence[date] = ()
) -> tuple[Account, dict[date, Decimal]]:
    """Return the account on a day, and the whole interest until the day of each event and each checkpoint."""
    openings = [item.source for item in items if is_opening(item.source)]
    split = Components.sum(components_of(source) for source in openings)
    events = [Event(_OPENING, account.Kind.OPENING, debt.placement_date, split=split)]
    events += [event_of(item, items) for item in items if not is_opening(item.source)]
    events += [Event(f"day {day}", account.Kind.ADJUSTMENT, day) for day in set(checkpoints)]
    law = terms.of(debt)
    unit = money.quantum(debt.currency_code)
    found = account.compute(events, law.policy, law.interest, until, unit=unit)
    by_day = {line.event.value_date: line.interest for line in found.lines if line.event.kind != account.Kind.OPENING}
    return found, by_day


def _days(entries: Iterable[LedgerEntry]) -> list[date]:
    return [entry.value_date for entry in entries if not is_opening(entry)]


def _interest_days(entries: Iterable[LedgerEntry]) -> list[date]:
    return [entry.value_date for entry in entries if entry.kind == Kind.INTEREST]


def _interest_differences(entries: Iterable[LedgerEntry], by_day: dict[date, Decimal]) -> list[Draft]:
    """Return the interest to post on each day, so that each day has the interest since the day before."""
    posted: dict[date, Decimal] = defaultdict(Decimal)
    for entry in entries:
        if entry.kind == Kind.INTEREST:
            posted[entry.value_date] += entry.amount
    drafts, before = [], Decimal(0)
    for day in sorted(by_day):
        if more := by_day[day] - before - posted[day]:
            drafts.append(Draft(Kind.INTEREST, more, day, {"type": "interest"}, Components(interest=more)))
        before = by_day[day]
    return drafts


def _allocation_differences(items: Iterable[Item], found: Account) -> list[Draft]:
    """Return the changed allocations of the entries that are posted already."""
    splits = {line.event.id: line.split for line in found.lines}
    return [
        Draft(
            Kind.REALLOCATION,
            Decimal(0),
            item.source.value_date,
            {"type": "reallocation"},
            difference,
            item.source.payment_id,
            refers_to=item.source,
        )
        for item in items
        if isinstance(item.source, LedgerEntry) and item.draft is None and not is_opening(item.source)
        if (difference := splits[item.key] - item.posted)
    ]


def _allocated(items: Iterable[Item], found: Account) -> list[Draft]:
    """Return the drafts with their components."""
    splits = {line.event.id: line.split for line in found.lines}
    return [
        replace(item.draft, components=splits[item.key] - item.posted)
        for item in items
        if item.draft and not is_opening(item.source)
    ]


@dataclass(frozen=True)
class Payoff:
    """The amount that closes a debt on a day.

    :ivar balances: as posted
    :ivar accrued: the interest until the day that is not posted yet
    """

    day: date
    currency_code: str
    balances: Components
    accrued: Decimal
    amount: Decimal


def payoff(debt: Debt, day: date) -> Payoff:
    """Return the amount that closes a debt on a day. No interest accrues on a closed one."""
    posted = ledger.balances(debt)
    accrued, amount = Decimal(0), posted.total
    if debt.is_open and not _is_simple(debt, ()):
        accrued = max(on_day(debt, day).balances.interest - posted.interest, Decimal(0))
        amount = largest_payment(debt, day)
    return Payoff(day, debt.currency_code, posted, accrued, amount)
