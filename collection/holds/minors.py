"""Hold minors: a debtor who is not of age gets a hold, once, until the day of majority.

A supervisor who ends the hold, because contact goes through a parent or guardian, releases the debtor.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from collection.holds import holds
from collection.models import Hold
from ddc.common.days import LAST
from debtors import ages
from debtors.models import Debtor

#: How many minors get their hold in one transaction.
_BATCH = 500


def hold_missing(*, now: datetime) -> int:
    """Open a hold for each minor who never had one; return how many, at most ``_BATCH``."""
    today = now.astimezone(LAST).date()
    never_held = ~Exists(Hold.objects.filter(debtor=OuterRef("pk"), reason=Hold.Reason.MINOR))
    young = Debtor.objects.filter(never_held, dob__gt=ages.born_before_majority(today)).order_by("pk")
    with transaction.atomic():
        found = list(young.select_for_update(of=("self",), no_key=True, skip_locked=True)[:_BATCH])
        for debtor in found:
            assert debtor.dob
            holds.create_hold(
                reason=Hold.Reason.MINOR, debtor=debtor, ends_on=ages.of_age_on(debtor.dob), source="Date of birth",
                review_on=None, by=None, now=now,
            )  # fmt: skip
    return len(found)
