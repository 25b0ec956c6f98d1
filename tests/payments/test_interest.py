"""The worked figures of interest and allocation, through the database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import transaction

from collection.balances import accounts, ledger
from collection.balances.events import Draft
from collection.claims.components import Components
from collection.models import Debt, InterestSchedule, LedgerEntry
from payments import posting, reconciliation, returns
from payments.models import Payment
from tests import factories

Kind = LedgerEntry.Kind

pytestmark = pytest.mark.django_db


def schedule(percent: str = "10", **values: str | bool) -> InterestSchedule:
    fields = {"code": uuid4().hex[:20], "name": "A test", "section": "§ 1", "source": "x"}
    return InterestSchedule.objects.create(fixed_percent=Decimal(percent), **fields, **values)


def bearing(since: date, principal: str = "1000", law: str | InterestSchedule = "10", country: str = "DE") -> Debt:
    """A debt with interest from a day on, by a fixed rate or a shipped schedule."""
    debtor = factories.debtor(country_code=country)
    debt = factories.debt(debtor=debtor, currency_code="EUR", balance=principal, placement_date=since)
    debt.interest_schedule = law if isinstance(law, InterestSchedule) else schedule(law)
    debt.interest_from = since
    debt.save()
    return debt


def post_interest(debt: Debt, until: date) -> None:
    with transaction.atomic():
        accounts.book(ledger.lock_debt(debt.pk), by=None, until=until)


def charge(debt: Debt, costs: str, day: date) -> None:
    with transaction.atomic():
        parts = Components(costs=Decimal(costs))
        accounts.book(ledger.lock_debt(debt.pk), Draft(Kind.COST, parts.total, day, {"type": "charge"}, parts), by=None)


def pay(debt: Debt, amount: str, day: date, today: date | None = None) -> Payment:
    return posting.record(debt=debt, amount=Decimal(amount), payment_date=day, by=None, today=today or day)


def balances(debt: Debt) -> Components:
    debt.refresh_from_db()
    assert list(reconciliation.differences()) == []
    return ledger.balances(debt)


def owed(principal: str = "0", interest: str = "0", costs: str = "0") -> Components:
    return Components(Decimal(principal), Decimal(interest), Decimal(costs))


def test_a_back_dated_payment_replays_the_interest():
    debt = bearing(date(2026, 1, 1))
    post_interest(debt, date(2026, 4, 1))
    assert balances(debt) == owed("1000", "24.66")
    pay(debt, "500", date(2026, 1, 31), today=date(2026, 4, 10))
    assert balances(debt) == owed("508.22", "8.35")
    assert debt.current_balance == Decimal("516.57")
    posted = LedgerEntry.objects.filter(kind=Kind.INTEREST).order_by("posted_at")
    assert [(entry.value_date, entry.interest) for entry in posted] == [
        (date(2026, 4, 1), Decimal("24.66")),
        (date(2026, 1, 31), Decimal("8.22")),
        (date(2026, 4, 1), Decimal("-16.31")),
    ]
    entries = LedgerEntry.objects.count()
    post_interest(debt, date(2026, 4, 1))
    assert LedgerEntry.objects.count() == entries, "a second run posts nothing"


def test_a_bounce_is_effective_as_the_original():
    debt = bearing(date(2026, 1, 1))
    charge(debt, "80", date(2026, 1, 1))
    payment = pay(debt, "300", date(2026, 1, 31))
    assert balances(debt) == owed("788.22", "0", "0")
    returns.charge_back(payment, by=None, now=datetime(2026, 3, 20, 12, tzinfo=UTC), today=date(2026, 3, 20))
    assert balances(debt) == owed("1000", "21.37", "80")


@pytest.mark.parametrize(
    "postings", [[], [date(2025, 6, 30)], [date(2025, 5, 31), date(2025, 6, 30), date(2025, 7, 31)]]
)
def test_german_interest_of_businesses_is_the_same_however_often_it_is_posted(postings: list[date]):
    law = InterestSchedule.objects.get(code="DE_B2B")
    debt = bearing(date(2025, 5, 1), "5000", law)
    for day in [*postings, date(2025, 8, 1)]:
        post_interest(debt, day)
    assert balances(debt) == owed("5000", "137.79")


def test_british_interest_is_fixed_at_the_start():
    law = InterestSchedule.objects.get(code__startswith="UK")
    debt = bearing(date(2026, 4, 1), "6500", law, country="GB")
    post_interest(debt, date(2026, 7, 29))
    assert balances(debt) == owed("6500", "249.00")
    charge(debt, "70", date(2026, 7, 29))
    assert balances(debt).total == Decimal("6819.00")


def test_dutch_interest_compounds_yearly():
    debt = bearing(date(2025, 1, 1), "1000", schedule("4", compounding="anniversary"), country="NL")
    post_interest(debt, date(2027, 4, 11))
    assert balances(debt).total == Decimal("1093.45")


@pytest.mark.parametrize(("count", "interest"), [("act/365", "334.25"), ("act/act", "333.57"), ("30/360", "333.33")])
def test_the_day_count_of_a_leap_year(count: str, interest: str):
    debt = bearing(date(2027, 12, 1), "10000", schedule("10", day_count=count))
    post_interest(debt, date(2028, 4, 1))
    assert balances(debt) == owed("10000", interest)


def test_what_is_open_for_a_payment_is_the_payoff_on_its_day():
    debt = bearing(date(2026, 1, 1))
    day = date(2026, 1, 31)
    assert accounts.payoff(debt, day).amount == Decimal("1008.22")
    with pytest.raises(ledger.ExceedsBalance):
        pay(debt, "1008.23", day)
    assert balances(debt) == owed("1000")
    pay(debt, "1008.22", day)
    assert (balances(debt), debt.current_status) == (owed(), "paid")


def test_an_earlier_payment_may_not_leave_a_later_one_without_a_claim():
    debt = bearing(date(2026, 1, 1))
    pay(debt, "800", date(2026, 4, 1))
    debt.refresh_from_db()
    most = accounts.largest_payment(debt, date(2026, 1, 31))
    with pytest.raises(ledger.ExceedsBalance):
        pay(debt, str(most + Decimal("0.01")), date(2026, 1, 31), today=date(2026, 4, 2))
    pay(debt, str(most), date(2026, 1, 31), today=date(2026, 4, 2))
    assert (balances(debt), debt.current_status) == (owed(), "paid")


def test_the_order_of_arrival_does_not_matter():
    found = set()
    payments = [("100", date(2026, 1, 31)), ("250.55", date(2026, 2, 20)), ("0.37", date(2026, 3, 1))]
    for order in (payments, payments[::-1], [payments[1], payments[0], payments[2]]):
        debt = bearing(date(2026, 1, 1), law="13.37")
        charge(debt, "55.62", date(2026, 2, 25))
        for amount, day in order:
            pay(debt, amount, day, today=date(2026, 4, 1))
        found.add(balances(debt))
    assert len(found) == 1


def test_a_debt_closes_with_its_interest_and_opens_with_it():
    from collection import debts

    debt = bearing(date(2026, 1, 1))
    debts.amend(debt, by=None, today=date(2026, 1, 31), current_status="settled")
    assert balances(debt) == owed()
    entry = LedgerEntry.objects.get(kind=Kind.WRITE_OFF)
    assert (entry.amount, entry.cause["settledFor"]) == (Decimal("-1008.22"), "0.00")
    debts.amend(debt, by=None, today=date(2026, 3, 1), current_status="active")
    assert balances(debt) == owed("1000", "8.22")
