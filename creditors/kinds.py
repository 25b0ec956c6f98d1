"""The kinds of debt that a creditor places, as far as laws distinguish them, and orders of allocation."""

from enum import StrEnum


class AllocationPolicy(StrEnum):
    """The order in which payments cover costs, interest and principal; each is a row of ``collection/claims/allocation.toml``."""

    BGB_367 = "BGB_367"
    BGB_497_3 = "BGB_497_3"
    NL_6_44 = "NL_6_44"
    FR_1343_1 = "FR_1343_1"
    US_RULE = "US_RULE"
    UK_COMMON = "UK_COMMON"
    PRINCIPAL_FIRST = "PRINCIPAL_FIRST"
    PRO_RATA = "PRO_RATA"


class DebtKind(StrEnum):
    """The kind of a debt. An unknown kind is under the policies of every kind."""

    CREDIT = "credit"
    CONSUMER = "consumer"
    BUSINESS = "business"

    @property
    def label(self) -> str:
        return {"credit": "consumer credit", "consumer": "other consumer debts", "business": "business debts"}[self]
