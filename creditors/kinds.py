"""The kinds of debt that a creditor places, as far as laws distinguish them."""

from enum import StrEnum


class DebtKind(StrEnum):
    """The kind of a debt. An unknown kind is under the policies of every kind."""

    CREDIT = "credit"
    CONSUMER = "consumer"
    BUSINESS = "business"

    @property
    def label(self) -> str:
        return {"credit": "consumer credit", "consumer": "other consumer debts", "business": "business debts"}[self]
