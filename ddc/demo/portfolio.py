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
from ddc.common.days import agency_today
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


@dataclass
class Portfolio:
    """The debts with their payments and ledger entries: rows to insert, in this order."""

    rng: random.Random
    creditors: list[Creditor]
    agents: Sequence[Agent]
    now: datetime
    debts: list[Debt] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)

    def write(self) -> None:
        Debt.objects.bulk_create(self.debts, batch_size=500)
        Payment.objects.bulk_create(self.payments, batch_size=500)
        LedgerEntry.objects.bulk_create(self.entries, batch_size=500)

    def add(self, debtor: Debtor, country: Country) -> None:
        """Generate a debt and payments on it."""
        rng, today = self.rng, agency_today(self.now)
        currency = country.currency if rng.random() < 0.96 else "EUR"
        age = rng.choice(_BATCHES) if rng.random() < 0.3 else rng.randint(0, _OLDEST)
        placed = today - timedelta(days=age)
        original = _amount(_TYPICAL[currency] * rng.lognormvariate(0, 0.9), currency)
        debt = Debt(
            debtor=debtor,
            creditor=rng.choice(self.creditors),
            external_reference=f"INV-{placed.year}-{len(self.debts) + 1:05d}",
            currency_code=currency,
            original_balance=original,
            current_balance=Decimal(0),
            placement_date=placed,
            due_date=placed + timedelta(days=rng.choice((14, 30, 45, 60))) if rng.random() < 0.95 else None,
            p2p_score=Decimal(rng.randint(0, 1000)).scaleb(-3) if rng.random() < 0.9 else None,
            created_at=self._at(placed),
        )
        self.debts.append(debt)
        self._post(debt, Kind.PLACEMENT, original, placed, {"type": "placement"})
        self._pay(debt, age)
        if debt.current_balance == 0:
            debt.current_status = DebtStatus.PAID
            return
        statuses = ("active", "payment_plan", "disputed", "settled", "written_off", "recalled")
        debt.current_status = rng.choices(statuses, (80, 9, 5, 3, 2, 1))[0]
        if debt.current_status == DebtStatus.PAYMENT_PLAN:
            debt.hand_status, debt.hand_status_by = DebtStatus.PAYMENT_PLAN, rng.choice(self.agents)
            debt.hand_status_at, debt.hand_status_reason = self._at(today), "Agreed by phone."
        if debt.current_status in (DebtStatus.SETTLED, DebtStatus.WRITTEN_OFF):
            cause = {"type": "closing", "status": debt.current_status}
            self._post(debt, Kind.WRITE_OFF, -debt.current_balance, today, cause)

    def _pay(self, debt: Debt, age: int) -> None:
        score = float(debt.p2p_score if debt.p2p_score is not None else Decimal("0.5"))
        for _ in range(round(min(age, 90) / 26 * (0.3 + score) * self.rng.uniform(0.2, 1.8))):
            left = debt.current_balance
            if left == 0:
                return
            share = 1 if self.rng.random() < 0.05 else self.rng.uniform(0.05, 0.4)
            amount = min(left, _amount(float(left) * share, debt.currency_code))
            self._payment(debt, amount, debt.placement_date + timedelta(days=self.rng.randint(0, age)))

    def _payment(self, debt: Debt, amount: Decimal, day: date) -> None:
        status = self.rng.choices(PaymentStatus.values, (4, 88, 6, 2))[0]
        payment = Payment(
            debt=debt,
            amount=amount,
            currency_code=debt.currency_code,
            payment_method=self.rng.choice(_METHODS),
            status=status,
            processor_txn_id=f"DEMO-{len(self.payments) + 1:06d}",
            payment_date=day,
            refunded_amount=amount if status == PaymentStatus.REFUNDED else Decimal(0),
            recorded_by=self.rng.choice(self.agents),
            created_at=self._at(day),
        )
        self.payments.append(payment)
        if status == PaymentStatus.COMPLETED:
            self._post(debt, Kind.PAYMENT, -amount, day, _cause(payment), payment=payment)
        elif status == PaymentStatus.REFUNDED:
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
        self.entries.append(entry)
        return entry

    def _at(self, day: date) -> datetime:
        moment = datetime.combine(day, time(8), UTC) + timedelta(seconds=self.rng.randint(0, 30_000))
        return min(moment, self.now)


def make(
    rng: random.Random, people: Sequence[tuple[Debtor, Country]], *, agents: Sequence[Agent], now: datetime
) -> Portfolio:
    """Generate one to three debts for each debtor, and payments on them."""
    portfolio = Portfolio(rng, [creditors.find_or_create(name) for name in SAMPLE["creditors"]], agents, now)
    for debtor, country in people:
        for _ in range(rng.choices((1, 2, 3), (62, 26, 12))[0]):
            portfolio.add(debtor, country)
    return portfolio


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
