"""Scheduled tasks."""

from celery import shared_task
from django.utils import timezone

from agents import tokens


@shared_task(ignore_result=True)
def delete_expired_tokens() -> None:
    """Delete the rows of expired tokens."""
    tokens.delete_expired(now=timezone.now())
