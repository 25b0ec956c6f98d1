"""The assignment of debts to segments. Each case assigns one debt and all debts, with the same result."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collection.models import Debt, DebtStatus, Segment
from collection.segments import assignment, records
from tests import factories

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 30)


def fits(debt: Debt, *, today: date = TODAY) -> str | None:
    """Return the name of the debt's segment after both ways gave the same result."""
    Debt.objects.filter(pk=debt.pk).update(segment=None)
    debt.refresh_from_db()
    assignment.assign(debt, today=today)
    alone = debt.segment_id
    Debt.objects.filter(pk=debt.pk).update(segment=None)
    assignment.assign_all(today=today)
    debt.refresh_from_db()
    assert debt.segment_id == alone
    return debt.segment.name if debt.segment else None


def test_priority_1_is_tried_first_and_then_the_older_segment():
    debt = factories.debt()
    records.create(name="newer", priority=5)
    first = records.create(name="first", priority=1)
    older = records.create(name="older", priority=5)
    Segment.objects.filter(pk=older.pk).update(created_at=first.created_at - timedelta(days=1))
    assert fits(debt) == "first"
    records.amend(first, is_active=False)
    assert fits(debt) == "older"


@pytest.mark.parametrize(
    ("score", "expected"),
    [("0", "low"), ("0.499", "low"), ("0.5", "high"), ("1", "high"), (None, "any")],
)
def test_score_bands_are_half_open_and_an_upper_bound_of_1_includes_1(score, expected):
    records.create(name="low", priority=1, max_p2p_score=Decimal("0.5"))
    records.create(name="high", priority=2, min_p2p_score=Decimal("0.5"), max_p2p_score=Decimal(1))
    records.create(name="any", priority=3)
    assert fits(factories.debt(p2p_score=score and Decimal(score))) == expected


def test_a_debt_without_a_score_fits_only_where_both_score_bounds_are_null():
    debt = factories.debt()
    records.create(name="from", min_p2p_score=Decimal(0))
    records.create(name="to", max_p2p_score=Decimal(1))
    assert fits(debt) is None


@pytest.mark.parametrize(
    ("balance", "currency", "expected"),
    [
        ("99.99", "GBP", None), ("100", "GBP", "band"), ("199.99", "GBP", "band"), ("200", "GBP", None),
        ("150", "EUR", None), ("150", "USD", None),
    ],
)  # fmt: skip
def test_balance_bands_are_half_open_and_of_one_currency(balance, currency, expected):
    records.create(name="band", min_balance=Decimal(100), max_balance=Decimal(200), currency_code="GBP")
    assert fits(factories.debt(balance=balance, currency_code=currency)) == expected


def test_the_current_balance_counts():
    records.create(name="small", max_balance=Decimal(100), currency_code="GBP")
    assert fits(factories.debt(balance=500, current_balance=Decimal(50))) == "small"


def test_a_segment_with_a_currency_takes_only_debts_in_it():
    records.create(name="euros", currency_code="EUR")
    assert fits(factories.debt(currency_code="EUR")) == "euros"
    assert fits(factories.debt(currency_code="GBP")) is None


@pytest.mark.parametrize(("days", "expected"), [(29, None), (30, "month"), (59, "month"), (60, None), (-1, None)])
def test_days_since_placement_are_half_open(days, expected):
    records.create(name="month", min_days_since_placement=30, max_days_since_placement=60)
    assert fits(factories.debt(placement_date=TODAY - timedelta(days=days))) == expected


def test_a_debt_moves_with_the_days_and_out_of_segments_it_no_longer_fits():
    records.create(name="young", max_days_since_placement=10)
    debt = factories.debt(placement_date=TODAY)
    assert fits(debt) == "young"
    assert assignment.assign_all(today=TODAY + timedelta(days=9)) == 0
    assert assignment.assign_all(today=TODAY + timedelta(days=10)) == 1
    debt.refresh_from_db()
    assert debt.segment is None


def test_pinned_and_closed_debts_stay_in_their_segments():
    mine = factories.segment(priority=9)
    pinned = factories.debt(segment=mine)
    closed = factories.debt(current_balance=Decimal(0))
    records.create(name="all", priority=1)
    assert closed.current_status == DebtStatus.PAID
    assert assignment.assign_all(today=TODAY) == 0
    for debt, expected in ((pinned, mine.pk), (closed, None)):
        assignment.assign(debt, today=TODAY)
        debt.refresh_from_db()
        assert debt.segment_id == expected


@pytest.mark.parametrize("status", ["payment_plan", "deferred", "disputed"])
def test_every_open_debt_is_assigned(status):
    records.create(name="all")
    assert fits(factories.debt(current_status=status)) == "all"


def test_an_assignment_writes_only_moved_debts_and_makes_no_read_stale():
    records.create(name="all")
    debt = factories.debt()
    seen = Debt.objects.get(pk=debt.pk).updated_at
    Debt.objects.filter(pk=debt.pk).update(segment=None)
    assert assignment.assign_all(today=TODAY) == 1
    assert assignment.assign_all(today=TODAY) == 0
    assert Debt.objects.get(pk=debt.pk).updated_at == seen


def test_a_new_debt_is_assigned_at_once():
    segment = records.create(name="all")
    assert factories.debt().segment_id == segment.pk


@pytest.mark.parametrize("debts", [1, 50])
def test_the_queries_of_an_assignment_do_not_grow_with_the_debts(debts, django_assert_num_queries):
    owner = factories.debtor()
    for _ in range(debts):
        factories.debt(debtor=owner)
    records.create(name="all")
    with django_assert_num_queries(4):  # Two of them are the savepoint.
        assert assignment.assign_all(today=TODAY) == debts


def plainly(segment: Segment, debt: Debt, today: date) -> bool:
    """The contract's words in Python, to hold the SQL against."""
    score, days = debt.p2p_score, (today - debt.placement_date).days
    if not segment.is_active or (segment.currency_code and segment.currency_code != debt.currency_code):
        return False
    if score is None:
        scored = segment.min_p2p_score is None and segment.max_p2p_score is None
    else:
        most = segment.max_p2p_score
        scored = (segment.min_p2p_score is None or score >= segment.min_p2p_score) and (
            most is None or score < most or score == most == 1
        )

    def within(value, least, most):
        return (least is None or value >= least) and (most is None or value < most)

    return (
        scored
        and within(debt.current_balance, segment.min_balance, segment.max_balance)
        and within(days, segment.min_days_since_placement, segment.max_days_since_placement)
    )


def bounds(values):
    """A lower and an upper bound of a band that holds something; either may be missing."""
    return st.tuples(st.none() | values, st.none() | values).filter(lambda pair: None in pair or pair[0] < pair[1])


scores = st.sampled_from([Decimal(n) / 4 for n in range(5)])
balances = st.sampled_from([Decimal(n) for n in (1, 10, 100, 1000)])
days = st.sampled_from([0, 1, 7, 30])
drafts = st.builds(
    lambda score, balance, day, currency, priority, active: {
        "min_p2p_score": score[0], "max_p2p_score": score[1], "min_balance": balance[0], "max_balance": balance[1],
        "min_days_since_placement": day[0], "max_days_since_placement": day[1], "is_active": active, "priority": priority,
        "currency_code": currency or ("GBP" if balance != (None, None) else None),
    },
    bounds(scores), bounds(balances), bounds(days), st.sampled_from([None, "GBP", "EUR"]), st.integers(1, 3), st.booleans(),
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(drafts, max_size=6),
    st.lists(st.tuples(st.none() | scores, balances, days, st.sampled_from(["GBP", "EUR"])), min_size=1, max_size=6),
)
def test_the_sql_agrees_with_the_contract(segment_drafts, debt_drafts):
    from django.db import transaction

    with transaction.atomic():
        made = [factories.segment(**draft) for draft in segment_drafts]
        owner = factories.debtor()
        placed = [
            factories.debt(
                debtor=owner,
                p2p_score=score,
                balance=balance,
                placement_date=TODAY - timedelta(days=age),
                currency_code=code,
            )
            for score, balance, age, code in debt_drafts
        ]
        Debt.objects.update(segment=None)
        assignment.assign_all(today=TODAY)
        together = dict(Debt.objects.values_list("pk", "segment__name"))
        for debt in placed:
            fitting = [segment for segment in made if plainly(segment, debt, TODAY)]
            best = min(fitting, key=lambda s: (s.priority, s.created_at, s.pk)).name if fitting else None
            assert together[debt.pk] == fits(debt) == best
        transaction.set_rollback(True)
