"""One creditor is created, however many debts name it for the first time at once."""

import functools
import time
from typing import Any

import pytest

from creditors import creditors
from creditors.models import Creditor, CreditorName
from ddc.common import normal_forms
from ddc.common.errors import Duplicate
from tests import factories
from tests.races.threads import at_once, refusals

SPELLINGS = ("Acme Ltd", "ACME LTD", "acme ltd.", "Acme  Ltd") * 2

pytestmark = pytest.mark.django_db(transaction=True)


def find_or_create_once(name: str) -> Creditor:
    """Look and create, without a second look if another transaction created it in between."""
    if known := CreditorName.objects.filter(normal_form=normal_forms.name(name)).first():
        return known.creditor
    time.sleep(0.05)  # So that the others look too.
    return creditors.create(name=name)


def race() -> list[Any]:
    debtor = factories.debtor()
    place = functools.partial(factories.debt, debtor=debtor)
    return at_once(*[functools.partial(place, original_creditor=name) for name in SPELLINGS])


def test_debts_placed_at_once_share_one_new_creditor():
    results = race()
    assert refusals(results) == []
    assert len({debt.creditor_id for debt in results}) == Creditor.objects.count() == 1


def test_without_the_second_look_debts_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(creditors, "find_or_create", find_or_create_once)
    assert any(isinstance(refusal, Duplicate) for refusal in refusals(race()))
    assert Creditor.objects.count() == 1


def test_a_creditor_is_not_deleted_while_a_debt_is_placed(monkeypatch: pytest.MonkeyPatch):
    for _ in range(5):
        creditor = factories.creditor("Beta")
        debtor = factories.debtor()
        placed, _deleted = at_once(
            functools.partial(factories.debt, debtor=debtor, original_creditor="Beta"),
            functools.partial(creditors.delete, creditor),
        )
        assert not isinstance(placed, Exception)
        assert placed.creditor.name == "Beta"
        placed.delete()
        Creditor.objects.all().delete()
