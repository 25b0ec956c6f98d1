"""One of several writers at once gets a reference, a phone or an address, whatever the spelling."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, models

from collection.models import Debt
from ddc.common.errors import Duplicate
from debtors import debtors
from debtors.models import ContactPoint, Debtor
from tests import factories
from tests.races.threads import at_once, refusals
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db(transaction=True)

REFERENCES = ("A-1", "a-1", " A-1 ", "A\u20111") * 2
PHONES = ("+5215512345678", "+525512345678", "+52015512345678") * 2
EMAILS = ("ann@bücher.example", "ANN@bücher.example", "ann@xn--bcher-kva.example") * 2


def place() -> list[Any]:
    debtor = factories.debtor()
    factories.creditor("Acme")  # Otherwise the writers wait for each other there.
    one = functools.partial(factories.debt, debtor=debtor, original_creditor="Acme")
    return at_once(*[functools.partial(one, external_reference=reference) for reference in REFERENCES])


def enter(field: str, values: tuple[str, ...]) -> list[Any]:
    create = functools.partial(debtors.create, today=TODAY, last_name="Doe")
    return at_once(*[
        functools.partial(create, **{"email": f"{number}@example.com", field: value}) for number, value in enumerate(values)
    ])  # fmt: skip


@contextmanager
def without(model: type[models.Model], name: str) -> Iterator[None]:
    """Drop a constraint for a while, and delete the rows that came to be meanwhile."""
    (constraint,) = (each for each in model._meta.constraints if each.name == name)
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        Debt.objects.all().delete()
        ContactPoint.objects.all().delete()
        Debtor.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


def test_one_debt_gets_the_reference():
    results = place()
    assert len(refusals(results)) == len(REFERENCES) - 1
    assert all(isinstance(refusal, Duplicate) for refusal in refusals(results))
    assert Debt.objects.count() == 1


@pytest.mark.parametrize(("field", "values"), [("mobile_phone", PHONES), ("email", EMAILS)])
def test_one_debtor_gets_the_address(field: str, values: tuple[str, ...]):
    results = enter(field, values)
    assert [getattr(refusal, "field", refusal) for refusal in refusals(results)] == [field] * (len(values) - 1)
    assert Debtor.objects.count() == 1


@pytest.mark.owner
def test_without_the_constraint_several_debts_get_the_reference():
    with without(Debt, "debt_reference_is_unique_per_creditor"):
        assert refusals(place()) == []
        assert Debt.objects.count() == len(REFERENCES)


@pytest.mark.owner
@pytest.mark.parametrize(
    ("field", "values", "name"),
    [("mobile_phone", PHONES, "debtor_mobile_phone_is_unique"), ("email", EMAILS, "debtor_email_is_unique")],
)
def test_without_the_constraint_several_debtors_get_the_address(field: str, values: tuple[str, ...], name: str):
    with without(Debtor, name):
        assert refusals(enter(field, values)) == []
        assert Debtor.objects.count() == len(values)
