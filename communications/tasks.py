"""Celery tasks. Each looks for work in the database, takes no arguments, and is harmless when it runs twice."""

from celery import shared_task
from django.utils import timezone

from communications.callbacks import inbox, polling
from communications.outbox.outbox import Queue
from communications.sending import leases, worker


@shared_task(ignore_result=True)
def drain_outbox() -> None:
    worker.run(clock=timezone.now, queue=Queue.ALL)


@shared_task(ignore_result=True)
def send_awaited() -> None:
    worker.run(clock=timezone.now, queue=Queue.AWAITED)


@shared_task(ignore_result=True)
def process_inbox() -> None:
    inbox.process(clock=timezone.now)


@shared_task(ignore_result=True)
def expire_leases() -> None:
    leases.expire(now=timezone.now())


@shared_task(ignore_result=True)
def poll_providers() -> None:
    polling.poll(now=timezone.now())
