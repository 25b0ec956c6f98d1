"""Which part of a claim a payment covers first, by the policies of ``allocation.toml``."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

from collection.claims.components import NAMES, NOTHING, ZERO, Components

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Policy:
    """One order of allocation.

    :ivar steps: what is covered first; the components of one step share in proportion to what is open
    :ivar direction_wins: whether the debtor's own direction comes before this order
    :ivar countries: where this order is the law
    :ivar debt_kinds: the kinds of debt for which it is the law there; empty: all
    """

    code: str
    name: str
    steps: tuple[tuple[str, ...], ...]
    direction_wins: bool
    section: str
    source: str
    confidence: str
    countries: frozenset[str] = frozenset()
    debt_kinds: frozenset[str] = frozenset()


def _read() -> dict[str, Policy]:
    rows = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["policy"]
    sets = ("countries", "debt_kinds")
    return {
        row["code"]: Policy(
            **row
            | {"steps": tuple(tuple(step) for step in row["steps"])}
            | {name: frozenset(row.get(name, ())) for name in sets}
        )
        for row in rows
    }


POLICIES: Mapping[str, Policy] = _read()
#: For countries without a row: of all orders the one that costs the debtor least.
DEFAULT = POLICIES["PRINCIPAL_FIRST"]


def choose(code: str, country: str, debt_kind: str = "") -> Policy:
    """Return the creditor's policy, else that of the debtor's country.

    :param code: the policy agreed with the creditor; "": none
    :param country: ISO 3166-1 alpha-2; "" if unknown
    :param debt_kind: a ``DebtKind``; "" if unknown, which no row of one kind is about
    """
    if code:
        return POLICIES[code]
    found = [row for row in POLICIES.values() if country in row.countries]
    special = [row for row in found if debt_kind in row.debt_kinds]
    return next(iter(special + [row for row in found if not row.debt_kinds]), DEFAULT)


def allocate(
    amount: Decimal, open: Components, policy: Policy, direction: Sequence[str] = (), *, unit: Decimal = CENT
) -> Components:
    """Split an amount over what is open. The result's total is the smaller of the two; the rest is the caller's.

    :param amount: not negative, a multiple of ``unit``
    :param open: what is owed by component, none negative
    :param direction: the components that the debtor wants to pay first, in that order; ignored where the law does not let it win
    :param unit: the smallest amount of the currency
    """
    return along(order(policy, direction), amount, open, unit=unit)


Steps = tuple[tuple[str, ...], ...]


def order(policy: Policy, direction: Sequence[str] = ()) -> Steps:
    """Return the steps of a policy, after the debtor's own where these win."""
    if not policy.direction_wins:
        return policy.steps
    directed = tuple(dict.fromkeys(direction))
    rest = (tuple(name for name in step if name not in directed) for step in policy.steps)
    return (*((name,) for name in directed), *(step for step in rest if step))


def along(steps: Steps, amount: Decimal, open: Components, *, unit: Decimal = CENT) -> Components:
    """Split an amount over what is open, one step after the other; as ``allocate``."""
    split, left = NOTHING, amount
    for step in steps:
        if left <= 0:
            break
        for name, share in _shares(left, {name: open.of(name) for name in step}, unit).items():
            split = split.plus(name, share)
            left -= share
    return split


def _shares(amount: Decimal, open: Mapping[str, Decimal], unit: Decimal) -> dict[str, Decimal]:
    """Share an amount in proportion; what rounding leaves over goes to the largest."""
    total = sum(open.values(), ZERO)
    if amount >= total:
        return dict(open)
    shares = {name: (amount * part / total).quantize(unit, ROUND_DOWN) for name, part in open.items()}
    left = amount - sum(shares.values(), ZERO)
    for name in sorted(open, key=lambda name: (-open[name], NAMES.index(name))):
        more = min(left, open[name] - shares[name])
        shares[name] += more
        left -= more
    return shares
