"""Limits of roles: up to which value an agent may grant something alone, and who may grant more.

within = limits.of(agent)
within.exceeded({LimitKind.DEFERRAL_DAYS: 90, LimitKind.DEFERRAL_AMOUNT: Decimal(12_000)})
limits.require(agent, {...}, permission="collections.review_deferralrequest")
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.postgres.expressions import ArraySubquery

from agents.models import Agent, LimitKind, RoleLimit
from agents.roles import ROLES
from ddc.common.errors import DomainError

#: Values to grant, by kind: days, or an amount in the reporting currency. None, without an exchange rate, is above any limit.
Values = Mapping[LimitKind, Decimal | int | None]


@dataclass(frozen=True)
class Exceeded:
    """A limit, and the value above it; None if the value could not be converted to compare it."""

    limit: RoleLimit
    value: Decimal | int | None

    def __str__(self) -> str:
        why = " (there is no exchange rate to compare with)" if self.value is None else ""
        return f"{LimitKind(self.limit.kind).label.lower()}: at most {self.limit}{why}"


class AboveLimit(DomainError):
    """The value is above a limit of the agent's role."""

    code = "aboveLimit"

    def __init__(self, exceeded: Iterable[Exceeded], *, deciders: list[str]) -> None:
        named = "; ".join(map(str, exceeded))
        others = " or ".join(deciders) or "superuser"
        super().__init__(f"This is above the limit of your role ({named}). A {others} must decide.")


@dataclass(frozen=True)
class Limits:
    """The limits that bind one agent, by kind."""

    by_kind: Mapping[str, RoleLimit]

    def exceeded(self, values: Values) -> list[Exceeded]:
        """Return the limits that these values exceed. Empty: the agent may grant them alone."""
        compared = [Exceeded(self.by_kind[kind], value) for kind, value in values.items() if kind in self.by_kind]
        return [each for each in compared if each.value is None or each.value > each.limit.value]


def of(by: Agent | None) -> Limits:
    """Return the limits of an agent, by one query.

    Of several roles the most generous counts; one without a row of a kind has no limit. The system (None) and superusers have no
    limits, but superusers too need a second person above the lowest limit of any role.
    """
    if by is None:
        return Limits({})
    names = by.groups.filter(name__in=ROLES).values("name")
    rows = list(RoleLimit.objects.annotate(held=ArraySubquery(names)))
    if not rows:
        return Limits({})
    if by.is_superuser:
        binding = (row for row in rows if LimitKind(row.kind).binds_everyone)
        return Limits({row.kind: row for row in sorted(binding, key=lambda row: row.value, reverse=True)})
    held = set(rows[0].held)
    return Limits({kind: row for kind in LimitKind.values if (row := _most_generous(rows, kind, held))})


def require(by: Agent | None, values: Values, *, permission: str) -> None:
    """Check that an agent may grant these values.

    :raises AboveLimit: if not; it names the limits, and the roles with the permission (``app.codename``) that may
    """
    if exceeded := of(by).exceeded(values):
        raise AboveLimit(exceeded, deciders=deciders(values, permission=permission))


def deciders(values: Values, *, permission: str) -> list[str]:
    """Return the roles that have the permission, and may grant these values."""
    app, _, codename = permission.partition(".")
    rows = list(RoleLimit.objects.all())
    return [
        role
        for role, granted in ROLES.items()
        if codename in granted.get(app, ())
        and not Limits({row.kind: row for row in rows if row.role == role}).exceeded(values)
    ]


def _most_generous(rows: Iterable[RoleLimit], kind: str, held: set[str]) -> RoleLimit | None:
    found = {row.role: row for row in rows if row.kind == kind and row.role in held}
    return max(found.values(), key=lambda row: row.value) if found.keys() == held and held else None
