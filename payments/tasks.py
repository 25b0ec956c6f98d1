"""Celery tasks of payments."""

from celery import shared_task
from django.utils import timezone

from payments import idempotency, provider_events, provider_returns


@shared_task(ignore_result=True)
def delete_expired_keys() -> None:
    """Delete the stored answers of idempotent requests after 24 hours."""
    idempotency.delete_expired(now=timezone.now())


@shared_task(ignore_result=True)
def handle_provider_events() -> None:
    provider_events.handle(clock=timezone.now)


@shared_task(ignore_result=True)
def ask_providers() -> None:
    """Ask payment providers about payments of which no event came, and pay out the approved refunds."""
    provider_events.ask(now=timezone.now())
    provider_returns.send_refunds(now=timezone.now())
