"""Receivers of signals from the apps below."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from communications.callbacks import opens
from communications.models import CommunicationLog
from portal.models import DigitalActivity


@receiver(opens.opened, dispatch_uid="portal.receivers.record_opening")
def record_opening(*, message: CommunicationLog, now: datetime, **_: Any) -> None:
    """Record that a debtor opened a mail."""
    if message.debtor_id is not None:
        DigitalActivity.objects.create(
            debtor_id=message.debtor_id,
            debt_id=message.debt_id,
            activity_type="email_opened",
            metadata={"communicationLogId": str(message.pk)},
            created_at=now,
        )
