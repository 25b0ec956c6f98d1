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


def of(debt: Debt) -> AccountTerms:
    """Return the terms of a debt."""
    return AccountTerms(policy_of(debt), schedules.terms_of(debt))


def policy_of(debt: Debt) -> Policy:
    """Return the policy of a debt: that agreed with its creditor, else that of the debtor's country."""
    creditor = debt.creditor
    return allocation.choose(creditor.allocation_policy, debt.debtor.country_code or "", creditor.debt_kind)
