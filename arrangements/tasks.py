"""Celery ticks for arrangements."""

from celery import shared_task
from django.utils import timezone

from arrangements import interruptions, offers, progress, reminders


@shared_task(ignore_result=True)
def follow_arrangements() -> None:
    """Find arrangements that are suspended, kept, broken or accepted by a payment, and offers that are over."""
    now = timezone.now()
    interruptions.hand_over(now=now)
    interruptions.move_suspended(now=now)
    offers.accept_by_payment(now=now)
    reminders.remind(now=now)
    progress.follow_days(now=now)
    interruptions.cancel_closed(now=now)
    offers.expire(now=now)
