"""Rows of placement files that are known debts, that contradict them, or that are equal."""

from typing import Any

import pytest

from collection import debts
from collection.models import Debt
from debtors import debtors
from debtors.models import Debtor
from tests import factories
from tests.collection.placements.files import ROW, counts, everything, load, load_case, text
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db
BARE = {name: value for name, value in ROW.items() if name != "externalReference"}


def refused(row: dict[str, Any]) -> list[tuple[str | None, str]]:
    before = everything()
    report = load(text(row))
    assert counts(report) == (0, 0, 1)
    assert everything() == before
    return [(one.column, one.reason) for one in report.refusals]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("originalBalance", "900", "The debt with this reference was placed with 100 GBP."),
        ("currencyCode", "EUR", "The debt with this reference was placed with 100 GBP."),
        ("lastName", "Roe", "The debt with this reference is another debtor's."),
        ("dob", "1980-01-15", "The debt with this reference is another debtor's."),
    ],
)
def test_what_contradicts_a_known_debt_is_refused(column, value, reason):
    load(text(ROW | {"dob": "1979-01-01"}))
    assert refused(ROW | {"dob": "1979-01-01"} | {column: value}) == [(column, reason)]


def test_a_reference_with_another_debtors_address_is_refused():
    load(text(ROW))
    factories.debtor(first_name="Ann", email="other@example.com")
    assert refused(ROW | {"email": "other@example.com"}) == [
        ("email", "The debt with this reference is another debtor's.")
    ]


def test_a_second_row_of_the_file_that_contradicts_the_first_is_refused():
    report = load(text(ROW, ROW | {"originalBalance": "7"}, ROW | {"lastName": "Roe"}, ROW))
    assert counts(report) == (1, 1, 2)
    assert [(one.line, one.column) for one in report.refusals] == [(3, "originalBalance"), (4, "lastName")]


def test_a_debtor_who_changed_names_and_addresses_here_makes_no_contradiction_by_spelling():
    load(text(ROW))
    debtors.amend(Debtor.objects.get(), email="new@example.com", first_name="ANN", last_name="Dóe", today=TODAY)
    assert counts(load(text(ROW))) == (0, 1, 0)


def test_two_equal_invoices_are_two_debts():
    report = load_case("04-two-equal-invoices.csv")
    assert (counts(report), report.equal) == ((2, 0, 0), [(3, 2)])
    assert sorted(str(day) for day in Debt.objects.values_list("due_date", flat=True)) == ["2026-08-01", "2026-09-01"]
    before = everything()
    assert counts(load_case("04-two-equal-invoices.csv")) == (0, 2, 0)
    assert everything() == before


def test_the_third_equal_row_of_a_later_file_is_the_third_debt():
    load(text(BARE, BARE))
    report = load(text(BARE, BARE, BARE))
    assert (counts(report), report.equal) == ((1, 2, 0), [])


def test_rows_without_a_date_take_the_debts_that_dated_rows_leave():
    dated = BARE | {"placementDate": "2026-06-01"}
    load(text(dated))
    assert counts(load(text(BARE | {"placementDate": ""}, dated))) == (1, 1, 0)
    assert counts(load(text(BARE | {"placementDate": ""}, dated))) == (0, 2, 0)
    assert counts(load(text(dated | {"placementDate": "2026-06-02"}))) == (1, 0, 0)


def test_recalled_debts_do_not_count():
    load(text(BARE, BARE))
    debts.amend(Debt.objects.order_by("id")[0], current_status="recalled", by=None, today=TODAY)
    assert counts(load(text(BARE, BARE))) == (1, 1, 0)


def test_spellings_of_a_creditor_are_counted_together():
    assert counts(load(text(BARE, BARE | {"originalCreditor": "ACME."}))) == (2, 0, 0)
    assert counts(load(text(BARE | {"originalCreditor": "acme"}))) == (0, 1, 0)


def test_a_reference_that_lost_its_zeros_is_told():
    assert counts(load_case("12-leading-zeros.csv")) == (1, 0, 0)
    report = load_case("12b-leading-zeros-after-excel.csv")
    assert counts(report) == (0, 0, 1)
    assert [(one.line, one.column) for one in report.refusals] == [(2, "externalReference")]
    assert "Reference 000123 of the same debt" in report.refusals[0].reason


def test_a_reference_whose_zeros_came_back_is_told():
    load_case("12b-leading-zeros-after-excel.csv")
    report = load_case("12-leading-zeros.csv")
    assert "Reference 123 of the same debt" in report.refusals[0].reason


def test_zeros_dropped_within_one_file_are_told():
    report = load(text(ROW | {"externalReference": "007"}, ROW | {"externalReference": "7"}))
    assert counts(report) == (1, 0, 1)
    assert (report.refusals[0].line, Debt.objects.get().external_reference) == (3, "007")


@pytest.mark.parametrize(
    "change",
    [
        {"originalBalance": "7"},
        {"placementDate": "2026-06-02"},
        {"externalReference": "70"},
        {"email": "b@example.com"},
    ],
)
def test_references_of_other_debts_may_differ_in_zeros(change):
    first = ROW | {"externalReference": "007", "placementDate": "2026-06-01"}
    load(text(first))
    assert counts(load(text(first | {"externalReference": "7"} | change))) == (1, 0, 0)
