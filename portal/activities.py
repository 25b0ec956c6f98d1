"""Digital activities: what debtors do online."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from collection.models import Debt
from communications.links import open_pixel
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


def record_step(debtor: Debtor, kind: str, *, debt: Debt | None = None, now: datetime) -> DigitalActivity:
    """Record a step that a debtor took on purpose, such as ``hardship_reported``; it belongs to what they asked for.

    A page that a debtor only looked at needs consent where that is the law: see ``record_view``.
    """
    return DigitalActivity.objects.create(debtor=debtor, debt=debt, activity_type=kind, created_at=now)


def record_view(debtor: Debtor, page: str, *, now: datetime) -> None:
    """Record that a debtor looked at a page, once a minute at most, where the law or their consent allows it."""
    if not open_pixel.may_track(debtor):
        return
    recent = DigitalActivity.objects.filter(debtor=debtor, created_at__gt=now - timedelta(minutes=1))
    if not recent.filter(activity_type="page_view", path=page).exists():
        DigitalActivity.objects.create(debtor=debtor, activity_type="page_view", path=page, created_at=now)
