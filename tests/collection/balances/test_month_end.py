"""Interest at month end: the same as the account of each debt, once, and restartable."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from collection.balances import accounts, interest, ledger, month_end
from collection.claims.components import Components
from collection.holds import holds
from collection.models import InterestSchedule, LedgerEntry
from collection.tariffs import rates, schedules
from payments import posting
from payments.reconciliation import differences
from tests import factories

START, APRIL = date(2026, 1, 1), date(2026, 4, 1)
TODAY = date(2026, 4, 10)
NOW = datetime(2026, 4, 10, 9, tzinfo=UTC)


@pytest.fixture
def ten(db):
    return schedules.add(code="TEN", name="10 %", fixed_percent=Decimal(10), section="s", source="t", by=None)


def bearing(schedule, *, since=START, **fields):
    debt = factories.debt(**{"original_balance": Decimal(1000), "placement_date": since, **fields})
    return interest.set_terms(debt, schedule=schedule.code, since=since, by=factories.agent(), today=TODAY)


def pay(debt, amount, day):
    posting.record(debt=debt, amount=Decimal(amount), by=factories.agent(), today=TODAY, payment_date=day)
    debt.refresh_from_db()


def posted(debt):
    found = LedgerEntry.objects.filter(debt=debt, kind="interest").order_by("posted_at", "id")
    return list(found.values_list("value_date", "amount"))


def test_a_back_dated_payment_is_replayed(ten):
    debt = bearing(ten)
    assert month_end.post(APRIL) == month_end.Posted(debts=1, entries=1)
    debt.refresh_from_db()
    assert (debt.current_balance, debt.balance_interest) == (Decimal("1024.66"), Decimal("24.66"))
    pay(debt, "500.00", date(2026, 1, 31))
    assert debt.current_balance == Decimal("516.57")
    assert ledger.balances(debt) == Components(Decimal("508.22"), Decimal("8.35"))
    assert sum(amount for _, amount in posted(debt)) == Decimal("16.57")
    assert month_end.post(APRIL).entries == 0


def test_a_second_run_posts_nothing_and_a_later_one_the_difference(ten):
    debt = bearing(ten)
    for until, entries in ((date(2026, 2, 1), 1), (date(2026, 2, 1), 0), (APRIL, 1), (date(2026, 3, 1), 0)):
        assert month_end.post(until).entries == entries
    assert posted(debt) == [(date(2026, 2, 1), Decimal("8.49")), (APRIL, Decimal("16.17"))]


def test_a_run_that_stops_is_taken_up(ten, monkeypatch):
    debts = [bearing(ten) for _ in range(5)]
    batches = []

    class Stopping(schedules.RateBook):
        def __init__(self, *args):
            batches.append(args)
            if len(batches) == 2:
                raise RuntimeError
            super().__init__(*args)

    monkeypatch.setattr(schedules, "RateBook", Stopping)
    with pytest.raises(RuntimeError):
        month_end.post(APRIL, batch=2)
    assert LedgerEntry.objects.filter(kind="interest").count() == 2
    monkeypatch.undo()
    assert month_end.post(APRIL, batch=2) == month_end.Posted(debts=5, entries=3)
    assert [posted(debt) for debt in debts] == [[(APRIL, Decimal("24.66"))]] * 5


def test_closed_debts_get_none_and_unknown_rates_end_it(ten):
    paid = bearing(ten)
    pay(paid, "1027.12", TODAY)
    assert paid.current_status == "paid"
    before = posted(paid)
    german = InterestSchedule.objects.get(code="DE_B2B")
    debt = bearing(german, since=date(2026, 6, 1) - timedelta(days=100))
    assert month_end.post(date(2026, 8, 1)).entries == 1
    assert posted(paid) == before
    assert [day for day, _ in posted(debt)] == [date(2026, 7, 1)]


def test_a_hold_that_was_entered_late_is_replayed(ten):
    debt = bearing(ten)
    month_end.post(APRIL)
    holds.open_hold(
        reason="bankruptcy", debt=debt, source="Court", by=factories.agent(), now=NOW, starts_on=date(2026, 3, 2)
    )
    assert interest.apply_changes(now=NOW) == 1
    debt.refresh_from_db()
    assert debt.balance_interest == Decimal("16.44")
    assert interest.apply_changes(now=NOW) == 0
    assert month_end.post(date(2026, 5, 1)).entries == 0


@pytest.mark.django_db
def test_a_corrected_rate_is_replayed():
    german = InterestSchedule.objects.get(code="DE_B2B")
    debt = bearing(german)
    interest.apply_changes(now=NOW)
    month_end.post(APRIL)
    debt.refresh_from_db()
    assert debt.balance_interest == Decimal("25.32")
    row = rates.add(series="DE_BASE", valid_from=date(2026, 3, 1), rate=Decimal(0), source="Bundesbank")
    assert row.applied_at is None
    assert interest.apply_changes(now=NOW) == 1
    debt.refresh_from_db()
    assert debt.balance_interest == Decimal("24.24")
    assert interest.apply_changes(now=NOW) == 0


def test_interest_is_taken_back_with_its_schedule(ten):
    debt = bearing(ten)
    month_end.post(APRIL)
    interest.set_terms(debt, schedule=None, since=None, by=factories.agent(), today=TODAY)
    debt.refresh_from_db()
    assert (debt.current_balance, debt.interest_schedule) == (Decimal(1000), None)


def test_random_debts_have_what_their_accounts_say(ten):
    dice = random.Random(18)
    yearly = schedules.add(
        code="YEARLY", name="4 %", fixed_percent=Decimal(4), compounding="anniversary", on_costs=True, section="s",
        source="t", by=None,
    )  # fmt: skip
    actual = schedules.add(
        code="ACTUAL",
        name="ECB + 8",
        series="ECB_MRO",
        margin=Decimal(8),
        day_count="act/act",
        section="s",
        source="t",
        by=None,
    )
    for first, rate in (("2023-01-01", "2.5"), ("2024-02-10", "4.5"), ("2025-06-11", "2.15")):
        rates.add(series="ECB_MRO", valid_from=date.fromisoformat(first), rate=Decimal(rate), source="ECB")
    debts = []
    for number in range(30):
        since = date(2023, 6, 1) + timedelta(days=dice.randrange(900))
        currency = dice.choice(["EUR", "JPY", "KWD"])
        debt = bearing(dice.choice([ten, yearly, actual]), since=since, currency_code=currency)
        for _ in range(dice.randrange(3)):
            day = since + timedelta(days=dice.randrange((APRIL - since).days))
            pay(debt, dice.randrange(1, 300), day)
        if number % 3 == 0:
            start = since + timedelta(days=dice.randrange(30))
            holds.open_hold(
                reason="bankruptcy", debt=debt if number % 2 else None, debtor=None if number % 2 else debt.debtor, source="x",
                by=factories.agent(), now=NOW, starts_on=start, ends_on=start + timedelta(days=dice.randrange(1, 90)),
            )  # fmt: skip
        debts.append(debt)
    interest.apply_changes(now=NOW)
    month_end.post(APRIL)
    for debt in debts:
        debt.refresh_from_db()
        assert ledger.balances(debt) == accounts.on_day(debt, APRIL).balances
    assert list(differences()) == []


def test_the_command_posts_until_last_month_and_never_ahead(ten, capsys):
    bearing(ten)
    call_command("post_interest", "--until", "2026-04-01")
    assert "1 debts with interest until 2026-04-01: 1 entries." in capsys.readouterr().out
    with pytest.raises(CommandError, match="future"):
        call_command("post_interest", "--until", "2100-01-01")
