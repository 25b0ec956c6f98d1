"""Ticks of the strategy."""

from celery import shared_task
from django.utils import timezone

from strategy import contact_forecast, runs, unreached


@shared_task(ignore_result=True)
def start_planned() -> None:
    """Carry out the planned run."""
    runs.start_planned(clock=timezone.now)


@shared_task(ignore_result=True)
def help_with_run(run: str, helper: str) -> None:
    """Process slices of the run that another worker carries out. The number of the helper makes the tasks differ."""
    runs.help_with(run, clock=timezone.now)


@shared_task(ignore_result=True)
def run_daily() -> None:
    """Carry out today's scheduled run; once it is done, further ticks do nothing."""
    runs.run_daily(clock=timezone.now)


@shared_task(ignore_result=True)
def forecast_contact() -> None:
    """Make the contact forecasts of finished runs."""
    contact_forecast.make_missing(now=timezone.now())


@shared_task(ignore_result=True)
def list_unreached() -> None:
    """List the debts that no rule will reach."""
    unreached.refresh(now=timezone.now())
