"""Ticks of this app."""

from celery import shared_task
from django.utils import timezone

from portal import otp, tokens


@shared_task(ignore_result=True)
def answer_otp_requests() -> None:
    """Send one-time codes to those who asked for one."""
    otp.answer(clock=timezone.now)


@shared_task(ignore_result=True)
def clear_out_sessions() -> None:
    """Delete old sign-ins."""
    otp.clear_out(now=timezone.now())


@shared_task(ignore_result=True)
def clear_out_tokens() -> None:
    """Forget revoked tokens that have expired."""
    tokens.clear_out(now=timezone.now())
