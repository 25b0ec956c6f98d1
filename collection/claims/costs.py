"""Costs that the law lets an agency charge, by the rules of ``costs.toml``. A cost without a rule needs a supervisor.

A rule is dated: the one in force on the day of the mandate counts for the whole claim.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from collection.claims.components import ZERO

CENT = Decimal("0.01")
NO_END = Decimal("Infinity")
SHIPPED = Path(__file__).with_suffix(".toml")


class Parties(StrEnum):
    """Between which parties a rule applies."""

    ANY = "any"
    B2B = "b2b"
    B2C = "b2c"


class NoFigure(ValueError):
    """The rule has no figure for this claim, so the amount must come from the text of the law."""


@dataclass(frozen=True)
class Step:
    """One row of a table of fixed amounts: for claims up to a sum."""

    up_to: Decimal | None
    amount: Decimal


@dataclass(frozen=True)
class Band:
    """One band of a table of percentages: of the part of the claim up to a sum."""

    up_to: Decimal | None
    percent: Decimal


@dataclass(frozen=True)
class Table:
    """How a rule finds an amount: a table of fixed amounts or of percentages, then factor, expenses and bounds.

    :ivar below: a row of ``steps`` ends before its sum, not with it
    :ivar small: a row that replaces the table for small undisputed claims
    :ivar factors: the factors that the rule allows, by what for; empty: none
    :ivar share: the percentage of the claim on which the table is read
    :ivar expenses_percent: flat expenses, of the fee, up to ``expenses_most``
    """

    steps: tuple[Step, ...] = ()
    bands: tuple[Band, ...] = ()
    below: bool = False
    small: Step | None = None
    factors: Mapping[str, Decimal] | None = None
    share: Decimal = Decimal(100)
    least: Decimal = ZERO
    most: Decimal | None = None
    expenses_percent: Decimal = ZERO
    expenses_most: Decimal | None = None

    def amount(self, claim: Decimal, factor: Decimal = Decimal(1)) -> Decimal:
        """Return the cost of a claim, in the currency of the rule, rounded half up.

        :param claim: what is claimed; for rules that say so, less what was paid in time
        :raises NoFigure: if the table ends below the claim
        """
        base = claim * self.share / 100
        fee = max(_rounded((self._step(base) if self.steps else self._bands(base)) * factor), self.least)
        fee = min(fee, self.most) if self.most is not None else fee
        expenses = _rounded(fee * self.expenses_percent / 100)
        return fee + (min(expenses, self.expenses_most) if self.expenses_most is not None else expenses)

    def _step(self, base: Decimal) -> Decimal:
        if self.small and self.small.up_to is not None and base <= self.small.up_to:
            return self.small.amount
        for step in self.steps:
            if step.up_to is None or base < step.up_to or (base == step.up_to and not self.below):
                return step.amount
        raise NoFigure(f"The table ends at {self.steps[-1].up_to}.")

    def _bands(self, base: Decimal) -> Decimal:
        total = begins = ZERO
        for band in self.bands:
            ends = base if band.up_to is None else min(base, band.up_to)
            total += max(ends - begins, ZERO) * band.percent / 100
            begins = ends
        return total


@dataclass(frozen=True)
class Rule:
    """A version of a cost rule, from ``valid_from`` until the next one."""

    code: str
    name: str
    component: str
    countries: frozenset[str]
    currency_code: str
    parties: Parties
    section: str
    source: str
    checked_on: date | None
    confidence: str
    valid_from: date
    table: Table
    base_less_paid_in_time: bool = False


def in_force(rules: Iterable[Rule], code: str, mandate: date) -> Rule | None:
    """Return the version of a rule on the day of the mandate; None if there was none."""
    versions = [rule for rule in rules if rule.code == code and rule.valid_from <= mandate]
    return max(versions, key=lambda rule: rule.valid_from, default=None)


def charge(rule: Rule, claim: Decimal, *, factor: str = "", paid_in_time: Decimal = ZERO) -> Decimal:
    """Return what a rule lets the agency charge on a claim.

    :param factor: which of the rule's factors; required if it has any
    :param paid_in_time: what was paid before the costs fell due; lowers the claim if the rule says so
    :raises NoFigure: if the rule has no figure for the claim, or no such factor
    """
    factors = rule.table.factors or {"": Decimal(1)}
    if factor not in factors:
        raise NoFigure(f"Choose one of the rule's factors: {', '.join(factors)}.")
    base = claim - paid_in_time if rule.base_less_paid_in_time else claim
    return rule.table.amount(base, factors[factor]) if base > 0 else ZERO


def table_from(row: Mapping[str, Any]) -> Table:
    """Read a table from TOML or JSON: numbers as strings, rows as ``[up to, amount or percent]``, "" for no upper end."""
    numbers = ("share", "least", "most", "expenses_percent", "expenses_most")
    values: dict[str, Any] = {name: Decimal(row[name]) for name in numbers if name in row}
    values["steps"] = tuple(Step(_end(up_to), Decimal(amount)) for up_to, amount in row.get("steps", ()))
    values["bands"] = tuple(Band(_end(up_to), Decimal(percent)) for up_to, percent in row.get("bands", ()))
    if "small" in row:
        values["small"] = Step(_end(row["small"][0]), Decimal(row["small"][1]))
    if row.get("factors"):
        values["factors"] = {name: Decimal(factor) for name, factor in row["factors"].items()}
    return Table(**values, below=row.get("below", False))


@cache
def shipped() -> tuple[Rule, ...]:
    """Return the rules of ``costs.toml``."""
    rows = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))["rule"]
    return tuple(_rule(row) for row in rows)


def _rule(row: dict[str, Any]) -> Rule:
    read = {
        "countries": frozenset(row["countries"]),
        "parties": Parties(row["parties"]),
        "table": table_from(row["table"]),
    }
    return Rule(**row | read)


def _end(up_to: str) -> Decimal | None:
    return Decimal(up_to) if up_to else None


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
