"""Debts and segments, ledger entries, rates, interest and costs, deferral requests, disputes and holds."""

from collection.models.balances import ExchangeRate, LedgerEntry
from collection.models.costs import CostRule
from collection.models.debts import OPEN, Debt, DebtQuerySet, DebtStatus
from collection.models.deferrals import DeferralRequest
from collection.models.disputes import Dispute
from collection.models.holds import Hold, HoldEvent, HoldQuerySet
from collection.models.imports import PlacementImport
from collection.models.interest import InterestSchedule, SeriesRate
from collection.models.placements import ParkedPlacement
from collection.models.segments import Segment

__all__ = [
    "OPEN",
    "CostRule",
    "Debt",
    "DebtQuerySet",
    "DebtStatus",
    "DeferralRequest",
    "Dispute",
    "ExchangeRate",
    "Hold",
    "HoldEvent",
    "HoldQuerySet",
    "InterestSchedule",
    "LedgerEntry",
    "ParkedPlacement",
    "PlacementImport",
    "Segment",
    "SeriesRate",
]
