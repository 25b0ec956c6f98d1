"""What debtors do online."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from collection.models import Debt
from communications.models import CommunicationLog
from debtors.models import Debtor
from portal import rate_limits
from portal.models import DigitalActivity

RATION = rate_limits.Ration(60, timedelta(minutes=1))
EMAIL_OPENED = "email_opened"


@transaction.atomic
def report(
    debtor: Debtor,
    *,
    activity_type: str,
    path: str | None = None,
    debt: Debt | None = None,
    metadata: dict[str, Any] | None = None,
    now: datetime,
) -> DigitalActivity:
    """Keep what a debtor's own client reports, 60 a minute at most.

    :raises TooMany: if there were more
    """
    rate_limits.queue_up("activity", str(debtor.pk))
    rate_limits.spend([(DigitalActivity.objects.filter(debtor=debtor), RATION)], now=now)
    return DigitalActivity.objects.create(
        debtor=debtor, debt=debt, activity_type=activity_type, path=path, metadata=metadata or {}, created_at=now
    )


def note_opening(log: CommunicationLog, *, now: datetime) -> DigitalActivity | None:
    """Keep that a message was opened by the debtor it went to."""
    if log.debtor_id is None:
        return None
    return DigitalActivity.objects.create(
        debtor_id=log.debtor_id,
        debt_id=log.debt_id,
        activity_type=EMAIL_OPENED,
        metadata={"communicationLogId": str(log.pk)},
        created_at=now,
    )
