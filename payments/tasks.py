"""Ticks of payments."""

from celery import shared_task
from django.utils import timezone

from payments import idempotency


@shared_task(ignore_result=True)
def clear_out() -> None:
    """Forget the answers of requests that may no longer be repeated."""
    idempotency.clear_out(now=timezone.now())
