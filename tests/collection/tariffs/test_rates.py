"""Rate series from files, and what is shipped."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from collection.claims.interest import Rate, Reset, schedule_rates
from collection.models import InterestSchedule, SeriesRate
from collection.tariffs import rates, schedules

pytestmark = pytest.mark.django_db

HEADER = "series,valid_from,rate,source\n"


def load(lines: str) -> rates.Loaded:
    return rates.load(io.StringIO(HEADER + lines, newline=""))


def stored(series: str) -> dict[str, Decimal]:
    return {row.valid_from.isoformat(): row.rate for row in SeriesRate.objects.filter(series=series)}


def test_a_file_adds_and_changes_rates_and_a_second_time_nothing():
    lines = "ECB_MRO,2026-01-01,2.15,ECB\necb_mro,2026-07-01,2.00,ECB\n"
    loaded = load(lines)
    assert (loaded.rates, loaded.added, loaded.changed) == (2, 2, [])
    assert stored("ECB_MRO") == {"2026-01-01": Decimal("2.15"), "2026-07-01": Decimal("2.00")}
    again = load(lines.replace("2.00", "2.05"))
    assert (again.added, [row.rate for row in again.changed]) == (0, [Decimal("2.05")])
    third = load(lines.replace("2.00", "2.05"))
    assert (third.added, third.changed) == (0, [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ECB_MRO,1 January 2026,2.15,ECB", "not a date"),
        ("ECB_MRO,2026-01-01,two,ECB", "not a rate"),
        ("ECB_MRO,2026-01-01,NaN,ECB", "from -100 to 1000"),
        ("ECB_MRO,2026-01-01,1000.01,ECB", "from -100 to 1000"),
        ("ECB_MRO,2026-01-01,2.000001,ECB", "5 decimals"),
        ("ECB_MRO,2026-01-01,2.15", "needs a series"),
        ("ECB_MRO,2026-01-01,2.15,", "needs a series"),
        ("Ö,2026-01-01,2.15,ECB", "not the code"),
    ],
)
def test_a_line_that_is_not_a_rate_is_refused_and_the_others_stored(line, reason):
    loaded = load(f"{line}\nAT_BASE,2026-01-01,1.53,OeNB\n")
    [(number, why)] = loaded.refused
    assert number == 2
    assert reason in why
    assert not stored("ECB_MRO")
    assert stored("AT_BASE")


@pytest.mark.parametrize("content", ["", "Date,USD\n2026-01-01,1.05\n", "\xff"])
def test_another_file_is_refused_as_a_whole(content):
    with pytest.raises(rates.NotARateFile):
        rates.load(io.StringIO(content, newline=""))


def test_the_command_says_what_it_did(tmp_path, capsys):
    file = tmp_path / "rates.csv"
    file.write_text(HEADER + "AT_BASE,2026-01-01,1.53,OeNB\n")
    call_command("load_rates", str(file))
    assert "1 rates: 1 new, 0 changed." in capsys.readouterr().out
    file.write_text(HEADER + "AT_BASE,2026,1.53,OeNB\n")
    with pytest.raises(CommandError, match="1 lines were refused"):
        call_command("load_rates", str(file))
    with pytest.raises(CommandError, match="can't be read"):
        call_command("load_rates", str(tmp_path / "none.csv"))


def test_shipped_rates_do_not_replace_loaded_ones():
    load("DE_BASE,2026-01-01,1.30,corrected\n")
    rates.load_shipped()
    assert stored("DE_BASE")["2026-01-01"] == Decimal("1.30")


class TestSchedules:
    JULY, JANUARY = date(2025, 7, 1), date(2026, 1, 1)
    SERIES = (Rate(JULY, Decimal("1.27")), Rate(JANUARY, Decimal("1.27")))

    def test_no_rate_is_known_after_the_last_half_year(self):
        found = schedule_rates(Reset.FLOATING, Decimal(5), self.SERIES, date(2025, 11, 15), half_yearly=True)
        percent = Decimal("6.27")
        assert found == ((Rate(date(2025, 11, 15), percent), Rate(self.JANUARY, percent)), date(2026, 7, 1))

    def test_a_missing_half_year_ends_what_is_known(self):
        series = (self.SERIES[0], Rate(date(2026, 7, 1), Decimal(2)))
        found = schedule_rates(Reset.FLOATING, Decimal(5), series, self.JULY, half_yearly=True)
        assert found == ((Rate(self.JULY, Decimal("6.27")),), self.JANUARY)

    def test_other_series_keep_their_last_rate(self):
        found, unknown_from = schedule_rates(Reset.FLOATING, Decimal(5), self.SERIES, self.JULY)
        assert unknown_from is None
        assert len(found) == 2

    @pytest.mark.parametrize("series", [(), SERIES])
    def test_before_the_first_rate_nothing_is_known(self, series):
        since = date(2025, 6, 30)
        assert schedule_rates(Reset.FLOATING, Decimal(5), series, since) == ((), since)

    def test_fixed_at_start_needs_only_the_first_rate(self):
        found = schedule_rates(Reset.FIXED_AT_START, Decimal(8), self.SERIES, date(2025, 8, 1), half_yearly=True)
        assert found == ((Rate(date(2025, 8, 1), Decimal("9.27")),), None)

    def test_the_sum_is_never_negative(self):
        series = (Rate(self.JULY, Decimal(-3)),)
        assert schedule_rates(Reset.FLOATING, Decimal(2), series, self.JULY)[0][0].percent == 0

    def test_what_is_missing_today_is_named(self):
        missing = {row.series: row for row in schedules.missing_rates(date(2026, 11, 30))}
        assert missing["DE_BASE"].since == date(2026, 7, 1)
        assert missing["DE_BASE"].schedules == ("DE_B2B", "DE_B2C")
        assert missing["NL_B2C"].schedules == ("NL_B2C",)
        load("DE_BASE,2026-07-01,1.27,Bundesbank\n")
        assert "DE_BASE" not in {row.series for row in schedules.missing_rates(date(2026, 11, 30))}
        assert "DE_BASE" in {row.series for row in schedules.missing_rates(date(2027, 1, 1))}

    def test_a_change_is_a_new_version(self):
        old = InterestSchedule.objects.get(code="DE_B2B")
        fields = {"name": "New", "series": "de_base", "margin": Decimal(9), "section": "s", "source": "t"}
        new = schedules.add(code="de_b2b", by=None, **fields)
        assert (new.code, new.series, new.version) == ("DE_B2B", "DE_BASE", 2)
        old.refresh_from_db()
        assert old.version == 1

    @pytest.mark.parametrize(
        "fields",
        [
            {"series": "X", "fixed_percent": Decimal(1)},
            {},
            {"fixed_percent": Decimal(-1)},
            {"fixed_percent": Decimal(1001)},
            {"series": "X", "margin": Decimal("0.000001")},
        ],
    )
    def test_impossible_schedules_are_refused(self, fields):
        before = InterestSchedule.objects.count()
        with pytest.raises((schedules.SeriesOrFixedRate, schedules.BadPercent)):
            schedules.add(code="X", name="X", section="s", source="t", by=None, **fields)
        assert InterestSchedule.objects.count() == before
