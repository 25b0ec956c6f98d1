"""A creditor's reference in another spelling is the same one."""

from datetime import date
from typing import Any

import pytest

from collection import debts
from collection.models import Debt
from tests import factories
from tests.collection.placements.files import CASES, ROW, counts, load, text
from tests.conftest import Api

pytestmark = pytest.mark.django_db

SPELLINGS = [
    ("One Ltd", "A-1"),
    ("ONE LTD", "a-1"),
    ("One Ltd ", "A-1 "),
    ("One  Ltd", "A\u20111"),
    ("one ltd.", "\u200bA-1"),
]


def place(api: Api, creditor: str, reference: str) -> Any:
    return api.post("/debts", {
        "debtorId": factories.debtor().pk, "originalCreditor": creditor, "externalReference": reference, "originalBalance": 5,
    })  # fmt: skip


def test_of_five_spellings_over_the_api_one_is_placed(api: Api):
    answers = [place(api, *spelling) for spelling in SPELLINGS]
    assert [answer.status_code for answer in answers] == [201, 422, 422, 422, 422]
    assert answers[0].json()["externalReference"] == "A-1"
    (error,) = answers[1].json()["errors"]
    assert (error["field"], error["rule"]) == ("externalReference", "database.unique")
    assert Debt.objects.count() == 1


def test_a_reference_is_shown_as_it_was_typed(api: Api):
    assert place(api, "One Ltd", " Inv\u00a01 ").json()["externalReference"] == " Inv\u00a01 "
    assert Debt.objects.get().normal_reference == "inv 1"


def test_an_amended_reference_is_compared_too(api: Api):
    place(api, "One Ltd", "A-1")
    other = place(api, "One Ltd", "A-2").json()
    assert api.put(f"/debts/{other['id']}", {"externalReference": "a-1 "}).status_code == 422
    assert api.put(f"/debts/{other['id']}", {"externalReference": "A-3"}).status_code == 200
    assert place(api, "One Ltd", "a-2").status_code == 201
    assert place(api, "One Ltd", "a-3").status_code == 422


def test_a_recalled_debt_leaves_its_reference_to_another_and_takes_it_back_from_nobody(api: Api):
    recalled = factories.debt(external_reference="A-1")
    debts.amend(recalled, by=None, today=recalled.placement_date, current_status="recalled")
    assert place(api, recalled.original_creditor, "a-1").status_code == 201
    refused = api.put(f"/debts/{recalled.pk}", {"currentStatus": "active"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "externalReference")


def test_the_rows_of_a_file_with_spellings_of_one_creditor_are_one_debt():
    assert counts(load((CASES / "08-creditor-spellings.csv").read_bytes(), today=date(2026, 11, 30))) == (1, 2, 0)
    debt = Debt.objects.get()
    assert (debt.current_balance, debt.original_creditor) == (200, "Acme Energy Ltd")
    composed, decomposed = "Soci\u00e9t\u00e9 X", "Socie\u0301te\u0301 X"
    assert counts(load(text(*(ROW | {"originalCreditor": name} for name in (composed, decomposed))))) == (1, 1, 0)


def test_rows_whose_references_and_addresses_are_spelled_differently_are_one_debt_of_one_debtor():
    rows = [
        ROW | {"email": "ann@bücher.example", "mobilePhone": "+5215512345678", "externalReference": "Société 1"},
        ROW
        | {
            "email": "ANN@xn--bcher-kva.example",
            "mobilePhone": "+525512345678",
            "externalReference": "SOCIE\u0301TE\u0301 1 ",
        },
        ROW | {"email": "other@example.com", "mobilePhone": "+52 55 1234 5678", "externalReference": "A-2"},
    ]
    report = load(text(*rows))
    assert (report.accepted, report.known, report.debtors) == (2, 1, 1)
    assert counts(load(text(rows[1]))) == (0, 1, 0)


def test_rows_of_people_with_one_name_are_placed():
    assert counts(load((CASES / "11-mononym-and-null.csv").read_bytes())) == (4, 0, 0)
    names = {debt.external_reference: debt.debtor.name for debt in Debt.objects.all()}
    assert names == {"M-1": "Suharto", "M-2": "Sukarno", "M-3": "Chris Null", "M-4": "None N/A"}
