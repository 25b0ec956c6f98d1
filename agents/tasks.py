"""Scheduled tasks."""

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from agents import sign_in_limits, tokens
from ddc.common.postgresql.batches import delete_in_batches


@shared_task(ignore_result=True)
def delete_expired_tokens() -> None:
    """Delete the rows of expired tokens."""
    tokens.delete_expired(now=timezone.now())


@shared_task(ignore_result=True)
def delete_old_attempts() -> None:
    """Delete old attempts to sign in."""
    sign_in_limits.delete_old(now=timezone.now())


@shared_task(ignore_result=True)
def delete_expired_sessions() -> None:
    """Delete the expired sessions of the back office."""
    delete_in_batches(Session.objects.filter(expire_date__lt=timezone.now()))
