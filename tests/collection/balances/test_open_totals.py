"""The database keeps the sums of open debts, whatever program writes debts."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from collection import debts
from collection.balances import open_totals
from collection.balances.open_totals import OpenTotal
from collection.models import OPEN, Debt, DebtStatus
from payments import posting, reconciliation
from tests import factories

TODAY = date(2026, 2, 1)
YESTERDAY = TODAY - timedelta(days=1)
CHECK = "the open totals are the sums of the open debts"

pytestmark = pytest.mark.django_db


def sql(statement: str, *params: object) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def is_right() -> bool:
    return CHECK not in {difference.check for difference in reconciliation.differences()}


def pay(debt: Debt, amount: int) -> None:
    posting.record(debt=debt, amount=Decimal(amount), by=None, today=TODAY)


def test_open_and_overdue_debts_are_summed_by_currency():
    factories.debt(balance="100", due_date=YESTERDAY)
    factories.debt(balance="50", due_date=TODAY)
    factories.debt(balance="20")
    factories.debt(balance="7", currency_code="EUR")
    debts.amend(factories.debt(balance="9", currency_code="CHF"), by=None, today=TODAY, current_status="recalled")
    assert open_totals.by_currency(today=TODAY) == [OpenTotal("EUR", 7, 1, 0, 0), OpenTotal("GBP", 170, 3, 100, 1)]


@pytest.mark.parametrize(
    ("change", "open_after"),
    [
        (lambda debt: pay(debt, 30), (70, 1)),
        (lambda debt: pay(debt, 100), (0, 0)),
        (lambda debt: debts.amend(debt, by=None, today=TODAY, due_date=None), (100, 1)),
        (lambda debt: debts.amend(debt, by=None, today=TODAY, current_status="written_off"), (0, 0)),
        (lambda debt: debts.delete(debt, by=None, today=TODAY), (0, 0)),
        (lambda debt: sql("UPDATE debt SET currency_code = 'EUR', due_date = now()"), (0, 0)),
        pytest.param(
            lambda debt: sql("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE debt CASCADE"), (0, 0), marks=pytest.mark.owner
        ),
    ],
    ids=["paid in part", "paid", "no due date", "written off", "deleted", "other currency", "emptied"],
)
def test_each_way_to_change_a_debt_is_counted(change: Callable[[Debt], None], open_after: tuple[int, int]):
    debt = factories.debt(balance="100", due_date=YESTERDAY)
    change(debt)
    left = [(part.balance, part.debts) for part in open_totals.by_currency(today=TODAY) if part.currency_code == "GBP"]
    assert left == ([open_after] if open_after[1] else [])
    assert is_right()


@pytest.mark.parametrize("before", DebtStatus.values)
@pytest.mark.parametrize("after", DebtStatus.values)
def test_open_has_the_meaning_of_the_domain_functions(before: str, after: str):
    debt = factories.debt(balance="100")
    for status in (before, after):
        Debt.objects.filter(pk=debt.pk).update(current_status=status, current_balance=0 if status == "paid" else 100)
        assert sum(part.debts for part in open_totals.by_currency(today=TODAY)) == (status in OPEN)
        assert is_right()


@pytest.mark.owner
def test_debts_loaded_in_bulk_are_counted_even_with_triggers_off():
    kept = factories.debt(balance="100")
    sql("CREATE TEMP TABLE more AS SELECT * FROM debt")
    sql("ALTER TABLE more DROP COLUMN balance_principal")  # The database computes it.
    sql("UPDATE more SET id = uuidv7(), external_reference = NULL, normal_reference = NULL")
    sql("SET LOCAL session_replication_role = replica")
    with connection.cursor() as cursor:
        with cursor.copy("COPY more TO STDOUT") as copied:
            rows = b"".join(copied)
        columns = "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'more'::regclass"
        cursor.execute(f"{columns} AND attnum > 0 AND NOT attisdropped")
        (names,) = cursor.fetchone()
        with cursor.copy(f"COPY debt ({names}) FROM STDIN") as copy:
            copy.write(rows)
    assert open_totals.by_currency(today=TODAY) == [OpenTotal("GBP", 200, 2, 0, 0)]
    assert Debt.objects.exclude(pk=kept.pk).count() == 1
    assert is_right()


def test_compacting_leaves_one_row_of_each_group_and_the_same_sums():
    late, other, gone = (factories.debt(balance="100", due_date=due) for due in (YESTERDAY, None, TODAY))
    for debt in (late, late, other):
        pay(debt, 10)
    pay(gone, 100)
    before = open_totals.by_currency(today=TODAY)
    open_totals.compact()
    assert open_totals.by_currency(today=TODAY) == before == [OpenTotal("GBP", 170, 2, 80, 1)]
    assert sql("SELECT due_date, debts, balance FROM open_total ORDER BY 1") == [(YESTERDAY, 1, 80), (None, 1, 90)]
    assert is_right()


def test_check_ledger_finds_a_wrong_sum(capsys: pytest.CaptureFixture[str]):
    factories.debt(balance="100")
    sql("UPDATE open_total SET balance = balance + 1")
    with pytest.raises(SystemExit):
        call_command("check_ledger")
    assert f"{CHECK}: GBP" in capsys.readouterr().err
