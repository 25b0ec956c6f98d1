"""Lists are downloaded as CSV files: as filtered and ordered, without formulas, and never without a record."""

import csv
import io
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.db import DatabaseError, connection, transaction

from audit import exports
from audit.models import ListExport
from collection.models import Debt
from creditors.models import Creditor
from ddc.common.admin import csv_files
from ddc.common.admin import exports as listed
from ddc.common.admin.pages import BackOffice
from debtors.models import Debtor
from tests import factories
from tests.admin.conftest import Browser, errors, fill

pytestmark = pytest.mark.django_db


def path(model: Any) -> str:
    return f"/admin/export/{model._meta.app_label}/{model._meta.model_name}/"


def download(browser: Browser, model: Any, query: str = "", **form: str) -> list[dict[str, str]]:
    answer: Any = browser.client.post(f"{path(model)}?{query}", form)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def many_debtors(count: int) -> None:
    Debtor.objects.bulk_create(
        Debtor(first_name=f"N{number}", last_name="Many", email=f"n{number}@example.com", country_code="GB")
        for number in range(count)
    )


@pytest.mark.parametrize("text", ["=1+1", "+44 7700", "-2", "@SUM(A1)", "\tx", "\rx", '=cmd|" /C calc"!A0'])
def test_a_cell_that_begins_like_a_formula_becomes_text(text: str):
    assert csv_files.cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "text"), [(-5, "-5"), (Decimal("-1.50"), "-1.50"), (None, ""), ("a=1", "a=1")])
def test_numbers_and_plain_texts_stay_as_they_are(value: Any, text: str):
    assert csv_files.cell(value) == text


def test_the_search_the_filters_and_the_order_of_the_list_count(supervisor_at_desk: Browser):
    for name, balance in (("Quint", 30), ("Quint", 500), ("Other", 9)):
        factories.debt(debtor=factories.debtor(last_name=name), original_balance=Decimal(balance))
    page: Any = admin.site._registry[Debt]
    by_balance = page.list_display.index("owed") if "owed" in page.list_display else 1

    rows = download(supervisor_at_desk, Debt, "q=quint")
    assert len(rows) == 2
    assert all("Quint" in " ".join(row.values()) for row in rows)

    up = download(supervisor_at_desk, Debt, f"q=quint&o={by_balance + 1}")
    down = download(supervisor_at_desk, Debt, f"q=quint&o=-{by_balance + 1}")
    assert up == list(reversed(down))
    assert ListExport.objects.filter(filters="q=quint").count() == 1


def test_a_name_that_is_a_formula_reaches_the_file_as_text(supervisor_at_desk: Browser):
    Creditor.objects.create(name="=HYPERLINK(1)")
    assert download(supervisor_at_desk, Creditor)[0]["Name"] == "'=HYPERLINK(1)"


def test_every_list_has_a_file_with_its_rows(supervisor_at_desk: Browser):
    fill(2)
    for model, page in admin.site._registry.items():
        if isinstance(page, BackOffice) and model._meta.model_name not in ("agencyprofile", "listexport"):
            shown = supervisor_at_desk.client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
            rows = download(supervisor_at_desk, model)
            assert len(rows) == shown.context["cl"].result_count, model._meta.label
            assert not any("<" in value and ">" in value for row in rows for value in row.values()), model._meta.label


def test_each_export_is_recorded_before_its_first_row_and_with_their_number(supervisor_at_desk: Browser):
    factories.debtor()
    factories.debtor()
    answer: Any = supervisor_at_desk.client.post(path(Debtor), {"reason": "Asked by the bank"})
    record = ListExport.objects.get()
    assert (record.agent_id, record.list_name, record.reason, record.rows) == (
        supervisor_at_desk.agent.pk, "Debtors", "Asked by the bank", None,
    )  # fmt: skip
    b"".join(answer.streaming_content)
    record.refresh_from_db()
    assert record.rows == 2
    assert record.finished_at is not None


def test_a_client_that_goes_away_leaves_the_number_of_rows_it_got(supervisor_at_desk: Browser):
    many_debtors(30)
    counted: list[int] = []
    rows: Any = listed.rows(admin.site._registry[Debtor], Debtor.objects.all(), ["email"], done=counted.append)
    next(rows)
    rows.close()
    assert counted == [1]


def test_many_people_need_a_reason(supervisor_at_desk: Browser):
    many_debtors(exports.ROWS_WITHOUT_REASON)
    assert len(download(supervisor_at_desk, Debtor)) == exports.ROWS_WITHOUT_REASON

    factories.debtor()
    answer = supervisor_at_desk.client.post(path(Debtor), {"reason": " "})
    assert errors(answer) == {"reason": ["This field is required."]}
    assert ListExport.objects.count() == 1
    assert len(download(supervisor_at_desk, Debtor, reason="Audit of 2026")) == exports.ROWS_WITHOUT_REASON + 1


def test_the_file_takes_the_same_memory_for_many_rows(supervisor_at_desk: Browser):
    def peak() -> int:
        answer: Any = supervisor_at_desk.client.post(path(Debtor), {"reason": "Audit"})
        tracemalloc.start()
        for _ in answer.streaming_content:
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    many_debtors(2_000)
    peak()
    few = peak()
    many_debtors_again = [Debtor(first_name=f"M{n}", last_name="X", email=f"m{n}@example.com") for n in range(6_000)]
    Debtor.objects.bulk_create(many_debtors_again)
    del many_debtors_again
    assert peak() < few * 1.5


def test_only_those_with_the_right_export_and_only_what_they_see(agent_at_desk: Browser, auditor_at_desk: Browser):
    factories.debtor()
    assert agent_at_desk.get(path(Debtor)).status_code == 403
    assert agent_at_desk.client.post(path(Debtor)).status_code == 403
    assert "Download as CSV" not in agent_at_desk.list(Debtor).content.decode()
    assert "Download as CSV" in auditor_at_desk.list(Debtor).content.decode()
    assert len(download(auditor_at_desk, Debtor)) == 1
    listed = auditor_at_desk.list(ListExport).content.decode()
    assert auditor_at_desk.agent.username in listed
    assert agent_at_desk.list(ListExport).status_code == 403


def test_a_list_that_is_none_is_not_found(supervisor_at_desk: Browser):
    assert supervisor_at_desk.get("/admin/export/auth/permission/").status_code == 404
    assert supervisor_at_desk.get("/admin/export/nothing/at/").status_code == 404


def test_the_record_of_an_export_stays(supervisor_at_desk: Browser):
    factories.debtor()
    download(supervisor_at_desk, Debtor)
    for statement in ("DELETE FROM list_export", "UPDATE list_export SET rows = 0"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert ListExport.objects.get().rows == 1
