"""Business days where a debtor lives."""

from datetime import date
from functools import partial

from arrangements import schedules
from arrangements.schedules import BusinessDays
from debtors.models import Debtor
from debtors.places import holidays, regions


def shifted(day: date, *, rule: str, debtor: Debtor) -> date:
    """Return the day on which an instalment agreed for a day is due, by the business days where the debtor lives."""
    country = debtor.country_code or ""
    region = regions.code(country, debtor.region_state) or ""
    is_business_day = partial(holidays.is_business_day, country=country, region=region)
    return schedules.shift(day, BusinessDays(rule), is_business_day)
