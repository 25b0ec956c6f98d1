"""The terms of a debt's account: the policy by which payments are allocated, and its interest."""

from dataclasses import dataclass

from collection.claims import allocation, interest
from collection.claims.allocation import Policy
from collection.models import Debt
from collection.tariffs import schedules


@dataclass(frozen=True)
class AccountTerms:
    """How payments on a debt are allocated, and the interest that it bears; None: none."""

    policy: Policy
    interest: interest.Terms | None


def bears_interest(debt: Debt) -> bool:
    """Return whether a debt has an interest schedule."""
    return debt.interest_schedule_id is not None


def of(debt: Debt) -> AccountTerms:
    """Return the terms of a debt."""
    policy = allocation.choose("", debt.debtor.country_code or "", debt.creditor.debt_kind)
    return AccountTerms(policy, schedules.terms_of(debt))
