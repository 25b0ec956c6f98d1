"""Ticks of the strategy."""

from celery import shared_task
from django.utils import timezone

from strategy import contact_forecast, runs


@shared_task(ignore_result=True)
def start_planned() -> None:
    """Carry out the run that somebody planned."""
    runs.start_planned(clock=timezone.now)


@shared_task(ignore_result=True)
def run_daily() -> None:
    """Make today's run; a second tick of the same day does nothing."""
    runs.run_daily(clock=timezone.now)


@shared_task(ignore_result=True)
def foresee_contact() -> None:
    """Ask the contact gate about all that finished runs queued."""
    contact_forecast.work_out(now=timezone.now())
