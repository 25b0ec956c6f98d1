"""Redenominate the debts in a currency that has ended: from a day on they are owed in its successor, at the rate fixed by law.

In the ledger all entries are reversed and posted again in the new currency, each rounded half up; what roundings add up to is an
adjustment, so that the balance is the old one, converted. Payments, disputed amounts and original balances are converted with
them. Statuses, value dates and transaction ids stay. A debt is redenominated once, since it is then in another currency.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from agents.models import Agent, require_permission
from collection.balances import ledger
from collection.claims.components import NAMES, Components
from collection.models import Debt, Dispute, LedgerEntry, Segment
from ddc.common import money
from ddc.common.days import agency_today
from ddc.common.errors import Invalid
from ddc.common.reference import currencies
from ddc.common.reference.currencies import Ended
from payments.models import Payment

Kind = LedgerEntry.Kind
#: Called with the number of debts that are done.
Progress = Callable[[int], None]
_BATCH = 500


class NotEnded(Invalid):
    """The currency has not ended."""

    code = "enum"
    field = "currency_code"

    def __init__(self, currency: str) -> None:
        super().__init__(f"{currency} has not ended, as far as the table of ended currencies knows.")


@dataclass
class Report:
    """The result: the numbers of debts and payments, the open balances before and after, and segments to change by hand."""

    currency: str
    ended: Ended
    debts: int = 0
    payments: int = 0
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    segments: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Draft:
    """An entry to post in the new currency."""

    kind: LedgerEntry.Kind
    amount: Decimal
    components: Components
    like: LedgerEntry | None


def redenominate(
    currency: str, *, by: Agent | None, now: datetime, dry_run: bool = False, progress: Progress = lambda done: None
) -> Report:
    """Redenominate all debts in a currency, in batches that are committed one by one; a second call continues and adds nothing.

    :param dry_run: roll each batch back
    :raises NotEnded: if the currency has not ended by the agency's day
    :raises Forbidden: if ``by`` may not adjust balances or reverse payments
    """
    ended = currencies.ended(currency, today=agency_today(now))
    if ended is None:
        raise NotEnded(currency)
    for permission in ("collections.adjust_debt", "payments.reverse_payment"):
        require_permission(by, permission)
    report = Report(currency, ended)
    report.segments = list(
        Segment.objects.filter(currency_code=currency).order_by("name").values_list("name", flat=True)
    )
    ids = list(Debt.objects.filter(currency_code=currency).order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(ids), _BATCH):
        with transaction.atomic():
            for debt in ledger.lock_existing(ids[first : first + _BATCH]).values():
                if debt.currency_code == currency:
                    _redenominate(debt, report, by=by, now=now)
            if dry_run:
                transaction.set_rollback(True)
        progress(report.debts)
    return report


def _redenominate(debt: Debt, report: Report, *, by: Agent | None, now: datetime) -> None:
    """Redenominate one locked debt."""
    ended, today, before = report.ended, agency_today(now), debt.current_balance
    cause = {"type": "redenomination", "previousCurrency": debt.currency_code, "rate": str(ended.rate)}
    after, balances_before = ended.convert(before), ledger.balances(debt)
    entries = ledger.unreversed(debt)
    for entry in entries:
        ledger.reverse(entry, debt, by=by, value_date=today, cause=cause, more_follows=True)
    report.payments += _convert_payments(debt, ended)
    drafts = _drafts(entries, ended, after, balances_before)
    debt.original_balance = sum((one.amount for one in drafts if one.kind == Kind.PLACEMENT), Decimal(0))
    _convert_disputes(debt, ended, after)
    debt.currency_code = ended.successor
    ledger.save(debt, "currency_code", "original_balance", "disputed_amount")
    for number, draft in enumerate(drafts, start=1):
        ledger.post(
            debt,
            draft.kind,
            draft.amount,
            draft.like.value_date if draft.like else today,
            by=by,
            cause=_cause_in(draft, ended) if draft.like else cause,
            components=draft.components,
            payment_id=draft.like.payment_id if draft.like else None,
            refers_to=_payment_entry(draft, ended) if draft.like else None,
            more_follows=number < len(drafts),
        )
    report.debts += 1
    if debt.is_open:
        report.before, report.after = report.before + before, report.after + after


def _drafts(entries: Sequence[LedgerEntry], ended: Ended, after: Decimal, balances_before: Components) -> list[_Draft]:
    """Return the entries in the new currency, with their components as they are now, and the adjustment for the roundings."""
    now = {entry.pk: ledger.components_of(entry) for entry in entries}
    for entry in entries:
        if entry.kind == Kind.REALLOCATION and entry.refers_to_id in now:
            now[entry.refers_to_id] = now[entry.refers_to_id] + now[entry.pk]
    kept = [entry for entry in entries if entry.kind != Kind.REALLOCATION]
    drafts = [
        _Draft(Kind(entry.kind), amount, _converted(now[entry.pk], amount, ended), entry)
        for entry in kept
        if (amount := _amount(entry, ended))
    ]
    rest = _converted(balances_before, after, ended) - Components.sum(draft.components for draft in drafts)
    if rest:
        drafts.append(_Draft(Kind.ADJUSTMENT, rest.total, rest, None))
    return drafts


def _converted(components: Components, amount: Decimal, ended: Ended) -> Components:
    """Return components that add up to an amount in the new currency; the roundings are the principal's, as far as it goes."""
    left, parts = amount, {}
    for name in NAMES[1:]:
        part = ended.convert(components.of(name))
        parts[name] = part if abs(part) <= abs(left) else left
        left -= parts[name]
    return Components(principal=left, **parts)


def _payment_entry(draft: _Draft, ended: Ended) -> LedgerEntry | None:
    """Return the new entry of the payment that went back by this one."""
    if draft.like is None or draft.like.refers_to_id is None:
        return None
    found = LedgerEntry.objects.filter(payment_id=draft.like.payment_id, kind=Kind.PAYMENT, reversed_by__isnull=True)
    return found.get(currency_code=ended.successor)


def _amount(entry: LedgerEntry, ended: Ended) -> Decimal:
    """Return an entry's amount; a placement and a payment are at least the smallest amount of the currency."""
    converted = ended.convert(entry.amount)
    if converted == 0 and entry.kind in (Kind.PLACEMENT, Kind.PAYMENT):
        return money.quantum(ended.successor).copy_sign(entry.amount)
    return converted


def _cause_in(draft: _Draft, ended: Ended) -> dict[str, Any]:
    """Return the cause of the entry before. That of a payment is its copy, in the new currency."""
    cause: dict[str, Any] = draft.like.cause if draft.like else {}
    if "amount" not in cause:
        return cause
    return cause | {"amount": money.text(abs(draft.amount), ended.successor), "currencyCode": ended.successor}


def _convert_payments(debt: Debt, ended: Ended) -> int:
    """Convert the payments of a debt in every status, so that a pending one can still be completed."""
    payments = list(Payment.objects.select_for_update(no_key=True).filter(debt=debt).order_by("pk"))
    for payment in payments:
        payment.amount = max(ended.convert(payment.amount), money.quantum(ended.successor))
        payment.currency_code = ended.successor
    Payment.objects.bulk_update(payments, ["amount", "currency_code"])
    return len(payments)


def _convert_disputes(debt: Debt, ended: Ended, after: Decimal) -> None:
    for dispute in Dispute.objects.filter(debt=debt).order_by("pk"):
        if dispute.portion is not None:
            dispute.portion = max(ended.convert(dispute.portion), money.quantum(ended.successor))
        dispute.currency_code = ended.successor
        dispute.save(update_fields=["portion", "currency_code"])
        if dispute.is_open:
            debt.disputed_amount = max(after, ended.convert(debt.disputed_amount))
            if dispute.portion is not None:
                debt.disputed_amount = dispute.portion
