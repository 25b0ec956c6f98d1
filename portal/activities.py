"""Digital activities: what debtors do online."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from collection.models import Debt
from communications.models import CommunicationLog
from debtors.models import Debtor
from portal import rate_limits
from portal.models import DigitalActivity

LIMIT = rate_limits.RateLimit(60, timedelta(minutes=1))
EMAIL_OPENED = "email_opened"


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


def record_opening(message: CommunicationLog, *, now: datetime) -> DigitalActivity | None:
    """Record that a debtor opened a mail."""
    if message.debtor_id is None:
        return None
    return DigitalActivity.objects.create(
        debtor_id=message.debtor_id,
        debt_id=message.debt_id,
        activity_type=EMAIL_OPENED,
        metadata={"communicationLogId": str(message.pk)},
        created_at=now,
    )
