"""The validation period of a debt (12 CFR 1006.34(b)(5)): it starts when the validation notice is sent."""

import uuid
from datetime import date, datetime, timedelta

from collection.models import Debt
from contact import facts
from contact.engine.policies import Location
from contact.models import ValidationNotice
from ddc.common.days import begun
from ddc.common.zones import zone_info
from debtors.places import holidays

#: After how many business days a notice counts as received, and how long the debt may be disputed after that.
ASSUMED_RECEIVED, PERIOD = 5, timedelta(days=30)


def record(debt: Debt, *, message_id: uuid.UUID, sent_at: datetime) -> ValidationNotice | None:
    """Start the validation period of a debt; None if an earlier notice had started it.

    Days are the debtor's own; where it may be two days at once, the later one.
    """
    sent_on = max((sent_at.astimezone(zone_info(z)).date() for z in facts.zones(debt.debtor)), default=begun(sent_at))
    received_on = business_day(sent_on, ASSUMED_RECEIVED, locations=facts.locations(debt.debtor))
    period = {"received_on": received_on, "period_ends_on": received_on + PERIOD}
    notice, is_first = ValidationNotice.objects.get_or_create(
        debt_id=debt.pk, defaults={"message_id": message_id, "sent_at": sent_at, **period}
    )
    return notice if is_first else None


def business_day(day: date, number: int, *, locations: frozenset[Location]) -> date:
    """Return the ``number``-th day after ``day`` without weekends and the public holidays of any of the locations."""
    while number:
        day += timedelta(days=1)
        if all(holidays.is_business_day(day, where.country, where.region) for where in locations or {Location("")}):
            number -= 1
    return day
