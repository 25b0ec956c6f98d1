"""Random sequences of operations on one debt against a naive model: its balance, its status, what is disputed, when it is due."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Agent
from collection import debts, deferrals, disputes
from collection.holds import expiry
from collection.models import Debt, DeferralRequest, Dispute
from ddc.common.errors import DomainError
from payments import posting, reconciliation
from payments.models import Payment
from tests import factories

START = datetime(2026, 2, 1, 12, tzinfo=UTC)
OPEN = ("active", "payment_plan", "deferred", "disputed")
CLOSED = ("settled", "written_off", "recalled")

AMOUNTS = st.integers(1, 12_000).map(lambda cents: Decimal(cents).scaleb(-2))
OPERATIONS = st.one_of(
    st.tuples(st.just("pay"), AMOUNTS),
    st.tuples(st.just("void"), st.integers(0, 3)),
    st.tuples(st.just("adjust"), st.one_of(st.just(Decimal(0)), AMOUNTS)),
    st.tuples(st.just("set_status"), st.sampled_from((*OPEN, *CLOSED)), st.sampled_from((None, 3))),
    st.tuples(st.just("dispute"), st.one_of(st.none(), AMOUNTS)),
    st.tuples(st.just("decide")),
    st.tuples(st.just("defer"), st.integers(1, 9)),
    st.tuples(st.just("end_deferral"), st.integers(0, 2)),
    st.tuples(st.just("wait"), st.integers(1, 6)),
)


class Refused(Exception):
    """The model refuses the operation."""


@dataclass
class Deferral:
    before: date | None
    until: date
    is_running: bool = True


@dataclass
class Model:
    """The rules of docs/statuses.md in the simplest form."""

    today: date
    balance: Decimal = Decimal(100)
    written_off: Decimal = Decimal(0)
    closed: str | None = None
    by_hand: str | None = None
    by_hand_until: date | None = None
    dispute: Decimal | None = None
    is_whole: bool = False
    due: date | None = None
    payments: list[Decimal | None] = field(default_factory=list)
    deferrals: list[Deferral] = field(default_factory=list)

    @property
    def status(self) -> str:
        if self.closed:
            return self.closed
        if not self.balance:
            return "paid"
        if self.dispute and self.is_whole:
            return "disputed"
        if any(one.is_running for one in self.deferrals):
            return "deferred"
        return self.by_hand or "active"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def require(self, condition: object) -> None:
        if not condition:
            raise Refused

    def pay(self, amount: Decimal) -> None:
        self.require(self.closed is None and amount <= self.balance)
        self.balance -= amount
        self.payments.append(amount)

    def void(self, index: int) -> None:
        self.require(index < len(self.payments) and self.payments[index] and self.closed is None)
        self.balance += self.payments[index] or 0
        self.payments[index] = None

    def adjust(self, balance: Decimal) -> None:
        if balance != self.balance:
            self.require(self.closed is None)
            self.balance = balance

    def set_status(self, status: str, days: int | None) -> None:
        until = self.today + timedelta(days=days) if days else None
        if status == self.status and not (until and self.by_hand == status):
            return
        if self.is_open and status in OPEN:
            self.require(not (self.dispute and self.is_whole) and not any(one.is_running for one in self.deferrals))
            self.by_hand = None if status == "active" else status
            self.by_hand_until = until if self.by_hand else None
        elif self.is_open:
            self.closed = status
            self.written_off = Decimal(0) if status == "recalled" else self.balance
            self.balance -= self.written_off
        else:
            self.require(self.closed and status == "active")
            self.balance, self.written_off, self.closed = self.balance + self.written_off, Decimal(0), None

    def dispute_it(self, portion: Decimal | None) -> None:
        self.require(self.is_open and self.dispute is None and (portion is None or portion <= self.balance))
        self.is_whole = portion is None or portion == self.balance
        self.dispute = portion or self.balance

    def decide(self) -> None:
        self.require(self.dispute)
        self.dispute = None

    def defer(self, days: int) -> None:
        self.require(self.is_open)
        until = max(self.due or self.today, self.today) + timedelta(days=days)
        self.deferrals.append(Deferral(self.due, until))
        self.due = until

    def end_deferral(self, index: int) -> None:
        self.require(index < len(self.deferrals) and self.deferrals[index].is_running)
        ended = self.deferrals[index]
        ended.is_running = False
        if self.due == ended.until:
            self.due = ended.before
        for other in self.deferrals:
            if other.is_running and other.before == ended.until:
                other.before = ended.before

    def wait(self, days: int) -> None:
        self.today += timedelta(days=days)
        for one in self.deferrals:
            one.is_running = one.is_running and one.until > self.today
        if self.by_hand_until and self.by_hand_until <= self.today:
            self.by_hand = self.by_hand_until = None


class Product:
    """The same operations by the domain functions."""

    def __init__(self, boss: Agent) -> None:
        self.boss, self.now = boss, START
        self.pk = factories.debt(balance="100").pk
        self.payments: list[Payment] = []
        self.requests: list[DeferralRequest] = []

    @property
    def debt(self) -> Debt:
        return Debt.objects.select_related("debtor").get(pk=self.pk)

    @property
    def today(self) -> date:
        return self.now.date()

    def pay(self, amount: Decimal) -> None:
        self.payments.append(posting.record(debt=self.debt, amount=amount, by=self.boss, today=self.today))

    def void(self, index: int) -> None:
        if index >= len(self.payments):
            raise DomainError
        posting.void(self.payments[index], by=self.boss, today=self.today)

    def adjust(self, balance: Decimal) -> None:
        debts.amend(self.debt, by=self.boss, today=self.today, current_balance=balance)

    def set_status(self, status: str, days: int | None) -> None:
        more = {"status_until": self.today + timedelta(days=days)} if days else {}
        debts.amend(self.debt, by=self.boss, today=self.today, current_status=status, **more)

    def dispute_it(self, portion: Decimal | None) -> None:
        disputes.receive(self.debt, channel="phone", reason="Not mine.", portion=portion, by=self.boss, now=self.now)

    def decide(self) -> None:
        dispute = Dispute.objects.filter(debt=self.pk, status="received").first()
        if dispute is None:
            raise DomainError
        disputes.withdraw(dispute, answer="Sorry.", by=self.boss, now=self.now)

    def defer(self, days: int) -> None:
        debt = self.debt
        asked = deferrals.request(debt, debtor=debt.debtor, days=days, reason="I lost my job.", now=self.now)
        self.requests.append(deferrals.approve(asked, by=self.boss, notes=None, now=self.now))

    def end_deferral(self, index: int) -> None:
        if index >= len(self.requests):
            raise DomainError
        deferrals.end(self.requests[index], by=self.boss, why="x", now=self.now)

    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        expiry.expire(now=self.now)


def done(act: Callable[..., None], *arguments: Any) -> bool:
    try:
        with transaction.atomic():
            act(*arguments)
    except (Refused, DomainError):
        return False
    return True


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(OPERATIONS, min_size=1, max_size=25))
def test_balance_and_status_are_those_of_the_model(operations: list[tuple[Any, ...]]):
    with transaction.atomic():
        product, model = Product(factories.agent()), Model(today=START.date())
        for name, *arguments in operations:
            act = "dispute_it" if name == "dispute" else name
            before = done(getattr(model, act), *arguments), done(getattr(product, act), *arguments)
            assert before[0] == before[1], (name, arguments, model)
            debt = product.debt
            found = (debt.current_balance, debt.current_status, debt.due_date, debt.hand_status)
            assert found == (model.balance, model.status, model.due, model.by_hand), (name, arguments, model)
            undisputed = model.balance if not model.dispute else 0 if model.is_whole else model.balance - model.dispute
            assert debt.undisputed == max(undisputed, 0)
        assert list(reconciliation.differences()) == []
        transaction.set_rollback(True)
