"""The demo's placement files with rows that a person has to decide: the address is known, the person differs."""

import csv
import io
from datetime import datetime

from collection.models import ParkedPlacement
from collection.placements import decisions, loading
from communications.callbacks import inbox
from ddc.common.days import agency_today
from ddc.demo.context import Month
from ddc.demo.sample import SAMPLE
from debtors.models import Debtor

#: The days before the end of the month on which a file comes, with its rows, and on which a person decides.
_FILES = {20: 3, 8: 3, 1: 4}
_DECIDED = 7


def arrive(month: "Month", at: datetime) -> None:
    """Place the file of the day, if one comes, and decide earlier rows; on one day a callback cannot be read."""
    left = month.days_left(at)
    if left == _DECIDED:
        waiting = ParkedPlacement.objects.filter(decision=None).select_related("debtor").order_by("created_at", "line")
        for number, row in enumerate(waiting[:4]):
            decide = decisions.another_person if number % 2 else decisions.same_person
            decide(row, by=month.supervisor, now=at)
    if left == 2:
        inbox.keep_unreadable("demo", "status", "MessageStatus=delivered&To=%2B447700900123", now=at)
    if rows := _FILES.get(left, 0):
        known = [one for one in month.people if one.first_name and one.mobile_phone]
        file = io.StringIO()
        writer = csv.DictWriter(file, fieldnames=list(_row(month, known[0], at, 0)))
        writer.writeheader()
        for number in range(rows):
            writer.writerow(_row(month, month.rng.choice(known), at, number))
        loading.load(io.BytesIO(file.getvalue().encode()), by=month.supervisor, today=agency_today(at), now=at)


def _row(month: "Month", known: Debtor, at: datetime, number: int) -> dict[str, str | None]:
    """Return a row with the e-mail address of a known debtor and another first name."""
    return {
        "firstName": "Robin",
        "lastName": known.last_name,
        "email": known.email,
        "dob": "1984-06-12",
        "countryCode": known.country_code,
        "originalCreditor": month.rng.choice(SAMPLE["creditors"]),
        "externalReference": f"P-{at:%m%d}-{number + 1}",
        "currencyCode": "EUR",
        "originalBalance": str(month.rng.randint(80, 900)),
    }
