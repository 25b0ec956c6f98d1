"""Cost rules: versions, and the one that counts for a claim."""

import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import InvalidOperation
from typing import Any

from django.db import transaction

from agents.models import Agent
from collection.claims import costs
from collection.models import CostRule
from ddc.common.errors import DomainError, Duplicate, Invalid, refusing

_CONSTRAINTS: dict[str, DomainError] = {
    "cost_rule_is_unique_per_day": Duplicate("This rule has a version from this day on.", field="valid_from")
}


class BadTable(Invalid):
    code = "range"
    field = "table"
    message = "A table has either steps or bands, in ascending order; only the last may have no upper end."


@transaction.atomic
def add(*, by: Agent | None, **fields: Any) -> CostRule:
    """Add a rule, or a version of one from a day on. Costs that were charged by earlier versions stay.

    :raises BadTable: if no amount follows from the table
    :raises Duplicate: if the rule has a version from this day on
    """
    row = CostRule(**fields, by=by)
    row.code = row.code.strip().upper()
    check_table(row.table)
    with refusing(_CONSTRAINTS):
        row.save(force_insert=True)
    return row


def load_shipped() -> None:
    """Add the rules that the product ships, unless there is a version from that day on."""
    known = set(CostRule.objects.values_list("code", "valid_from"))
    rows = tomllib.loads(costs.SHIPPED.read_text(encoding="utf-8"))["rule"]
    CostRule.objects.bulk_create(CostRule(**row) for row in rows if (row["code"], row["valid_from"]) not in known)


def in_force(code: str, mandate: date) -> CostRule | None:
    """Return the version of a rule that counts for a mandate; None if there is none."""
    found = CostRule.objects.filter(code=code.strip().upper(), valid_from__lte=mandate)
    return found.order_by("-valid_from").first()


def check_table(row: Any) -> None:
    """Check that a table gives an amount for every claim up to its end.

    :raises BadTable: if it does not
    """
    try:
        table = costs.table_from(row)
    except (AttributeError, ValueError, TypeError, KeyError, InvalidOperation) as error:
        raise BadTable from error
    if bool(table.steps) == bool(table.bands):
        raise BadTable
    _check_ends([part.up_to for part in table.steps or table.bands])
    numbers = [step.amount for step in table.steps] + [band.percent for band in table.bands]
    numbers += [table.share, table.least, table.expenses_percent, *(table.factors or {}).values()]
    if any(not number.is_finite() or number < 0 for number in numbers):
        raise BadTable("Amounts, percentages and factors must be at least 0.")


def _check_ends(ends: Iterable[Any]) -> None:
    bounds = [costs.NO_END if end is None else end for end in ends]
    if bounds != sorted(set(bounds)):
        raise BadTable
