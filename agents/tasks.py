"""Ticks of this app."""

from celery import shared_task
from django.utils import timezone

from agents import tokens


@shared_task(ignore_result=True)
def clear_out() -> None:
    """Delete tokens' rows that no live token needs."""
    tokens.clear_out(now=timezone.now())
