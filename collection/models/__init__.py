"""What is owed: debts in segments, the ledger behind their balances, and what stops or delays their collection."""

from collection.models.amounts import money_field
from collection.models.debts import OPEN, Debt, DebtQuerySet, DebtStatus
from collection.models.deferrals import DeferralRequest
from collection.models.disputes import Dispute
from collection.models.holds import Hold, HoldEvent, HoldQuerySet
from collection.models.ledger import LedgerEntry
from collection.models.rates import ExchangeRate
from collection.models.segments import Segment

__all__ = [
    "OPEN",
    "Debt",
    "DebtQuerySet",
    "DebtStatus",
    "DeferralRequest",
    "Dispute",
    "ExchangeRate",
    "Hold",
    "HoldEvent",
    "HoldQuerySet",
    "LedgerEntry",
    "Segment",
    "money_field",
]
