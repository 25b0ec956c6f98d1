"""Scheduled tasks of casework."""

from celery import shared_task
from django.utils import timezone

from casework import claims


@shared_task(ignore_result=True)
def delete_ended_claims() -> None:
    """Delete claims on work that have ended."""
    claims.delete_ended(now=timezone.now())
