"""A debtor, creditor or segment is not deleted while a debt that refers to it is placed or moved."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from collection.models import Debt
from tests import factories
from tests.races.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

MAKERS: dict[str, Callable[[], models.Model]] = {
    "creditor": lambda: factories.creditor("Beta"),
    "segment": factories.segment,
    "debtor": factories.debtor,
}


def place(field: str, row: models.Model) -> None:
    """Insert a debt of the row, without the look at it that a domain function takes."""
    debt = factories.debt()
    fields = {each.attname: getattr(debt, each.attname) for each in Debt._meta.concrete_fields if each.attname != "id"}
    Debt.objects.create(**fields | {f"{field}_id": row.pk})


def move(field: str, row: models.Model) -> None:
    Debt.objects.update(**{f"{field}_id": row.pk})


CHILDREN = {"creditor": "creditor_name", "debtor": "contact_point"}

WRITES = pytest.mark.parametrize("write", [place, move])
FIELDS = pytest.mark.parametrize("field", MAKERS)


def delete_first(field: str, write: Callable[[str, models.Model], None]) -> list[Any]:
    """Delete without committing while the debt is written."""
    factories.debt()
    row = MAKERS[field]()

    def delete() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            _delete(field, row, cursor)
            time.sleep(0.5)

    def later() -> None:
        time.sleep(0.2)
        write(field, row)

    return at_once(later, delete)


def write_first(field: str, write: Callable[[str, models.Model], None]) -> list[Any]:
    """Write the debt without committing while the row is deleted."""
    factories.debt()
    row = MAKERS[field]()

    def slowly() -> None:
        with transaction.atomic():
            write(field, row)
            time.sleep(0.5)

    def delete() -> None:
        time.sleep(0.2)
        with transaction.atomic(), connection.cursor() as cursor:
            _delete(field, row, cursor)

    return at_once(slowly, delete)


def _delete(field: str, row: models.Model, cursor: Any) -> None:
    if child := CHILDREN.get(field):
        cursor.execute(f"DELETE FROM {child} WHERE {field}_id = %s", [row.pk])
    cursor.execute(f"DELETE FROM {field} WHERE id = %s", [row.pk])


def dangling(field: str) -> bool:
    kind: Any = Debt._meta.get_field(field).related_model
    ids = Debt.objects.filter(**{f"{field}__isnull": False}).values_list(f"{field}_id", flat=True)
    return len(set(ids)) != kind.objects.filter(pk__in=list(ids)).count()


@contextmanager
def without(table: str, trigger: str) -> Iterator[None]:
    """Switch a trigger off for a while, and delete what came to be meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        try:
            yield
        finally:
            Debt.objects.all().delete()
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


@FIELDS
@WRITES
def test_what_is_being_deleted_gets_no_debt(field: str, write: Any):
    refused, deleted = delete_first(field, write)
    assert deleted is None
    assert isinstance(refused, IntegrityError)
    assert f"A debt refers to a {field} that does not exist." in str(refused)
    assert not dangling(field)


@FIELDS
@WRITES
def test_what_is_getting_a_debt_is_not_deleted(field: str, write: Any):
    written, refused = write_first(field, write)
    assert written is None
    assert isinstance(refused, IntegrityError)
    assert not dangling(field)


@pytest.mark.deep
@pytest.mark.owner
@FIELDS
@pytest.mark.parametrize(
    ("write", "trigger"), [(place, "debt_references_exist"), (move, "debt_references_still_exist")]
)
def test_without_the_check_of_debts_one_names_what_is_gone(field: str, write: Any, trigger: str):
    with without("debt", trigger):
        delete_first(field, write)
        assert dangling(field)


@pytest.mark.deep
@pytest.mark.owner
@FIELDS
def test_without_the_check_of_deletions_a_debt_names_what_is_gone(field: str):
    with without(field, f"{field}_with_debts_stays"):
        write_first(field, place)
        assert dangling(field)
