"""Celery tasks of checks."""

from celery import shared_task
from django.utils import timezone

from audit import checks


@shared_task(ignore_result=True)
def run_system_checks() -> None:
    """Carry out the checks that were asked for on the health page."""
    checks.work(clock=timezone.now)
