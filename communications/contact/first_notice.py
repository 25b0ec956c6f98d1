"""The clock of a debt's validation notice (12 CFR 1006.34(b)(5)): it starts when the first notice went."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from communications.contact import circumstances
from communications.contact.rules import Place, is_holiday
from communications.models import CommunicationLog, FirstNotice

#: After how many business days a notice counts as received, and for how many days after that they may dispute.
ASSUMED_RECEIVED, PERIOD = 5, timedelta(days=30)
_SATURDAY = 6


def start(log: CommunicationLog, *, at: datetime) -> FirstNotice | None:
    """Start the clock of the debt whose notice went at ``at``; None if the message is no notice, or another was first.

    Days are the debtor's own; where it may be two days at once, the later one.
    """
    if log.debt_id is None or log.debtor is None or log.template is None or not log.template.is_notice:
        return None
    zones = circumstances.zones(log.debtor)
    sent_on = max((at.astimezone(ZoneInfo(zone)).date() for zone in zones), default=at.date())
    received_on = business_day(sent_on, ASSUMED_RECEIVED, places=circumstances.places(log.debtor))
    clock, is_first = FirstNotice.objects.get_or_create(
        debt_id=log.debt_id,
        defaults={
            "log_id": log.pk,
            "sent_at": at,
            "received_on": received_on,
            "period_ends_on": received_on + PERIOD,
        },
    )
    return clock if is_first else None


def business_day(day: date, number: int, *, places: frozenset[Place]) -> date:
    """Return the ``number``-th day after ``day`` that is no Saturday, Sunday or public holiday in any of the places."""
    while number:
        day += timedelta(days=1)
        if day.isoweekday() < _SATURDAY and not any(is_holiday(day, where) for where in places):
            number -= 1
    return day
