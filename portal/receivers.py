"""News from the apps below."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from communications.callbacks import opens
from communications.models import CommunicationLog
from portal import activities


@receiver(opens.opened, dispatch_uid="portal.receivers.note_opening")
def note_opening(*, message: CommunicationLog, now: datetime, **_: Any) -> None:
    """A message was opened."""
    activities.note_opening(message, now=now)
