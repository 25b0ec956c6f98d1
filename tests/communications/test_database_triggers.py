"""Triggers check the references of messages for all rows of a statement at once."""

import pytest
from django.db import IntegrityError, connection, transaction

from communications.models import CommunicationLog
from ddc.common.models import uuid7
from tests import factories

pytestmark = pytest.mark.django_db


def message(**values):
    return CommunicationLog(communication_type="email", status="sent", **values)


@pytest.mark.parametrize("name", ["debtor_id", "debt_id", "template_id"])
def test_a_reference_to_a_missing_row_is_refused(name):
    debt = factories.debt()
    good = {"debtor_id": debt.debtor_id, "debt_id": debt.pk, "template_id": factories.template().pk}
    bad = {**good, "debt_id": None, name: uuid7()}
    with pytest.raises(IntegrityError, match="does not exist"), transaction.atomic():
        CommunicationLog.objects.bulk_create([message(**good), message(**bad)])
    assert not CommunicationLog.objects.exists()


def test_a_debt_of_another_debtor_is_refused():
    debt, other = factories.debt(), factories.debtor()
    with pytest.raises(IntegrityError, match="belongs to another debtor"), transaction.atomic():
        message(debtor=other, debt=debt).save()
    assert not CommunicationLog.objects.exists()
    log = message(debtor=debt.debtor, debt=debt)
    log.save()
    with pytest.raises(IntegrityError, match="belongs to another debtor"), transaction.atomic():
        CommunicationLog.objects.update(debtor=other)
    log.refresh_from_db()
    assert log.debtor == debt.debtor


@pytest.mark.parametrize("table", ["debt", "debtor", "communication_templates"])
def test_a_referenced_row_is_not_deleted_by_sql(table):
    debt = factories.debt()
    CommunicationLog.objects.bulk_create([
        message(debtor=debt.debtor, debt=debt, template=factories.template()),
        message(debtor=factories.debtor()),
    ])  # fmt: skip
    column = {"debt": "debt_id", "debtor": "debtor_id", "communication_templates": "template_id"}[table]
    with pytest.raises(IntegrityError, match=r"used by (communication_log|debt)|foreign key"), transaction.atomic():
        connection.cursor().execute(f"DELETE FROM {table} WHERE id IN (SELECT {column} FROM communication_log)")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0]
