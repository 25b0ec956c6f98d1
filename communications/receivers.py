"""News from below: what this app does when something was decided there."""

from datetime import datetime

from django.dispatch import receiver

from collection import deferrals
from collection.models import DeferralRequest
from communications import notices


@receiver(deferrals.reviewed, dispatch_uid="communications.tell_decision")
def tell_decision(sender: object, request: DeferralRequest, now: datetime, **_: object) -> None:
    notices.tell_decision(request, now=now)
