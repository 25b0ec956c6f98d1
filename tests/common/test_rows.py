"""Rows read and written without the ORM: as it would read and write them, together or not at all."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from collection.models import Debt, LedgerEntry, Segment
from communications.models import CommunicationLog
from ddc.common import rows
from ddc.common.models import uuid7
from debtors.models import Debtor
from tests import factories

pytestmark = pytest.mark.django_db


def entry(debt: Debt, **values: object) -> LedgerEntry:
    return LedgerEntry(
        **{"debt": debt, "kind": "adjustment", "amount": Decimal("0.5"), "currency_code": debt.currency_code,
           "value_date": debt.placement_date, "cause": {"type": "é\"\\'"}} | values
    )  # fmt: skip


def test_a_row_reads_as_it_was_written_and_the_database_fills_in_the_rest(supervisor: Agent):
    debt = factories.debt()
    written = entry(debt, by=supervisor)
    rows.write(rows.Insert(written))
    read = LedgerEntry.objects.get(pk=written.pk)
    assert read.posted_at
    for field in LedgerEntry._meta.concrete_fields:
        if field.attname != "posted_at":
            assert getattr(read, field.attname) == getattr(written, field.attname)


def test_a_value_of_another_type_becomes_what_its_column_takes():
    debt = factories.debt()
    given: dict[str, Any] = {"amount": "0.5", "value_date": "2026-01-31", "cause": "é", "currency_code": "GBP"}
    written = entry(debt, **given)
    written.debt_id = str(debt.pk)  # type: ignore[assignment]
    rows.write(rows.Insert(written))
    read = LedgerEntry.objects.get(pk=written.pk)
    assert (read.amount, str(read.value_date), read.cause, read.debt_id) == (Decimal("0.5"), "2026-01-31", "é", debt.pk)


def test_an_update_writes_the_named_fields_alone_and_when():
    debt = factories.debt()
    before = debt.updated_at
    debt.original_creditor, debt.p2p_score, debt.segment = "Other", Decimal("0.125"), factories.segment()
    rows.write(rows.Update(debt, ("p2p_score", "segment", "updated_at")))
    read = Debt.objects.get(pk=debt.pk)
    assert (read.p2p_score, read.segment) == (Decimal("0.125"), debt.segment)
    assert read.original_creditor != "Other"
    assert read.updated_at == debt.updated_at > before


def test_what_is_written_together_is_one_statement_and_all_of_it_or_nothing():
    debt, other = factories.debt(), factories.debt()
    entries = LedgerEntry.objects.count()
    debt.current_balance, other.current_balance = Decimal(7), Decimal(-7)
    changes = [rows.Insert(entry(debt)), rows.Update(debt, ("current_balance",))]
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.write(*changes, rows.Update(other, ("current_balance",)))
    assert LedgerEntry.objects.count() == entries
    assert Debt.objects.filter(current_balance=7).count() == 0
    with CaptureQueriesContext(connection) as queries:
        rows.write(*changes)
    assert len(queries) == 1
    assert LedgerEntry.objects.count() == entries + 1
    assert Debt.objects.get(current_balance=7) == debt


def version_of(debt: Debt) -> str:
    found: str = Debt.objects.values_list(RawSQL(rows.VERSION, ()), flat=True).get(pk=debt.pk)
    return found


def test_a_row_in_the_version_that_was_read_is_written_with_what_belongs_to_it():
    debt = factories.debt()
    entries = LedgerEntry.objects.count()
    debt.current_balance = Decimal(7)
    with CaptureQueriesContext(connection) as queries:
        rows.write_if_unchanged(
            rows.Update(debt, ("current_balance",)),
            version_of(debt),
            rows.Insert(entry(debt)),
            rows.Insert(entry(debt)),
        )
    assert len(queries) == 2  # One of them asked for the version.
    assert LedgerEntry.objects.count() == entries + 2
    assert Debt.objects.get(current_balance=7) == debt


def test_a_row_in_another_version_or_gone_is_not_written_nor_is_anything_else():
    debt = factories.debt()
    entries, version = LedgerEntry.objects.count(), version_of(debt)
    Debt.objects.filter(pk=debt.pk).update(original_creditor=debt.original_creditor)
    debt.current_balance = Decimal(7)
    gone = Debt(pk=uuid7(), current_balance=Decimal(7))
    for row in (debt, gone):
        with pytest.raises(rows.Changed):
            rows.write_if_unchanged(rows.Update(row, ("current_balance",)), version, rows.Insert(entry(row)))
    assert LedgerEntry.objects.count() == entries
    assert not Debt.objects.filter(current_balance=7).exists()


def test_rows_are_locked_in_the_order_of_their_ids_and_only_within_a_transaction(transactional_db: None):
    segments = sorted((factories.segment() for _ in range(3)), key=lambda segment: segment.pk)
    keys = [segment.pk for segment in reversed(segments)]
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert rows.locked(Segment, keys) == segments
    assert "ORDER BY id FOR NO KEY UPDATE" in queries[0]["sql"]
    with pytest.raises(transaction.TransactionManagementError):
        rows.locked(Segment, keys)


def test_wanted_fields_are_read_with_those_of_the_parents_in_one_statement(django_assert_num_queries: Any):
    debtor = factories.debtor(email="wanted@example.com")
    debt = factories.debt(debtor=debtor)
    one, other = (
        CommunicationLog.objects.create(
            debtor=debtor, debt=about, communication_type="sms", status="sent", draft={"subject": None, "body": "é"}
        )
        for about in (debt, None)
    )
    wanted = rows.Wanted(
        CommunicationLog,
        *("id", "debtor_id", "debt_id", "draft", "created_at"),
        debtor=rows.Wanted(Debtor, "id", "email"),
        debt=rows.Wanted(Debt, "id", "current_balance"),
    )
    with django_assert_num_queries(1):
        found = {message.pk: message for message in wanted.having([one.pk, other.pk])}
        read = found[one.pk]
        assert (read.draft, read.created_at) == (one.draft, one.created_at)
        assert read.debtor
        assert read.debt
        assert (read.debtor, read.debtor.email) == (debtor, "wanted@example.com")
        assert (read.debt, read.debt.current_balance) == (debt, debt.current_balance)
        assert found[other.pk].debt is None


def test_a_field_that_was_not_wanted_is_fetched_when_it_is_asked_for_and_the_row_can_be_saved():
    debt = factories.debt(original_creditor="Acme")
    (read,) = rows.Wanted(Debt, "id", "current_status").having([debt.pk])
    assert read.original_creditor == "Acme"
    read.original_creditor = "Other"
    read.save(update_fields=["original_creditor"])
    assert Debt.objects.get().original_creditor == "Other"
