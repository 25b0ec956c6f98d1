"""Due dates and amounts of instalments, by worked figures."""

from datetime import date
from decimal import Decimal as D
from functools import partial
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrangements import schedules
from arrangements.schedules import BusinessDays, Frequency
from debtors.places import holidays

CENT = D("0.01")
IN_ENGLAND = partial(holidays.is_business_day, country="GB", region="ENG")


@pytest.mark.parametrize(
    ("total", "number", "quantum", "amounts"),
    [
        ("100.00", 6, "0.01", ["16.66"] * 5 + ["16.70"]),
        ("10000", 3, "1", ["3333", "3333", "3334"]),
        ("10.000", 3, "0.001", ["3.333", "3.333", "3.334"]),
        ("0.05", 1, "0.01", ["0.05"]),
    ],
)
def test_the_last_of_equal_instalments_takes_the_rest(
    total: str, number: int, quantum: str, amounts: list[str]
) -> None:
    assert schedules.equal(D(total), number, quantum=D(quantum)) == [D(amount) for amount in amounts]


def test_a_total_that_is_too_small_is_refused() -> None:
    with pytest.raises(schedules.AmountTooSmall):
        schedules.equal(D("0.05"), 6, quantum=CENT)


def test_the_first_payment_can_be_apart() -> None:
    assert schedules.equal(D("100.00"), 4, quantum=CENT, first=D("40.00")) == [D("40.00")] + [D("20.00")] * 3
    assert schedules.fixed(D("100.00"), D("30.00"), first=D("20.00")) == [D("20"), D("30"), D("30"), D("20")]


@pytest.mark.parametrize(("amount", "whole", "rest"), [("75.00", 13, "25.00"), ("60.00", 16, "40.00")])
def test_fixed_instalments_end_with_the_rest(amount: str, whole: int, rest: str) -> None:
    assert schedules.fixed(D("1000.00"), D(amount)) == [D(amount)] * whole + [D(rest)]


def test_a_rest_below_the_least_instalment_is_added_to_the_one_before() -> None:
    assert schedules.fixed(D("1000.00"), D("75.00"), least=D("50.00")) == [D("75.00")] * 12 + [D("100.00")]


def test_too_many_instalments_are_refused() -> None:
    assert len(schedules.fixed(D(250), D(1))) == 250
    with pytest.raises(schedules.TooManyInstalments):
        schedules.fixed(D(251), D(1))
    with pytest.raises(schedules.TooManyInstalments):
        schedules.equal(D(1000), 251, quantum=CENT)


def test_months_end_on_their_last_day_and_never_drift() -> None:
    start = schedules.dates(date(2027, 1, 31), Frequency.MONTHLY)
    assert [day.isoformat()[5:] for day in islice(start, 6)] == ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30"]
    leap = schedules.dates(date(2027, 10, 31), Frequency.MONTHLY)
    assert list(islice(leap, 4, 6)) == [date(2028, 2, 29), date(2028, 3, 31)]


def test_four_weeks_make_thirteen_payments_a_year() -> None:
    year = [day for day in islice(schedules.dates(date(2027, 1, 3), Frequency.FOUR_WEEKLY), 20) if day.year == 2027]
    assert len(year) == 13


@pytest.mark.parametrize(
    ("rule", "agreed", "due"),
    [
        (BusinessDays.FOLLOWING, date(2026, 12, 25), date(2026, 12, 29)),
        (BusinessDays.AS_IS, date(2026, 12, 25), date(2026, 12, 25)),
        (BusinessDays.PRECEDING, date(2026, 12, 25), date(2026, 12, 24)),
        (BusinessDays.MODIFIED_FOLLOWING, date(2026, 5, 31), date(2026, 5, 29)),
        (BusinessDays.FOLLOWING, date(2026, 5, 31), date(2026, 6, 1)),
    ],
)
def test_a_due_date_moves_to_a_business_day_of_england(rule: BusinessDays, agreed: date, due: date) -> None:
    assert schedules.shift(agreed, rule, IN_ENGLAND) == due


def test_a_plan_keeps_the_agreed_date_beside_the_due_one() -> None:
    dues = schedules.plan(
        [D(50)] * 2,
        first=date(2026, 12, 25),
        frequency=Frequency.MONTHLY,
        shifted=lambda day: schedules.shift(day, BusinessDays.FOLLOWING, IN_ENGLAND),
    )
    assert [(due.no, due.agreed_on, due.due_on) for due in dues] == [
        (1, date(2026, 12, 25), date(2026, 12, 29)),
        (2, date(2027, 1, 25), date(2027, 1, 25)),
    ]


@given(cents=st.integers(1, 10**8), number=st.integers(1, 250), least=st.integers(1, 10**4))
def test_amounts_add_up_to_the_total(cents: int, number: int, least: int) -> None:
    total = D(cents) * CENT
    if cents >= number:
        amounts = schedules.equal(total, number, quantum=CENT)
        assert sum(amounts) == total
        assert min(amounts) > 0
    amount = max(CENT, (total / number).quantize(CENT))
    if total / amount <= 250:
        amounts = schedules.fixed(total, amount, least=D(least) * CENT)
        assert sum(amounts) == total
        assert min(amounts) > 0
