"""Exchange rates from the ECB's files."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from collection.balances import exchange_rates
from collection.models import ExchangeRate

pytestmark = pytest.mark.django_db

DAILY = "Date, USD, JPY, CYP, GBP, \n23 November 2026, 1.0567, 162.13, 1.9558, 0.83290, \n"
HISTORICAL = (
    "Date,USD,JPY,CYP,GBP,\n"
    "2026-11-23,1.0567,162.13,N/A,0.8329,\n"
    "2026-11-20,1.0501,161.90,N/A,N/A,\n"
    "2007-12-31,1.4721,164.93,0.585274,0.73335,\n"
)


def load(content: str) -> exchange_rates.Loaded:
    return exchange_rates.load(io.StringIO(content, newline=""))


def stored() -> dict[tuple[str, str], Decimal]:
    return {(rate.date.isoformat(), rate.currency_code): rate.per_euro for rate in ExchangeRate.objects.all()}


def test_the_daily_file_is_read():
    loaded = load(DAILY)
    assert stored() == {
        ("2026-11-23", "USD"): Decimal("1.0567"),
        ("2026-11-23", "JPY"): Decimal("162.13"),
        ("2026-11-23", "GBP"): Decimal("0.8329"),
    }
    assert (loaded.days, loaded.rates, loaded.changed, loaded.latest) == (1, 3, 3, date(2026, 11, 23))
    assert loaded.unknown_currencies == ["CYP"]
    assert loaded.refused == []


def test_the_historical_file_is_read_and_a_day_without_a_rate_has_none():
    loaded = load(HISTORICAL)
    assert len(stored()) == loaded.rates == 8
    assert stored()["2007-12-31", "GBP"] == Decimal("0.73335")
    assert ("2026-11-20", "GBP") not in stored()
    assert loaded.unknown_currencies == ["CYP"]


@pytest.mark.parametrize("cell", ["1.2", "0", "x"])
def test_a_column_can_not_override_the_base(cell: str):
    loaded = load(f"Date,USD,EUR,GBP\n2026-11-23,1.05,{cell},0.8\n2026-11-24,1.05,1.0000,0.8\n")
    assert [(bad.line, bad.column) for bad in loaded.refused] == [(2, "EUR")]
    assert {code for _, code in stored()} == {"USD", "GBP"}


def test_a_stored_rate_takes_the_value_of_the_file():
    load(HISTORICAL)
    assert load(HISTORICAL).changed == 0
    assert load(HISTORICAL.replace("1.0567", "1.06")).changed == 1
    assert stored()["2026-11-23", "USD"] == Decimal("1.06")
    assert len(stored()) == 8


def test_the_last_line_of_a_repeated_day_counts():
    load("Date,USD\n2026-11-23,1\n2026-11-23,2\n")
    assert stored() == {("2026-11-23", "USD"): Decimal(2)}


@pytest.mark.parametrize("cell", ["0", "-1", "1,2", "abc", "1e3", "NaN", "1_0", "\u0661", "9" * 13, "1.123456789"])
def test_a_cell_that_is_not_a_rate_is_refused_and_the_others_are_stored(cell):
    loaded = load(f'Date,USD,GBP\n2026-11-20,1.05,0.8\n2026-11-23,"{cell}",0.9\n')
    assert [(bad.line, bad.column) for bad in loaded.refused] == [(3, "USD")]
    assert len(stored()) == 3


@pytest.mark.parametrize("day", ["", "23.11.2026", "2026-02-30", "31 Foo 2026", "31 November 2026", "0 May 2026"])
def test_a_line_without_a_date_is_refused(day):
    loaded = load(f"Date,USD\n{day},1.05\n2026-11-23,1.05\n")
    assert [(bad.line, bad.column) for bad in loaded.refused] == [(2, "Date")]
    assert len(stored()) == 1


@pytest.mark.parametrize(
    "content", ["", "\n", "a,b\n1,2\n", "Date\n2026-11-23\n", "Date,XYZ\n2026-11-23,1\n", "USD,Date\n"]
)
def test_another_file_is_refused_as_a_whole(content):
    with pytest.raises(exchange_rates.NotAnEcbFile):
        load(content)
    assert stored() == {}


def test_many_years_take_a_few_statements(django_assert_max_num_queries):
    days = "".join(
        f"{date.fromordinal(date(2000, 1, 1).toordinal() + n).isoformat()},1.{n:04d},0.{n + 1:04d},\n"
        for n in range(9_000)
    )
    with django_assert_max_num_queries(4):
        assert load("Date,USD,GBP,\n" + days).rates == 18_000
    assert ExchangeRate.objects.count() == 18_000


def test_the_command_reports_what_it_stored(tmp_path, capsys):
    path = tmp_path / "eurofxref.csv"
    path.write_text("\ufeff" + DAILY, encoding="utf-8")
    call_command("load_exchange_rates", str(path), verbosity=0)
    said = capsys.readouterr().out
    assert "CYP" in said
    assert "1 days, 3 rates (3 new or changed), the latest of 2026-11-23." in said


def test_the_command_fails_if_cells_were_refused_or_the_file_can_not_be_read(tmp_path, capsys):
    path = tmp_path / "rates.csv"
    path.write_text("Date,USD,GBP\n2026-11-23,x,0.8\n", encoding="utf-8")
    with pytest.raises(CommandError, match="1 cells were refused"):
        call_command("load_exchange_rates", str(path), verbosity=0)
    assert "line 2, USD: 'x' is not a rate." in capsys.readouterr().out
    assert len(stored()) == 1
    path.write_bytes(b"Date,USD\n2026-11-24,\xff\n")
    with pytest.raises(CommandError, match="Nothing was stored"):
        call_command("load_exchange_rates", str(path), verbosity=0)
    with pytest.raises(CommandError, match="can't be read"):
        call_command("load_exchange_rates", str(tmp_path / "none.csv"), verbosity=0)
    assert len(stored()) == 1
