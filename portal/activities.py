"""Digital activities: what debtors do online."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from collection.models import Debt
from ddc.common import rate_limits
from debtors.models import Debtor
from portal.models import DigitalActivity

LIMIT = rate_limits.RateLimit(60, timedelta(minutes=1))


@transaction.atomic
def record(
    debtor: Debtor,
    *,
    activity_type: str,
    path: str | None = None,
    debt: Debt | None = None,
    metadata: dict[str, Any] | None = None,
    now: datetime,
) -> DigitalActivity:
    """Record an activity that a debtor's client reports, at most 60 a minute.

    :raises TooMany: if there were more
    """
    rate_limits.serialize("activity", str(debtor.pk))
    rate_limits.consume([(DigitalActivity.objects.filter(debtor=debtor), LIMIT)], now=now)
    return DigitalActivity.objects.create(
        debtor=debtor, debt=debt, activity_type=activity_type, path=path, metadata=metadata or {}, created_at=now
    )
