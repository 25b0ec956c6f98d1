"""Celery ticks for holds and sums."""

from celery import shared_task
from django.utils import timezone

from collection.balances import open_totals
from collection.holds import expiry, minors
from collection.placements import imports


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
