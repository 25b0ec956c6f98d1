"""Receivers of signals from the apps below."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from communications.callbacks import opens
from communications.models import CommunicationLog
from portal import activities


@receiver(opens.opened, dispatch_uid="portal.receivers.record_opening")
def record_opening(*, message: CommunicationLog, now: datetime, **_: Any) -> None:
    """Record that a mail was opened."""
    activities.record_opening(message, now=now)
