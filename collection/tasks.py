"""Ticks of holds and sums."""

from celery import shared_task
from django.utils import timezone

from collection import hold_expiry, open_totals


@shared_task(ignore_result=True)
def expire_holds() -> None:
    hold_expiry.expire(now=timezone.now())


@shared_task(ignore_result=True)
def fold_open_totals() -> None:
    open_totals.fold()
