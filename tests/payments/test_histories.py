"""Random histories of a debt, booked in the order in which they arrive: the ledger has what an independent oracle computes."""

import random
import uuid
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from collection import charges
from collection.balances import accounts, ledger
from collection.claims.components import NAMES, Components
from collection.models import Debt, InterestSchedule
from ddc.common.errors import DomainError
from payments import posting, reconciliation, returns
from tests import factories
from tests.collection.claims import oracle

START = date(2026, 1, 1)
LENGTH = 200
TODAY = START + timedelta(days=LENGTH)
NOW = datetime.combine(TODAY, datetime.min.time(), UTC)
LAWS = {"DE": "BGB_367", "NL": "NL_6_44", "FR": "FR_1343_1", "US": "US_RULE", "GB": "UK_COMMON"}
COUNTS = ("act/365", "act/act", "30/360")

pytestmark = pytest.mark.django_db


class History:
    """A debt and the events that were accepted on it, as the oracle takes them."""

    def __init__(self, number: int) -> None:
        self.dice = random.Random(number)
        self.country = self.dice.choice(list(LAWS))
        principal = self.dice.randrange(10_000, 500_000)
        self.debt = factories.debt(
            debtor=factories.debtor(country_code=self.country),
            currency_code="EUR",
            balance=Decimal(principal) / 100,
            placement_date=START,
        )
        self.terms = self.bear_interest() if self.dice.random() < 0.8 else None
        self.events = [self.event("opening", principal=principal)]

    def bear_interest(self) -> dict[str, Any]:
        percent, count = self.dice.choice(["10", "11.27", "36.5"]), self.dice.choice(COUNTS)
        law = InterestSchedule.objects.create(
            code=uuid.uuid4().hex[:20],
            name="x",
            section="x",
            source="x",
            fixed_percent=Decimal(percent),
            day_count=count,
        )
        Debt.objects.filter(pk=self.debt.pk).update(interest_schedule=law, interest_from=START)
        return {
            "since": START, "rates": [(START, percent)], "day_count": count, "yearly": False, "stops": [],
            "known_until": None, "on_costs": False,
        }  # fmt: skip

    def event(self, kind: str, day: date = START, **split: int) -> dict[str, Any]:
        parts = dict.fromkeys(oracle.PARTS, 0) | split
        made = {"id": f"{len(getattr(self, 'events', ())):03}", "kind": kind, "day": day, "amount": 0, "returned": 0}
        return made | {"direction": (), "refers_to": None, "split": parts}

    def happen(self) -> None:
        day = START + timedelta(days=self.dice.randrange(LENGTH))
        cents = self.dice.randrange(1, 60_000)
        self.dice.choice([self.pay, self.pay, self.pay, self.charge, self.charge_back, self.refund])(day, cents)

    def pay(self, day: date, cents: int) -> None:
        amount = Decimal(cents) / 100
        payment = posting.record(debt=self.debt, amount=amount, payment_date=day, by=None, today=TODAY)
        entry = payment.debt.ledger_entries.get(payment_id=payment.pk, kind="payment")
        key = {"id": f"{amount:025.4f} {entry.pk}", "payment": payment}
        self.events.append(self.event("payment", day) | {"amount": cents} | key)

    def charge(self, day: date, cents: int) -> None:
        name = self.dice.choice(["costs", "fees"])
        amount = Decimal(cents) / 1000
        amount = amount.quantize(Decimal("0.01"))
        if amount:
            charges.charge(self.debt, component=name, amount=amount, value_date=day, reason="x", by=None, today=TODAY)
            self.events.append(self.event("charge", day, **{name: int(amount * 100)}))

    @property
    def payments(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == "payment"]

    def charge_back(self, day: date, cents: int) -> None:
        paid = self.dice.choice(self.payments or [{}])
        if paid:
            amount = Decimal(min(cents, paid["amount"])) / 100
            returns.charge_back(paid["payment"], amount=amount, by=None, now=NOW, today=TODAY)
            paid["returned"] += int(amount * 100)

    def refund(self, day: date, cents: int) -> None:
        paid = self.dice.choice(self.payments or [{}])
        if paid and day >= paid["day"]:
            amount = Decimal(min(cents, paid["amount"])) / 100
            returns.refund(paid["payment"], amount=amount, value_date=day, by=None, today=TODAY)
            self.events.append(self.event("refund", day) | {"amount": int(amount * 100), "refers_to": paid["id"]})


def check(number: int) -> None:
    with transaction.atomic():
        history = History(number)
        for _ in range(history.dice.randrange(3, 9)):
            with suppress(DomainError), transaction.atomic():
                history.happen()
        with transaction.atomic():
            accounts.book(ledger.lock_debt(history.debt.pk), by=None, until=TODAY)
        owed, *_ = oracle.run(history.events, LAWS[history.country], history.terms, TODAY)
        history.debt.refresh_from_db()
        expected = Components(**{name: Decimal(owed[name]) / 100 for name in NAMES})
        assert ledger.balances(history.debt) == expected, (number, history.events)
        assert list(reconciliation.differences()) == []
        transaction.set_rollback(True)


def test_random_histories():
    for number in range(12):
        check(number)


@pytest.mark.deep
def test_many_random_histories():
    for number in range(1000, 3000):
        check(number)
