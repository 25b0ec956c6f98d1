"""Put an arrangement in force on its debts: a hold on each, and the status ``payment_plan`` while it is active.

All functions expect the debts to be locked (``collection.balances.ledger``).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.dispatch import Signal

from agents.models import Agent
from arrangements.models import Arrangement, ArrangementDebt, ArrangementEvent, Interest
from collection import statuses
from collection.balances import accounts, ledger
from collection.holds import amendments, holds
from collection.holds.reasons import POLICIES, Block
from collection.models import Debt, Hold
from ddc.common.errors import DomainError, refusing

Kind = ArrangementEvent.Kind
#: Sent with ``arrangement``, ``kind`` and ``now`` in the transaction that adds an event to the history.
recorded = Signal()


class DebtHasArrangement(DomainError):
    message = "Another arrangement on one of these debts is active. End it first."


def activate(
    arrangement: Arrangement, debts: Mapping[UUID, Debt], *, interest: str, by: Agent | None, now: datetime
) -> None:
    """Put the arrangement in force on its debts.

    :raises DebtHasArrangement: if another one is active on a debt
    """
    blocks = POLICIES[Hold.Reason.ARRANGEMENT].blocks
    if interest == Interest.FROZEN:
        blocks |= {Block.INTEREST}
    for part in ArrangementDebt.objects.filter(arrangement=arrangement):
        part.is_active = True
        part.hold = holds.create_hold(
            reason=Hold.Reason.ARRANGEMENT,
            debt=debts[part.debt_id],
            blocks=blocks,
            source=str(arrangement),
            by=by,
            approved_by=arrangement.approved_by or by,
            now=now,
        )
        with refusing({"debt_has_one_active_arrangement": DebtHasArrangement()}):
            part.save(update_fields=["is_active", "hold"])
    statuses.refresh_all(list(debts), now=now)


def deactivate(
    arrangement: Arrangement, *, by: Agent | None, now: datetime, why: str, owes_frozen_interest: bool = False
) -> None:
    """Take the arrangement's effects from its debts.

    :param owes_frozen_interest: the interest of the days on which it was frozen is owed after all
    """
    parts = list(
        ArrangementDebt.objects.filter(arrangement=arrangement, is_active=True).select_related("hold__debt__debtor")
    )
    for part in parts:
        if part.hold and part.hold.ended_at is None:
            amendments.end_granted(part.hold, by=by, now=now, why=why)
            if owes_frozen_interest and part.hold.blocks_interest:
                part.hold.blocks_interest = False
                part.hold.save(update_fields=["blocks_interest", "updated_at"])
                accounts.book(ledger.lock_debt(part.debt_id), by=by, posted_at=now)
    ArrangementDebt.objects.filter(pk__in=[part.pk for part in parts]).update(is_active=False, hold=None)
    statuses.refresh_all([part.debt_id for part in parts], now=now)


def record(
    arrangement: Arrangement, kind: ArrangementEvent.Kind, *, by: Agent | None, now: datetime, **details: Any
) -> None:
    """Add an event to the history; ``details`` are JSON values."""
    ArrangementEvent.objects.create(arrangement=arrangement, kind=kind, by=by, at=now, details=details)
    recorded.send(Arrangement, arrangement=arrangement, kind=kind, now=now)


def move(arrangement: Arrangement, *froms: str, to: str, now: datetime, **changes: Any) -> bool:
    """Change the status by one conditional UPDATE, so that of two changes at once only one succeeds; return whether it did."""
    values = {"status": to, "updated_at": now, **changes}
    if not Arrangement.objects.filter(pk=arrangement.pk, status__in=froms).update(**values):
        return False
    for name, value in values.items():
        setattr(arrangement, name, value)
    return True
