"""The arrangement of a debt at a glance: the active or broken one, its next instalment, and how many were missed."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from arrangements import assessment
from arrangements.assessment import Step
from arrangements.models import Arrangement, ArrangementDebt


@dataclass(frozen=True)
class Overview:
    """An arrangement and its instalments as they stand."""

    arrangement: Arrangement
    steps: list[Step]

    @property
    def next(self) -> Step | None:
        return assessment.next_of(self.steps)

    @property
    def next_due_on(self) -> date | None:
        return self.next.due_on if self.next else None

    @property
    def next_amount(self) -> Decimal | None:
        """What is open of the next instalment, in ``currency_code``."""
        return self.next.open if self.next else None

    @property
    def currency_code(self) -> str:
        return self.arrangement.currency_code

    @property
    def missed(self) -> int:
        return assessment.missed_of(self.steps)


def of_debts(debt_ids: Collection[uuid.UUID], *, day: date) -> dict[uuid.UUID, Overview]:
    """Return the active or last broken arrangement of some debts, by debt, in three queries."""
    running = (Arrangement.Status.ACTIVE, Arrangement.Status.BROKEN)
    parts = ArrangementDebt.objects.filter(debt__any_of=debt_ids, arrangement__status__in=running)
    found = {part.debt_id: part.arrangement for part in parts.select_related("arrangement").order_by("is_active", "id")}
    steps = assessment.steps({arrangement.pk for arrangement in found.values()}, day=day) if found else {}
    return {debt: Overview(arrangement, steps[arrangement.pk]) for debt, arrangement in found.items()}
