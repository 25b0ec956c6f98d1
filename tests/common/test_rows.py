"""Rows written without the ORM: as it would write them, together or not at all."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from collection.models import Debt, LedgerEntry, Segment
from ddc.common import rows
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


def test_rows_are_locked_in_the_order_of_their_ids_and_only_within_a_transaction(transactional_db: None):
    segments = sorted((factories.segment() for _ in range(3)), key=lambda segment: segment.pk)
    keys = [segment.pk for segment in reversed(segments)]
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert rows.locked(Segment, keys) == segments
    assert "ORDER BY id FOR NO KEY UPDATE" in queries[0]["sql"]
    with pytest.raises(transaction.TransactionManagementError):
        rows.locked(Segment, keys)
