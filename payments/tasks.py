"""Celery tasks of payments."""

from celery import shared_task
from django.utils import timezone

from payments import idempotency


@shared_task(ignore_result=True)
def delete_expired_keys() -> None:
    """Delete the stored answers of idempotent requests after 24 hours."""
    idempotency.delete_expired(now=timezone.now())
