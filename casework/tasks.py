"""Scheduled tasks of casework."""

from celery import shared_task
from django.utils import timezone

from casework import claims, figures


@shared_task(ignore_result=True)
def delete_ended_claims() -> None:
    """Delete claims on work that have ended."""
    claims.delete_ended(now=timezone.now())


@shared_task(ignore_result=True)
def measure_days() -> None:
    """Measure the figures of today and of the days that may still change."""
    figures.refresh(now=timezone.now())
