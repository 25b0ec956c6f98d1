"""Placement files as spreadsheets and old systems write them: read, or refused with the reason."""

from datetime import date
from decimal import Decimal

import pytest

from collection.models import Debt
from collection.placements.lines import BrokenFile
from debtors.models import Debtor
from tests.collection.placements.files import ROW, counts, load, load_case, text

pytestmark = pytest.mark.django_db


def rows(column: str, *values: str) -> str:
    """Return a file with one row for each value of a column."""
    return text(*(ROW | {"externalReference": f"R-{number}", column: value} for number, value in enumerate(values)))


def reasons(content: str | bytes, **options: str) -> list[tuple[int, str | None, str]]:
    return [(one.line, one.column, one.reason) for one in load(content, **options).refusals]


def placed(field: str) -> list[object]:
    return list(Debt.objects.order_by("external_reference").values_list(field, flat=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_in_every_marked_encoding(encoding):
    assert counts(load(text(ROW | {"firstName": "Zoë 東"}).encode(encoding))) == (1, 0, 0)
    assert Debtor.objects.get().first_name == "Zoë 東"


def test_utf_16_is_read_in_both_byte_orders():
    assert counts(load(b"\xfe\xff" + text(ROW).encode("utf-16-be"))) == (1, 0, 0)
    assert counts(load(b"\xff\xfe" + text(ROW).encode("utf-16-le"))) == (0, 1, 0)


def test_broken_utf_16_is_refused_as_a_whole():
    with pytest.raises(BrokenFile, match="is not UTF-16"):
        load(text(ROW).encode("utf-16") + b"\x00")


def test_an_old_encoding_is_refused_until_it_is_named():
    file = text(ROW | {"firstName": "Zoë"}).encode("windows-1252")
    with pytest.raises(BrokenFile, match=r"Line 2 is not UTF-8.*--encoding windows-1252"):
        load(file)
    assert counts(load(file, encoding="windows-1252")) == (1, 0, 0)
    assert Debtor.objects.get().first_name == "Zoë"


def test_a_byte_order_mark_decides_against_a_named_encoding():
    load(text(ROW | {"firstName": "Zoë"}).encode("utf-8-sig"), encoding="windows-1252")
    assert Debtor.objects.get().first_name == "Zoë"


def test_excels_line_with_the_delimiter_is_skipped():
    assert counts(load_case("05-sep-line.csv")) == (1, 0, 0)
    assert reasons("sep=,\n" + text(ROW | {"p2pScore": "2"}))[0][:2] == (3, "p2pScore")
    assert counts(load("sep=\t\r\n" + text(ROW, delimiter="\t"))) == (1, 0, 0)


def test_empty_columns_without_a_name_are_ignored():
    report = load_case("06-empty-trailing-columns.csv")
    assert (counts(report), report.ignored) == ((1, 0, 0), [])


def test_a_value_in_a_column_without_a_name_is_refused():
    header, row = text(ROW).splitlines()
    assert reasons(f"{header},,\n{row},,\n{row},5,\n{row}\n") == [
        (3, None, "This line has more cells than the 7 columns of the first line.")
    ]
    assert reasons(f",{header}\n,{row}\n1,{row}\n") == [(3, None, "This line has a value in a column without a name.")]


def test_unknown_columns_are_named_and_ignored():
    report = load(text(ROW | {"surname": "Doe", "Kontostand": "5"}))
    assert (counts(report), report.ignored) == ((1, 0, 0), ["surname", "Kontostand"])


def test_names_of_columns_are_read_without_case_and_spaces():
    header, row = text(ROW | {"currentBalance": "40"}).splitlines()
    named = header.replace("currentBalance", "Current Balance").replace("originalBalance", "ORIGINAL_BALANCE")
    assert counts(load(f"{named}\n{row}\n")) == (1, 0, 0)
    assert placed("current_balance") == [40]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_gives_known_columns(delimiter):
    assert counts(load(text(ROW | {"a,b;c|d": "x"}, delimiter=delimiter))) == (1, 0, 0)


def test_blank_lines_before_the_header_and_between_rows_are_skipped():
    header, row = text(ROW | {"p2pScore": "2"}).splitlines()
    assert [fault[0] for fault in reasons(f"\n,,,\n{header}\n\n,,,\n{row}\n")] == [6]


def test_a_wrong_quotation_mark_within_a_line_refuses_the_line():
    header, row = text(ROW).splitlines()
    report = load(f'{header}\n"Ann"x,b,c,d,e,f,g\n{row}\n')
    assert counts(report) == (1, 0, 1)
    assert report.refusals[0].line == 2
    assert "quotation marks" in report.refusals[0].reason


def test_a_missing_quotation_mark_does_not_hide_rows():
    header, row = text(ROW).splitlines()
    file = f"{header}\n{row.replace('Ann', chr(34) + 'Ann')}\n{row.replace('Ann', 'Ann' + chr(34))}\n"
    assert reasons(file) == [(2, "firstName", "This has a line break. Is a quotation mark missing?")]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        (("31/01/2026", "03/04/2026"), date(2026, 4, 3)),
        (("01/31/2026", "03/04/2026"), date(2026, 3, 4)),
        (("31.1.2026", "3.4.2026"), date(2026, 4, 3)),
        (("31-01-2026", "03-04-2026"), date(2026, 4, 3)),
        (("2026-01-31 00:00:00", "2026-04-03T00:00"), date(2026, 4, 3)),
    ],
)
def test_a_column_shows_the_order_of_day_and_month(written, day):
    assert counts(load(rows("placementDate", *written))) == (2, 0, 0)
    assert placed("placement_date") == [date(2026, 1, 31), day]


@pytest.mark.parametrize("written", [("03/04/2026", "05/06/2026"), ("31/01/2026", "01/31/2026"), ("31/02/2026",)])
def test_dates_that_can_be_read_in_two_ways_or_in_none_are_refused(written):
    assert [fault[:2] for fault in reasons(rows("placementDate", *written))] == [
        (line, "placementDate") for line in range(2, 2 + len(written))
    ]
    assert not Debt.objects.exists()


def test_dates_in_another_form_than_the_rest_of_their_column_are_refused():
    assert [fault[0] for fault in reasons(rows("placementDate", "2026-01-31", "31/01/2026", "31.01.2026"))] == [3, 4]


def test_a_column_in_which_excel_has_swapped_days_and_months_is_refused():
    """31/01 stayed as text; 03/04 became the 4th of March, shown as 2026-03-04."""
    assert [fault[0] for fault in reasons(rows("placementDate", "31/01/2026", "2026-03-04"))] == [2, 3]


@pytest.mark.parametrize("value", ["46000", "46000.5"])
def test_excels_day_numbers_are_refused(value):
    ((line, column, reason),) = reasons(rows("placementDate", value))
    assert (line, column) == (2, "placementDate")
    assert "Excel wrote this date as a number" in reason


@pytest.mark.parametrize(
    ("written", "amounts"),
    [
        (("1.234,56", "500,00", "7"), ["1234.56", "500", "7"]),
        (("1,234.56", "1,500.00", "7.50"), ["1234.56", "1500", "7.5"]),
    ],
)
def test_a_column_shows_what_its_commas_mean(written, amounts):
    assert counts(load(rows("originalBalance", *written))) == (3, 0, 0)
    assert placed("original_balance") == [Decimal(amount) for amount in amounts]


@pytest.mark.parametrize(
    ("written", "refused"),
    [
        (("1.234,56",), [2]),
        (("1.234,56", "500,00-", "(250.00)"), [2, 3, 4]),
        (("500,00", "250,00", "1.23"), [2, 3]),
        (("1,234", "2,345"), [2, 3]),
        (("1,234.56", "500,00", "2,345.67"), [2, 3, 4]),
        (("500,00", "250,00", "100,00-", "£5,00", "1,234"), [4, 5, 6]),
    ],
)
def test_amounts_that_their_column_does_not_explain_are_refused(written, refused):
    assert [fault[:2] for fault in reasons(rows("originalBalance", *written))] == [
        (line, "originalBalance") for line in refused
    ]


def test_scores_may_have_a_decimal_comma_too():
    load(rows("p2pScore", "0,75", "0,125", "1"))
    assert placed("p2p_score") == [Decimal("0.75"), Decimal("0.125"), Decimal(1)]


def test_each_column_is_judged_by_itself():
    file = text(
        *(
            ROW | {"externalReference": n, "originalBalance": amount, "placementDate": day, "dueDate": "03/04/2026"}
            for n, amount, day in (("a", "1,00", "31/01/2026"), ("b", "2,00", "01/02/2026"))
        ),
        delimiter=";",
    )
    assert [fault[:2] for fault in reasons(file)] == [(2, "dueDate"), (3, "dueDate")]


def test_phones_as_excel_leaves_them():
    report = load_case("10-phones-as-excel-leaves-them.csv")
    assert counts(report) == (4, 0, 3)
    assert [(one.line, one.column) for one in report.refusals] == [(line, "mobilePhone") for line in (5, 7, 8)]
    assert "Excel shortened this number" in report.refusals[0].reason
    found = Debtor.objects.order_by("email").values_list("mobile_phone", "normal_phone")
    normal = [f"+44740030000{number}" for number in (1, 2, 3, 5)]
    assert list(found) == list(zip([*normal[:3], "+4407400300005"], normal, strict=True))


def test_a_reference_that_excel_shortened_is_refused():
    assert [fault[:2] for fault in reasons(rows("externalReference", "1.23457E+15"))] == [(2, "externalReference")]


@pytest.mark.parametrize("column", ["firstName", "externalReference", "originalCreditor", "addressLine1"])
@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("#N/A", "Excel had no value"), ("#REF!", "Excel had no value"), ("#NAME?", "Excel had no value"),
        ("########", "Excel had no value"), ('="000123"', "Write only its value: 000123"),
        ("M\ufffdller", "Letters of this text were lost"),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_left_in_the_place_of_a_value_is_refused(column, cell, reason):
    ((line, found, why),) = reasons(rows(column, cell))
    assert (line, found) == (2, column)
    assert reason in why
    assert not Debt.objects.exists()


@pytest.mark.parametrize("name", ["#1 Motors", "A=B Ltd", "=", "N/A", "Null", "#"])
def test_names_that_look_like_it_are_read(name):
    assert counts(load(rows("originalCreditor", name))) == (1, 0, 0)
