"""The people and values that every step of the demo's month needs."""

import random
from dataclasses import dataclass, field
from datetime import datetime

from agents.models import Agent
from ddc.common.days import agency_today
from ddc.demo.portfolio import Portfolio
from debtors.models import Debtor


@dataclass
class Month:
    """The values that the steps of a day need."""

    portfolio: Portfolio
    people: list[Debtor]
    agent: Agent
    supervisor: Agent
    #: The moment at which the month ends.
    now: datetime
    seed: int
    rng: random.Random = field(init=False)

    def days_left(self, at: datetime) -> int:
        """Return the number of days from a moment to the end of the month."""
        return (agency_today(self.now) - agency_today(at)).days
