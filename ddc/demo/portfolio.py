"""The demo's debts and payments with their ledger entries.

They are written in bulk for speed, in the form that the domain functions give them: ``manage.py check_ledger`` passes.
"""

import random
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
from ddc.demo.texts import CREDITORS
from debtors.models import Debtor
from payments.models import Payment, PaymentMethod, PaymentStatus

Kind = LedgerEntry.Kind

#: A typical debt, in each currency's own unit.
_TYPICAL = {"USD": 900, "GBP": 700, "EUR": 800, "INR": 60_000, "BRL": 3_500, "CAD": 1_100, "AUD": 1_200, "JPY": 120_000}
_METHODS = [method.value for method in PaymentMethod if method != PaymentMethod.OTHER]
_OLDEST = 120
#: Days since many debts were placed at once; strategy rules apply to these ages today.
_BATCHES = (2, 3, 14, 15, 21, 30, 31, 60)


@dataclass
class Portfolio:
    """Rows to insert, in this order, and the creditors of the debts."""

    creditors: list[Creditor]
    debts: list[Debt] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)

    def write(self) -> None:
        Debt.objects.bulk_create(self.debts, batch_size=500)
        Payment.objects.bulk_create(self.payments, batch_size=500)
        LedgerEntry.objects.bulk_create(self.entries, batch_size=500)


def make(
    rng: random.Random, people: Sequence[tuple[Debtor, Country]], *, agents: Sequence[Agent], now: datetime
) -> Portfolio:
    """Generate one to three debts for each debtor, and payments on them."""
    portfolio = Portfolio([creditors.find_or_create(name) for name in CREDITORS])
    for debtor, country in people:
        for _ in range(rng.choices((1, 2, 3), (62, 26, 12))[0]):
            _Account(rng, portfolio, debtor, country, agents=agents, now=now).fill()
    return portfolio


class _Account:
    """One debt with its payments and ledger entries."""

    def __init__(
        self,
        rng: random.Random,
        portfolio: Portfolio,
        debtor: Debtor,
        country: Country,
        *,
        agents: Sequence[Agent],
        now: datetime,
    ) -> None:
        self._rng, self._portfolio, self._agents, self._now = rng, portfolio, agents, now
        self._today = now.date()
        currency = country.currency if rng.random() < 0.96 else "EUR"
        age = rng.choice(_BATCHES) if rng.random() < 0.3 else rng.randint(0, _OLDEST)
        placed = self._today - timedelta(days=age)
        original = self._amount(_TYPICAL[currency] * rng.lognormvariate(0, 0.9), currency)
        number = len(portfolio.debts) + 1
        self.debt = Debt(
            debtor=debtor,
            creditor=rng.choice(portfolio.creditors),
            external_reference=f"INV-{placed.year}-{number:05d}",
            currency_code=currency,
            original_balance=original,
            current_balance=Decimal(0),
            placement_date=placed,
            due_date=placed + timedelta(days=rng.choice((14, 30, 45, 60))) if rng.random() < 0.95 else None,
            p2p_score=Decimal(rng.randint(0, 1000)).scaleb(-3) if rng.random() < 0.9 else None,
            created_at=self._at(placed),
        )
        portfolio.debts.append(self.debt)

    def fill(self) -> None:
        self._post(Kind.PLACEMENT, self.debt.original_balance, self.debt.placement_date, {"type": "placement"})
        self._pay()
        if self.debt.current_balance == 0:
            self.debt.status_before_closing, self.debt.current_status = DebtStatus.ACTIVE, DebtStatus.PAID
            return
        status = self._rng.choices(
            ("active", "payment_plan", "disputed", "settled", "written_off", "recalled"), (80, 9, 5, 3, 2, 1)
        )[0]
        self.debt.current_status = status
        if status in (DebtStatus.SETTLED, DebtStatus.WRITTEN_OFF):
            cause = {"type": "closing", "status": status}
            self._post(Kind.WRITE_OFF, -self.debt.current_balance, self._today, cause)

    def _pay(self) -> None:
        age = (self._today - self.debt.placement_date).days
        score = float(self.debt.p2p_score if self.debt.p2p_score is not None else Decimal("0.5"))
        for _ in range(round(min(age, 90) / 26 * (0.3 + score) * self._rng.uniform(0.2, 1.8))):
            left = self.debt.current_balance
            if left == 0:
                return
            share = 1 if self._rng.random() < 0.05 else self._rng.uniform(0.05, 0.4)
            amount = min(left, self._amount(float(left) * share, self.debt.currency_code))
            self._payment(amount, self.debt.placement_date + timedelta(days=self._rng.randint(0, age)))

    def _payment(self, amount: Decimal, day: date) -> None:
        status = self._rng.choices(PaymentStatus.values, (4, 88, 6, 2))[0]
        payment = Payment(
            debt=self.debt,
            amount=amount,
            currency_code=self.debt.currency_code,
            payment_method=self._rng.choice(_METHODS),
            status=status,
            processor_txn_id=f"DEMO-{len(self._portfolio.payments) + 1:06d}",
            payment_date=day,
            recorded_by=self._rng.choice(self._agents),
            created_at=self._at(day),
        )
        self._portfolio.payments.append(payment)
        if status == PaymentStatus.COMPLETED:
            self._post(Kind.PAYMENT, -amount, day, _cause(payment), payment=payment)
        elif status == PaymentStatus.REFUNDED:
            was = _cause(payment) | {"status": PaymentStatus.COMPLETED.value}
            paid = self._post(Kind.PAYMENT, -amount, day, was, payment=payment)
            back = _cause(payment) | {"type": "payment_amended"}
            self._post(Kind.REVERSAL, amount, day, back, payment=payment, reverses=paid)

    def _post(
        self,
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
            debt=self.debt,
            kind=kind,
            amount=amount,
            currency_code=self.debt.currency_code,
            value_date=day,
            posted_at=self._at(day),
            by=payment.recorded_by if payment else None,
            payment_id=payment.pk if payment else None,
            cause=cause,
            reverses=reverses,
        )
        self.debt.current_balance += amount
        self._portfolio.entries.append(entry)
        return entry

    def _amount(self, value: float, currency: str) -> Decimal:
        return max(money.rounded(Decimal(value), currency), Decimal(1))

    def _at(self, day: date) -> datetime:
        moment = datetime.combine(day, time(8), UTC) + timedelta(seconds=self._rng.randint(0, 30_000))
        return min(moment, self._now)


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
