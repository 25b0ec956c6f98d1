"""Sums over debts: one currency, several with rates, several without."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collection import debts
from collection.balances import exchange_rates, totals
from collection.models import ExchangeRate
from communications.texts import facts
from communications.texts.facts import Recipient
from debtors.models import Debtor
from tests import factories

TODAY = date(2026, 2, 1)
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
AFTER_THE_LEV = Path(__file__).parent / "cases" / "13-ecb-after-the-lev.csv"

pytestmark = pytest.mark.django_db


def rates(day: date, **per_euro: str) -> None:
    for code, rate in per_euro.items():
        ExchangeRate.objects.create(date=day, currency_code=code, per_euro=Decimal(rate))


def owing(*balances: tuple[str, str]) -> Debtor:
    debtor = factories.debtor()
    for currency, balance in balances:
        factories.debt(debtor=debtor, currency_code=currency, balance=balance)
    return debtor


def test_debts_of_one_currency_are_summed_in_it():
    found = totals.of_debtor(owing(("GBP", "100"), ("GBP", "50.50")), today=TODAY)
    assert (found.total_current_balance, found.currency_code, found.rates_date) == (Decimal("150.50"), "GBP", None)
    assert [(part.currency_code, part.debts) for part in found.by_currency] == [("GBP", 2)]


def test_with_no_debts_the_sum_is_zero_in_the_reporting_currency():
    found = totals.of_debtor(factories.debtor(), today=TODAY)
    assert (found.total_original_balance, found.currency_code, found.by_currency) == (0, "USD", ())


def test_several_currencies_are_converted_with_the_latest_rates():
    rates(TODAY - timedelta(days=3), USD="2", GBP="1")
    rates(TODAY - timedelta(days=2), USD="1.2", GBP="0.8", JPY="160")
    found = totals.of_debtor(owing(("GBP", "80"), ("EUR", "10"), ("JPY", "1600")), today=TODAY)
    assert found.total_current_balance == Decimal("144.00")  # 100 + 10 + 10 euros
    assert (found.currency_code, found.rates_date) == ("USD", TODAY - timedelta(days=2))


def test_the_reporting_currency_is_a_setting(settings: Any):
    settings.REPORTING_CURRENCY = "JPY"
    rates(TODAY, GBP="0.8", JPY="160")
    found = totals.of_debtor(owing(("GBP", "1"), ("EUR", "0.01")), today=TODAY)
    assert (found.total_current_balance, found.currency_code) == (Decimal("202"), "JPY")


@pytest.mark.parametrize("age", [8, 30])
def test_rates_older_than_a_week_are_ignored(age: int):
    rates(TODAY - timedelta(days=age), USD="1.2", GBP="0.8")
    found = totals.of_debtor(owing(("GBP", "80"), ("EUR", "10")), today=TODAY)
    assert (found.total_current_balance, found.rates_date) == (None, None)
    assert len(found.by_currency) == 2


def test_rates_of_a_week_ago_still_count():
    rates(TODAY - timedelta(days=7), USD="1.2", GBP="0.8")
    assert totals.of_debtor(owing(("GBP", "80"), ("EUR", "10")), today=TODAY).total_current_balance == 132


def test_without_rates_the_sum_is_null_and_the_parts_are_listed():
    found = totals.of_debtor(owing(("GBP", "80"), ("EUR", "10")), today=TODAY)
    assert found.total_current_balance is None
    assert {part.currency_code: part.current_balance for part in found.by_currency} == {"GBP": 80, "EUR": 10}
    assert found.unconverted_currencies == ("EUR", "GBP")


def test_what_has_no_rate_is_named_beside_the_sum():
    rates(TODAY, USD="1.2")
    debtor = owing(("GBP", "80"), ("EUR", "10"), ("USD", "3"))
    found = totals.of_debtor(debtor, today=TODAY)
    assert (found.total_current_balance, found.currency_code, found.unconverted_currencies) == (15, "USD", ("GBP",))
    open_sum = totals.outstanding([debtor.pk], today=TODAY)[debtor.pk]
    assert (open_sum.amount, open_sum.unconverted_currencies) == (15, ("GBP",))
    dashboard = totals.dashboard(now=NOW)
    assert (dashboard.total_debt_amount, dashboard.unconverted_currencies) == (15, ("GBP",))


def test_the_newest_rate_of_each_currency_within_a_week_counts():
    rates(TODAY - timedelta(days=9), USD="9", JPY="9", GBP="9")
    rates(TODAY - timedelta(days=5), USD="1.1", GBP="0.7")
    rates(TODAY - timedelta(days=4), USD="1.2")
    rates(TODAY, GBP="0.8")
    found = totals.of_debtor(owing(("GBP", "80"), ("EUR", "10"), ("JPY", "5")), today=TODAY)
    assert (found.total_current_balance, found.rates_date) == (132, TODAY)
    assert found.unconverted_currencies == ("JPY",)


def test_a_stored_rate_never_overrides_the_base():
    rates(TODAY, USD="1.1", EUR="1.2", GBP="0.8")
    found = totals.of_debtor(owing(("USD", "110"), ("EUR", "100")), today=TODAY)
    assert found.total_current_balance == 220


class TestEndedCurrencies:
    def owing(self, *balances: tuple[str, str]) -> Debtor:
        """Place debts while their currency was current."""
        debtor = factories.debtor()
        for currency, balance in balances:
            factories.debt(
                debtor=debtor,
                currency_code=currency,
                balance=balance,
                placement_date=date(2025, 1, 1),
                today=date(2025, 1, 10),
            )
        return debtor

    def test_the_lev_and_the_euro_are_one_currency_without_any_rate(self):
        found = totals.of_debtor(self.owing(("BGN", "195.58"), ("EUR", "100")), today=TODAY)
        assert (found.total_current_balance, found.currency_code, found.rates_date) == (200, "EUR", None)
        assert {part.currency_code: part.current_balance for part in found.by_currency} == {
            "BGN": Decimal("195.58"),
            "EUR": 100,
        }

    def test_the_lev_is_converted_at_the_fixed_rate_and_not_at_a_stored_one(self):
        rates(TODAY, USD="1.1", GBP="0.8", BGN="5")
        found = totals.of_debtor(self.owing(("BGN", "195.58"), ("GBP", "80")), today=TODAY)
        assert (found.total_current_balance, found.currency_code) == (220, "USD")

    def test_before_its_end_it_is_a_currency_like_others(self):
        before = date(2025, 12, 31)
        rates(before, USD="1.1", BGN="2")
        debtor = self.owing(("BGN", "200"), ("EUR", "100"))
        assert totals.of_debtor(debtor, today=before).total_current_balance == 220

    def test_the_rates_after_the_lev_give_every_total(self):
        """The file of the ECB no longer has BGN."""
        with AFTER_THE_LEV.open(encoding="utf-8", newline="") as file:
            loaded = exchange_rates.load(file)
        assert (loaded.days, loaded.rates, loaded.unknown_currencies, loaded.refused) == (1, 29, [], [])
        debtor = self.owing(("BGN", "195.58"), ("GBP", "87"), ("JPY", "170"))
        found = totals.of_debtor(debtor, today=date(2026, 11, 30))
        assert (found.total_current_balance, found.unconverted_currencies) == (Decimal("221.10"), ())
        (lev_and_euro,) = totals.outstanding([self.owing(("BGN", "195.58"), ("EUR", "100")).pk], today=TODAY).values()
        assert (lev_and_euro.amount, lev_and_euro.currency_code) == (200, "EUR")

    def test_messages_name_no_currency_that_has_ended(self):
        debtor = self.owing(("BGN", "195.58"), ("EUR", "100"))
        debt = debtor.debts.get(currency_code="BGN")
        (values,) = facts.gather([Recipient(debtor, debt, "en")], now=NOW)
        assert (values["total_outstanding"], values["debt_amount"], values["debt_currency"]) == (
            "€200.00",
            "€100.00",
            "EUR",
        )

    def test_a_message_has_what_can_not_be_converted_beside_the_sum(self):
        rates(TODAY, USD="1.1")
        debtor = self.owing(("BGN", "195.58"), ("USD", "10"), ("KWD", "5"))
        (values,) = facts.gather([Recipient(debtor, None, "en")], now=NOW)
        assert values["total_outstanding"] == "$120.00 + KWD\N{NO-BREAK SPACE}5.000"


def test_a_recalled_debt_is_in_no_sum():
    debt = factories.debt(balance="100")
    debts.amend(debt, by=None, today=TODAY, current_status="recalled")
    assert totals.of_debtor(debt.debtor, today=TODAY).by_currency == ()
    assert totals.outstanding([debt.debtor_id], today=TODAY)[debt.debtor_id].amount == 0
    assert totals.dashboard(now=NOW).total_debt_amount == 0


def test_outstanding_is_the_sum_of_open_debts():
    debt = factories.debt(balance="100")
    other = factories.debt(debtor=debt.debtor, balance="30")
    debts.amend(other, by=None, today=TODAY, current_status="settled")
    found = totals.outstanding([debt.debtor_id], today=TODAY)[debt.debtor_id]
    assert (found.amount, found.currency_code) == (100, "GBP")


def test_the_dashboard_counts_and_sums_open_and_overdue_debts():
    factories.debt(balance="100", due_date=TODAY - timedelta(days=1))
    factories.debt(balance="50", due_date=TODAY)
    factories.debt(balance="30", current_balance=Decimal(0), due_date=TODAY - timedelta(days=9))
    found = totals.dashboard(now=NOW)
    assert (found.total_debtors, found.total_active_debts) == (3, 2)
    assert (found.total_debt_amount, found.total_debt_amount_overdue, found.currency_code) == (150, 100, "GBP")
    assert found.as_of == NOW


def test_the_dashboard_converts_several_currencies():
    rates(TODAY, USD="1.2", GBP="0.8")
    factories.debt(balance="80", due_date=TODAY - timedelta(days=1))
    factories.debt(balance="10", currency_code="EUR")
    found = totals.dashboard(now=NOW)
    assert (found.total_debt_amount, found.total_debt_amount_overdue) == (132, 120)
    assert (found.currency_code, found.rates_date) == ("USD", TODAY)
