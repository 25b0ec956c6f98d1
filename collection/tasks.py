"""Celery ticks for holds, sums and interest."""

from celery import shared_task
from django.utils import timezone

from collection.balances import interest, month_end, open_totals
from collection.holds import expiry, minors
from collection.placements import imports
from ddc.common.days import agency_today


@shared_task(ignore_result=True)
def expire_holds() -> None:
    expiry.expire(now=timezone.now())


@shared_task(ignore_result=True)
def hold_minors() -> None:
    minors.hold_missing(now=timezone.now())


@shared_task(ignore_result=True)
def compact_open_totals() -> None:
    open_totals.compact()


@shared_task(ignore_result=True)
def import_placements() -> None:
    """Check and load uploaded placement files."""
    imports.work(clock=timezone.now)


@shared_task(ignore_result=True)
def delete_unconfirmed_imports() -> None:
    imports.delete_unconfirmed(now=timezone.now())


@shared_task(ignore_result=True)
def apply_interest_changes() -> None:
    interest.apply_changes(now=timezone.now())


@shared_task(ignore_result=True)
def post_interest() -> None:
    month_end.post(month_end.last_month_end(agency_today(timezone.now())))
