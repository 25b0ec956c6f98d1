"""Arrangements and payments for the tests of arrangements."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from agents.models import Agent
from arrangements import decisions, progress, proposals
from arrangements.computation import Schedule
from arrangements.models import Arrangement, Kind
from arrangements.schedules import BusinessDays
from collection.models import Debt
from payments import posting
from payments.models import Payment
from tests import factories


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


#: A day on which all debts of these tests are placed, and offers made.
START = date(2027, 1, 4)


@pytest.fixture
def supervisor(db: None) -> Agent:
    return factories.agent("Supervisor")


@pytest.fixture
def offer(supervisor: Agent) -> Callable[..., Arrangement]:
    """Propose an arrangement on debts; ``dates`` and the like go to its schedule."""

    def propose(*debts: Debt, kind: Kind = Kind.PLAN, day: date = START, **fields: Any) -> Arrangement:
        names = ("first", "number", "amount", "first_amount", "frequency", "business_days")
        schedule = {name: fields.pop(name) for name in names if name in fields}
        schedule = {"first": date(2027, 2, 1), "business_days": BusinessDays.AS_IS} | schedule
        return proposals.propose(
            kind,
            debtor=debts[0].debtor,
            debt_ids=[debt.pk for debt in debts],
            schedule=Schedule(**schedule),
            by=fields.pop("by", supervisor),
            source=Arrangement.Source.AGENT,
            now=noon(day),
            **fields,
        )

    return propose


@pytest.fixture
def agree(offer: Callable[..., Arrangement], supervisor: Agent) -> Callable[..., Arrangement]:
    """Propose an arrangement and accept it on the same day."""

    def accepted(*debts: Debt, **fields: Any) -> Arrangement:
        arrangement = offer(*debts, **fields)
        day = fields.get("day", START)
        if arrangement.status == Arrangement.Status.PENDING_APPROVAL:
            decisions.approve(
                arrangement, by=factories.agent("Supervisor"), creditor_consent="By e-mail", now=noon(day)
            )
        return decisions.accept(arrangement, by=supervisor, now=noon(day))

    return accepted


def pay(debt: Debt, amount: str, on: date, *, booked: date | None = None) -> Payment:
    return posting.record(
        debt=debt, by=None, today=booked or on, begun=booked or on, amount=Decimal(amount), payment_date=on
    )


def follow(arrangement: Arrangement, day: date) -> Arrangement:
    """Assess an arrangement on a day at noon UTC, and return its current row."""
    progress.follow([arrangement.pk], now=noon(day))
    arrangement.refresh_from_db()
    return arrangement


def events(arrangement: Arrangement) -> list[str]:
    return list(arrangement.events.values_list("kind", flat=True))
