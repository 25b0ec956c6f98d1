"""Ticks of the portal."""

from celery import shared_task
from django.utils import timezone

from portal import address_changes, links, otp, tokens


@shared_task(ignore_result=True)
def answer_otp_requests() -> None:
    """Send the one-time codes that were requested."""
    otp.answer(clock=timezone.now)


@shared_task(ignore_result=True)
def delete_old_sessions() -> None:
    """Delete old sign-ins and changes of addresses."""
    otp.delete_old(now=timezone.now())
    address_changes.delete_old(now=timezone.now())


@shared_task(ignore_result=True)
def delete_expired_tokens() -> None:
    """Delete revoked tokens and signed links that have expired."""
    now = timezone.now()
    tokens.delete_expired(now=now)
    links.delete_expired(now=now)
