"""A debtor's account as the home page shows it: what to pay and when, and the debts by urgency with all that concerns them."""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from django.db.models import Q, QuerySet, Sum

from arrangements import overview
from arrangements.models import Arrangement
from arrangements.overview import Overview
from collection.models import Debt, DeferralRequest, Dispute, Hold, LedgerEntry
from debtors import calendars
from debtors.models import Debtor
from payments.models import CreditEntry

MAX_ROWS = 200
#: For so long a decision is shown in its debt, and as what changed.
_NEWS = timedelta(days=14)
_PAID = ("payment", "credit", "chargeback", "refund")

Sums = dict[str, Decimal]
Row = TypeVar("Row", DeferralRequest, Dispute)


@dataclass
class DebtCard:
    """A debt with its plan, its newest request and dispute, and whether it rests.

    :ivar ask: what is asked for it, and by which day; None where nothing is asked
    """

    debt: Debt
    today: date
    plan: Overview | None = None
    request: DeferralRequest | None = None
    dispute: Dispute | None = None
    rests: bool = False

    @property
    def is_wholly_disputed(self) -> bool:
        return self.debt.is_open and self.debt.is_fully_disputed

    @property
    def is_on_hold(self) -> bool:
        return self.debt.is_open and (self.rests or self.is_wholly_disputed)

    @property
    def disputed(self) -> Decimal:
        return min(self.debt.disputed_amount, self.debt.current_balance) if self.debt.is_open else Decimal(0)

    @property
    def running_plan(self) -> Overview | None:
        return self.plan if self.plan and self.plan.arrangement.status == Arrangement.Status.ACTIVE else None

    @property
    def ask(self) -> tuple[Decimal, date] | None:
        if not self.debt.is_open or self.is_on_hold:
            return None
        if self.running_plan and self.running_plan.next:
            return self.running_plan.next.open, self.running_plan.next.due_on
        return self.debt.undisputed, self.debt.due_date or self.today

    @property
    def amount(self) -> Decimal:
        """The figure beside the creditor's name."""
        balance: Decimal = self.debt.current_balance
        return balance

    @property
    def may_have_time(self) -> bool:
        is_pending = self.request is not None and self.request.status == DeferralRequest.Status.PENDING
        return self.debt.is_open and not self.is_on_hold and not is_pending and not self.running_plan

    @property
    def may_have_plan(self) -> bool:
        return self.debt.is_open and not self.disputed and not self.is_on_hold and not self.running_plan

    @property
    def urgency(self) -> tuple[int, date]:
        if self.ask:
            return 0, self.ask[1]
        return (1 if self.debt.is_open else 2), self.today


@dataclass
class Account:
    """Sums by currency, the cards by urgency, and what changed within two weeks.

    :ivar later: what is asked by each later day
    """

    today: date
    cards: list[DebtCard] = field(default_factory=list)
    owed: Sums = field(default_factory=dict)
    due: Sums = field(default_factory=dict)
    later: list[tuple[date, Decimal, str]] = field(default_factory=list)
    on_hold: Sums = field(default_factory=dict)
    paid: Sums = field(default_factory=dict)
    credit: Sums = field(default_factory=dict)

    @property
    def open_cards(self) -> list[DebtCard]:
        return [card for card in self.cards if card.debt.is_open]

    @property
    def closed_cards(self) -> list[DebtCard]:
        return [card for card in self.cards if not card.debt.is_open]

    @property
    def may_have_time(self) -> bool:
        return any(card.may_have_time for card in self.cards)

    @property
    def progress(self) -> tuple[Decimal, Decimal, str] | None:
        """What is paid, of how much, where all is in one currency."""
        currencies = set(self.owed) | set(self.paid)
        if len(currencies) != 1 or not any(self.paid.values()):
            return None
        (currency,) = currencies
        paid = self.paid[currency]
        return paid, paid + self.owed.get(currency, Decimal(0)), currency


def load(debtor: Debtor, *, now: datetime) -> Account:
    """Load a debtor's account, with the newest 200 debts, by the debtor's day; in a fixed number of queries."""
    today = calendars.today(debtor, at=now)
    debts = list(Debt.objects.filter(debtor=debtor).select_related("creditor")[:MAX_ROWS])
    account = Account(today, cards=cards_of(debts, today=today, now=now))
    account.cards.sort(key=lambda card: card.urgency)
    _add_up(account)
    entries = LedgerEntry.objects.filter(debt__in=[card.debt.pk for card in account.open_cards], kind__in=_PAID)
    paid = entries.filter(reversed_by__isnull=True).order_by().values_list("currency_code")
    account.paid = {currency: -amount for currency, amount in paid.annotate(Sum("amount"))}
    credits = CreditEntry.objects.filter(credit__debtor=debtor).order_by().values_list("credit__currency_code")
    account.credit = {currency: amount for currency, amount in credits.annotate(Sum("amount")) if amount > 0}
    return account


def cards_of(debts: list[Debt], *, today: date, now: datetime) -> list[DebtCard]:
    """Return the cards of some debts of one debtor."""
    ids = [debt.pk for debt in debts]
    plans = overview.of_debts([debt.pk for debt in debts if debt.is_open], day=today)
    recent = now - _NEWS
    requests = _newest(DeferralRequest.objects.filter(_open_or_recent("reviewed_at", recent), debt__any_of=ids))
    disputes = _newest(Dispute.objects.filter(_open_or_recent("decided_at", recent), debt__any_of=ids))
    resting = _resting(debts, today)
    return [
        DebtCard(
            debt, today, plans.get(debt.pk), requests.get(debt.pk), disputes.get(debt.pk), debt.pk in resting
        )
        for debt in debts
    ]  # fmt: skip


def _open_or_recent(decided: str, since: datetime) -> Q:
    return Q(**{f"{decided}__isnull": True}) | Q(**{f"{decided}__gt": since})


def _newest(rows: QuerySet[Row]) -> dict[uuid.UUID, Row]:
    found: dict[uuid.UUID, Row] = {}
    for row in rows[:MAX_ROWS]:
        found.setdefault(row.debt_id, row)
    return found


def _resting(debts: list[Debt], today: date) -> set[uuid.UUID]:
    """Return the debts for which nothing may be asked, for another reason than more time, a plan or a dispute."""
    if not debts:
        return set()
    own = (Hold.Reason.DEFERRAL, Hold.Reason.DISPUTE, Hold.Reason.ARRANGEMENT)
    holds = Hold.objects.active_between(today, today).filter(blocks_payment_requests=True).exclude(reason__in=own)
    holds = holds.filter(Q(debtor=debts[0].debtor_id) | Q(debt__any_of=[debt.pk for debt in debts]))
    found = set(holds.values_list("debt", flat=True))
    return {debt.pk for debt in debts} if None in found else found


def _add_up(account: Account) -> None:
    owed: defaultdict[str, Decimal] = defaultdict(Decimal)
    due: defaultdict[str, Decimal] = defaultdict(Decimal)
    on_hold: defaultdict[str, Decimal] = defaultdict(Decimal)
    later: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for card in account.open_cards:
        currency = card.debt.currency_code
        owed[currency] += card.debt.current_balance
        if card.is_on_hold:
            on_hold[currency] += card.debt.current_balance
            continue
        if card.disputed:
            on_hold[currency] += card.disputed
        if card.ask and card.ask[1] <= account.today:
            due[currency] += card.ask[0]
        elif card.ask:
            later[card.ask[1], currency] += card.ask[0]
    account.owed, account.due, account.on_hold = dict(owed), dict(due), dict(on_hold)
    account.later = [(day, amount, currency) for (day, currency), amount in sorted(later.items())]
