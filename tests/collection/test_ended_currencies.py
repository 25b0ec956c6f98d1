"""No debt is placed in a currency that has ended, by whatever way."""

import io
from datetime import UTC, date, datetime

import pytest

from collection import debts
from collection.models import Debt
from collection.placements import loading
from ddc.common import money
from ddc.common.reference import currencies
from ddc.common.reference.currencies import DECIMALS, ENDED
from tests import factories
from tests.conftest import Api

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
DYING = sorted(set(ENDED) & set(DECIMALS))

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("code", sorted(ENDED))
def test_the_api_names_the_successor(api: Api, code: str):
    body = {"debtorId": str(factories.debtor().pk), "originalCreditor": "A", "originalBalance": 5, "currencyCode": code}
    answer = api.post("/debts", body)
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["field"], error["rule"]) == (422, "currencyCode", "enum")
    assert f"Use {ENDED[code].successor}" in error["message"]
    assert not Debt.objects.exists()


def test_the_table_is_right_by_itself():
    assert "BGN" in DYING
    assert "ANG" in DYING
    for code, ended in ENDED.items():
        assert ended.successor in DECIMALS
        assert ended.successor not in ENDED, code
        assert ended.rate > 0


@pytest.mark.parametrize("code", DYING)
def test_a_debt_is_placed_until_the_last_day(code: str):
    ended = ENDED[code]
    last = date.fromordinal(ended.on.toordinal() - 1)
    assert factories.debt(currency_code=code, placement_date=last, today=last).currency_code == code
    with pytest.raises(money.EndedCurrency):
        factories.debt(currency_code=code, placement_date=last, today=ended.on)


def test_a_debt_is_not_turned_into_it():
    debt = factories.debt(currency_code="EUR")
    with pytest.raises(money.EndedCurrency):
        debts.amend(debt, by=None, today=NOW.date(), currency_code="BGN")
    debt.refresh_from_db()
    assert debt.currency_code == "EUR"


@pytest.mark.parametrize("code", ["BGN", "bgn", "ANG", "HRK"])
def test_a_row_of_a_file_is_refused(code: str):
    rows = (
        f"email,firstName,lastName,originalCreditor,originalBalance,currencyCode\na@example.com,A,B,Acme,5.00,{code}\n"
    )
    report = loading.load(io.BytesIO(rows.encode()), by=None, today=NOW.date(), now=NOW)
    (refusal,) = report.refusals
    assert (refusal.line, refusal.column, refusal.reason) == (2, "currencyCode", currencies.unknown(code))
    assert not Debt.objects.exists()
