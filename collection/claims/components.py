"""An amount split into the parts of a claim."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Components:
    """An amount owed or paid, by kind.

    :ivar principal: the sum owed itself
    :ivar interest: interest, also what the creditor claimed at placement
    :ivar costs: the creditor's costs and those of legal pursuit
    :ivar fees: what the agency charges the debtor itself
    """

    principal: Decimal = ZERO
    interest: Decimal = ZERO
    costs: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.principal + self.interest + self.costs + self.fees

    def __add__(self, other: "Components") -> "Components":
        return Components(
            self.principal + other.principal,
            self.interest + other.interest,
            self.costs + other.costs,
            self.fees + other.fees,
        )

    def __sub__(self, other: "Components") -> "Components":
        return self + -other

    def __neg__(self) -> "Components":
        return Components(-self.principal, -self.interest, -self.costs, -self.fees)

    def __bool__(self) -> bool:
        """Whether any part is not 0. Parts of opposite sign do not cancel out."""
        return any((self.principal, self.interest, self.costs, self.fees))

    def plus(self, name: str, amount: Decimal) -> "Components":
        """Return these components with an amount added to one of them."""
        return replace(self, **{name: self.of(name) + amount})

    def of(self, name: str) -> Decimal:
        """Return the component with this name."""
        amount: Decimal = getattr(self, name)
        return amount

    @classmethod
    def sum(cls, parts: "Iterable[Components]") -> "Components":
        """Add up any number of components."""
        return sum(parts, cls())


NAMES = tuple(field.name for field in fields(Components))
NOTHING = Components()
