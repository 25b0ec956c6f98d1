"""Cost rules in the database."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from collection.claims import costs
from collection.models import CostRule, InterestSchedule
from collection.tariffs import cost_rules
from ddc.common.errors import Duplicate

pytestmark = pytest.mark.django_db

FIELDS = {
    "code": "return_fee",
    "name": "Fee for a returned payment",
    "component": "fees",
    "currency_code": "EUR",
    "valid_from": date(2026, 1, 1),
    "section": "Contract, § 3",
    "source": "contract",
}


def test_shipped_rules_are_those_of_the_file():
    stored = {(row.code, row.valid_from): row.value for row in CostRule.objects.all()}
    assert stored == {(rule.code, rule.valid_from): rule for rule in costs.shipped()}


def test_the_version_of_the_mandate_counts():
    old, new = date(2025, 5, 31), date(2025, 6, 1)
    found = [cost_rules.in_force("de_rvg", day) for day in (old, new)]
    assert [costs.charge(rule.value, Decimal(400), factor="usual") for rule in found if rule] == [
        Decimal("52.92"),
        Decimal("55.62"),
    ]
    assert cost_rules.in_force("DE_RVG", date(2021, 9, 30)) is None
    assert cost_rules.in_force("NONE", new) is None


def test_an_agency_adds_its_own_rule_once_per_day():
    row = cost_rules.add(**FIELDS, table={"steps": [["", "5.00"]]}, by=None)
    assert costs.charge(row.value, Decimal(10)) == Decimal("5.00")
    with pytest.raises(Duplicate):
        cost_rules.add(**FIELDS, table={"steps": [["", "6.00"]]}, by=None)


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"steps": [["", "5"]], "bands": [["", "1"]]},
        {"steps": [["", "5"], ["100", "6"]]},
        {"steps": [["100", "5"], ["100", "6"]]},
        {"steps": [["100", "-5"]]},
        {"steps": [["100", "NaN"]]},
        {"steps": [["x", "5"]]},
        {"steps": "100"},
        {"steps": [["", "5"]], "factors": {"usual": "-1"}},
        [],
        None,
    ],
)
def test_a_table_without_an_amount_is_refused(table):
    with pytest.raises(cost_rules.BadTable):
        cost_rules.add(**FIELDS, table=table, by=None)
    assert not CostRule.objects.filter(code="RETURN_FEE").exists()


@pytest.mark.parametrize("model", [CostRule, InterestSchedule])
def test_rules_are_never_changed_or_deleted(model):
    row = model.objects.first()
    for change in (lambda: model.objects.filter(pk=row.pk).update(name="Other"), row.delete):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()
