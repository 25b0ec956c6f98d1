"""The end state of an arrangement is the same whatever the order in which payments and bounces are entered."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arrangements import assessment
from arrangements.models import Arrangement, ArrangementPolicy
from payments import posting
from tests import factories
from tests.arrangements.conftest import START, pay

pytestmark = pytest.mark.django_db

DAYS = st.integers(0, 100)
#: Payments (day, cents, whether it goes back), in the order in which they are entered.
PAYMENTS = st.lists(st.tuples(DAYS, st.integers(1, 6_000), st.booleans()), min_size=1, max_size=5)
LAST = START + timedelta(days=150)


class _Undo(Exception):
    pass


def end_state(agree: Callable[..., Arrangement], payments: list[tuple[int, int, bool]]) -> object:
    """Enter payments, take those back that go back, and return how the plan stands in the end; the database stays as it was."""
    found: list[object] = []
    try:
        with transaction.atomic():
            debt = factories.debt(balance=300)
            plan = agree(debt, number=3)
            for days, cents, goes_back in payments:
                payment = pay(debt, str(D(cents) / 100), START + timedelta(days=days), booked=LAST)
                if goes_back:
                    posting.void(payment, by=None, today=LAST)
            state = assessment.states(assessment.one_of([plan.pk]), day=LAST)[0]
            steps = assessment.steps([plan.pk], day=LAST)[plan.pk]
            found.append((state.paid, state.is_kept, state.missed_on, [(step.paid, step.is_missed) for step in steps]))
            raise _Undo
    except _Undo:
        return found[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payments=PAYMENTS, data=st.data())
def test_the_order_of_arrival_never_matters(
    agree: Callable[..., Arrangement], payments: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    ArrangementPolicy.objects.get_or_create(currency_code="GBP", version=1, tolerance_amount=D(1), grace_days=5)
    other = data.draw(st.permutations(payments))
    assert end_state(agree, payments) == end_state(agree, other)


GRACE, DUES = 5, (28, 56, 87)  # 1 February, 1 March and 1 April, by days after START


def clerk(payments: list[tuple[int, int, bool]]) -> list[date]:
    """Walk through the days as a clerk would; return those on which an instalment of 100.00 is noted as missed."""
    noted, received = [], 0
    for day in range(150):
        if day - 1 - GRACE in DUES:  # At the end of the last day of grace, so on the next morning.
            expected = 10_000 * (DUES.index(day - 1 - GRACE) + 1)
            if expected - received > 100:
                noted.append(START + timedelta(days=day))
        received += sum(cents for on, cents, goes_back in payments if on == day and not goes_back)
    return noted


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payments=PAYMENTS)
def test_a_clerk_who_walks_through_the_days_agrees(
    agree: Callable[..., Arrangement], payments: list[tuple[int, int, bool]]
) -> None:
    ArrangementPolicy.objects.get_or_create(currency_code="GBP", version=1, tolerance_amount=D(1), grace_days=GRACE)
    state: object = end_state(agree, payments)
    assert state[2] == clerk(payments)  # type: ignore[index]
