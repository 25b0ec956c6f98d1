"""The demo's debts and payments with their ledger entries.

Everything before the demo's month is written in bulk, as the books of an agency that came from another system: in the form
that the domain functions give it, so ``manage.py check_ledger`` passes. Debts that are placed within the month are written on
their day, and its payments are recorded by ``payments.posting`` (``ddc.demo.money``).
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from agents.models import Agent
from collection.models import Debt, DebtStatus, LedgerEntry
from creditors import creditors
from creditors.models import Creditor
from ddc.common import money
from ddc.common.models import uuid7
from ddc.demo.people import Country
from ddc.demo.sample import SAMPLE
from debtors.models import Debtor
from payments.models import Payment, PaymentMethod, PaymentStatus

Kind = LedgerEntry.Kind

#: A typical debt, in each currency's own unit.
_TYPICAL = {"USD": 900, "GBP": 700, "EUR": 800, "INR": 60_000, "BRL": 3_500, "CAD": 1_100, "AUD": 1_200, "JPY": 120_000}
_METHODS = [method.value for method in PaymentMethod if method != PaymentMethod.OTHER]
_OLDEST = 120
#: Days since many debts were placed at once; strategy rules apply to these ages today.
_BATCHES = (2, 3, 14, 15, 21, 30, 31, 60)


@dataclass(frozen=True)
class PlannedPayment:
    """A payment within the month: the share of what is open on its day."""

    debt: Debt
    share: float
    method: str
    status: str
    transaction: str


@dataclass
class Books:
    """Rows to insert together, in this order."""

    debts: list[Debt] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)

    def write(self) -> None:
        Debt.objects.bulk_create(self.debts, batch_size=500)
        Payment.objects.bulk_create(self.payments, batch_size=500)
        LedgerEntry.objects.bulk_create(self.entries, batch_size=500)


@dataclass
class Portfolio:
    """The debts with their payments and ledger entries: before the month, and by day of the month."""

    rng: random.Random
    creditors: list[Creditor]
    agents: Sequence[Agent]
    #: The first day of the month, and the last one.
    start: date
    today: date
    earlier: Books = field(default_factory=Books)
    placed: dict[date, Books] = field(default_factory=lambda: defaultdict(Books))
    planned: dict[date, list[PlannedPayment]] = field(default_factory=lambda: defaultdict(list))
    _debts: int = 0
    _payments: int = 0

    def add(self, debtor: Debtor, country: Country) -> None:
        """Generate a debt and payments on it."""
        rng = self.rng
        currency = country.currency if rng.random() < 0.96 else "EUR"
        age = rng.choice(_BATCHES) if rng.random() < 0.3 else rng.randint(0, _OLDEST)
        placed = self.today - timedelta(days=age)
        original = _amount(_TYPICAL[currency] * rng.lognormvariate(0, 0.9), currency)
        self._debts += 1
        debt = Debt(
            debtor=debtor,
            creditor=rng.choice(self.creditors),
            external_reference=f"INV-{placed.year}-{self._debts:05d}",
            currency_code=currency,
            original_balance=original,
            current_balance=Decimal(0),
            placement_date=placed,
            due_date=placed + timedelta(days=rng.choice((14, 30, 45, 60))) if rng.random() < 0.95 else None,
            p2p_score=Decimal(rng.randint(0, 1000)).scaleb(-3) if rng.random() < 0.9 else None,
            created_at=self._at(placed),
        )
        books = self._books(placed)
        books.debts.append(debt)
        self._post(debt, Kind.PLACEMENT, original, placed, {"type": "placement"})
        self._pay(debt, age)
        if debt.current_balance == 0:
            debt.current_status = DebtStatus.PAID
        elif placed < self.start:
            self._set_status(debt)

    def _books(self, day: date) -> Books:
        return self.earlier if day < self.start else self.placed[day]

    def _set_status(self, debt: Debt) -> None:
        statuses = ("active", "payment_plan", "settled", "written_off", "recalled")
        debt.current_status = self.rng.choices(statuses, (86, 8, 3, 2, 1))[0]
        eve = self.start - timedelta(days=1)
        if debt.current_status == DebtStatus.PAYMENT_PLAN:
            debt.hand_status, debt.hand_status_by = DebtStatus.PAYMENT_PLAN, self.rng.choice(self.agents)
            debt.hand_status_at, debt.hand_status_reason = self._at(eve), "Agreed by phone."
        if debt.current_status in (DebtStatus.SETTLED, DebtStatus.WRITTEN_OFF):
            cause = {"type": "closing", "status": debt.current_status}
            self._post(debt, Kind.WRITE_OFF, -debt.current_balance, eve, cause)

    def _pay(self, debt: Debt, age: int) -> None:
        rng = self.rng
        score = float(debt.p2p_score if debt.p2p_score is not None else Decimal("0.5"))
        number = round(min(age, 90) / 26 * (0.3 + score) * rng.uniform(0.2, 1.8))
        for day in sorted(debt.placement_date + timedelta(days=rng.randint(0, age)) for _ in range(number)):
            share = 1 if rng.random() < 0.05 else rng.uniform(0.05, 0.4)
            status = rng.choices(PaymentStatus.values, (4, 88, 6, 2))[0]
            self._payments += 1
            planned = PlannedPayment(debt, share, rng.choice(_METHODS), status, f"DEMO-{self._payments:06d}")
            if day >= self.start:
                self.planned[day].append(planned)
            elif debt.current_balance:
                self._payment(planned, day)

    def _payment(self, planned: PlannedPayment, day: date) -> None:
        debt = planned.debt
        amount = part(debt, planned.share)
        payment = Payment(
            debt=debt,
            amount=amount,
            currency_code=debt.currency_code,
            payment_method=planned.method,
            status=planned.status,
            processor_txn_id=planned.transaction,
            payment_date=day,
            refunded_amount=amount if planned.status == PaymentStatus.REFUNDED else Decimal(0),
            recorded_by=self.rng.choice(self.agents),
            created_at=self._at(day),
        )
        self.earlier.payments.append(payment)
        if planned.status == PaymentStatus.COMPLETED:
            self._post(debt, Kind.PAYMENT, -amount, day, _cause(payment), payment=payment)
        elif planned.status == PaymentStatus.REFUNDED:
            was = _cause(payment) | {"status": PaymentStatus.COMPLETED.value}
            paid = self._post(debt, Kind.PAYMENT, -amount, day, was, payment=payment)
            back = _cause(payment) | {"type": "payment_amended"}
            self._post(debt, Kind.REVERSAL, amount, day, back, payment=payment, reverses=paid)

    def _post(
        self,
        debt: Debt,
        kind: LedgerEntry.Kind,
        amount: Decimal,
        day: date,
        cause: dict[str, Any],
        *,
        payment: Payment | None = None,
        reverses: LedgerEntry | None = None,
    ) -> LedgerEntry:
        entry = LedgerEntry(
            id=uuid7(),
            debt=debt,
            kind=kind,
            amount=amount,
            currency_code=debt.currency_code,
            value_date=day,
            posted_at=self._at(day),
            by=payment.recorded_by if payment else None,
            payment_id=payment.pk if payment else None,
            cause=cause,
            reverses=reverses,
        )
        debt.current_balance += amount
        self._books(debt.placement_date).entries.append(entry)
        return entry

    def _at(self, day: date) -> datetime:
        """Return a time on a day: on one of the month before the day's strategy run, else within working hours."""
        first, seconds = (time(4), 3_000) if day >= self.start else (time(8), 30_000)
        return datetime.combine(day, first, UTC) + timedelta(seconds=self.rng.randint(0, seconds))


def make(
    rng: random.Random, people: Sequence[tuple[Debtor, Country]], *, agents: Sequence[Agent], start: date, today: date
) -> Portfolio:
    """Generate one to three debts for each debtor, and payments on them."""
    portfolio = Portfolio(rng, [creditors.find_or_create(name) for name in SAMPLE["creditors"]], agents, start, today)
    for debtor, country in people:
        for _ in range(rng.choices((1, 2, 3), (62, 26, 12))[0]):
            portfolio.add(debtor, country)
    return portfolio


def part(debt: Debt, share: float) -> Decimal:
    """Return a share of what is open on a debt."""
    whole = money.rounded(debt.current_balance, debt.currency_code)
    return min(whole, _amount(float(whole) * share, debt.currency_code))


def _amount(value: float, currency: str) -> Decimal:
    return max(money.rounded(Decimal(value), currency), Decimal(1))


def _cause(payment: Payment) -> dict[str, Any]:
    """Return a payment's part of a ledger entry's cause, as ``payments.posting`` writes it."""
    return {
        "type": "payment",
        "paymentId": str(payment.pk),
        "amount": money.text(payment.amount, payment.currency_code),
        "currencyCode": payment.currency_code,
        "paymentMethod": payment.payment_method,
        "status": payment.status,
        "processorTxnId": payment.processor_txn_id,
        "paymentDate": payment.payment_date.isoformat(),
    }
