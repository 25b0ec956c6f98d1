"""Scheduled tasks."""

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from agents import passwords, sessions, sign_in_limits, tokens
from ddc.common.postgresql.batches import delete_in_batches


@shared_task(ignore_result=True)
def delete_expired_tokens() -> None:
    """Delete the rows of expired tokens."""
    tokens.delete_expired(now=timezone.now())


@shared_task(ignore_result=True)
def delete_old_attempts() -> None:
    """Delete old attempts to sign in, and old requests for password links."""
    now = timezone.now()
    sign_in_limits.delete_old(now=now)
    passwords.delete_old(now=now)


@shared_task(ignore_result=True)
def delete_expired_sessions() -> None:
    """Delete the expired sessions of the back office."""
    now = timezone.now()
    delete_in_batches(Session.objects.filter(expire_date__lt=now))
    sessions.delete_expired(now=now)


@shared_task(ignore_result=True)
def send_password_links() -> None:
    """Send the links that were asked for."""
    passwords.send_links(now=timezone.now())
