"""Ticks of holds."""

from celery import shared_task
from django.utils import timezone

from collection import hold_expiry


@shared_task(ignore_result=True)
def expire_holds() -> None:
    hold_expiry.expire(now=timezone.now())
