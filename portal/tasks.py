"""Ticks of the portal."""

from celery import shared_task
from django.utils import timezone

from portal import otp, tokens


@shared_task(ignore_result=True)
def answer_otp_requests() -> None:
    """Send the one-time codes that were requested."""
    otp.answer(clock=timezone.now)


@shared_task(ignore_result=True)
def delete_old_sessions() -> None:
    """Delete old sign-ins."""
    otp.delete_old(now=timezone.now())


@shared_task(ignore_result=True)
def delete_expired_tokens() -> None:
    """Delete revoked tokens that have expired."""
    tokens.delete_expired(now=timezone.now())
