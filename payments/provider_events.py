"""The events of payment providers: stored before they are answered, and handled by a worker, each once.

Money that went back waits for the event of its payment, in whatever order the two come.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q

from agents.models import Agent, require_permission
from ddc.common.event_inbox import TIME_BUDGET, EventInbox
from ddc.common.process.wake import wake_worker
from payments import intents, payouts
from payments.intents import UnknownPayment
from payments.models import PaymentIntent, ProviderEvent
from payments.providers.base import Kind, ProviderDown
from payments.providers.registry import PROVIDERS

log = structlog.get_logger(__name__)

INBOX = EventInbox(ProviderEvent, "payments.tasks.handle_provider_events", "event")
_RERUN = "payments.rerun_providerevent"
#: Intents at the provider of which nothing was heard for so long are asked about.
_SILENT_FOR, _ASKED_UNTIL, _ASKED = timedelta(minutes=15), timedelta(days=2), 50


def store(provider: str, event_id: str, raw: dict[str, Any], *, now: datetime) -> bool:
    """Store an authentic event and wake a worker; return whether it is new."""
    row = ProviderEvent(
        provider=provider, event_id=event_id[:255], kind=str(raw.get("type") or raw.get("kind") or "")[:100], raw=raw,
        received_at=now, due_at=now,
    )  # fmt: skip
    before = ProviderEvent.objects.filter(provider=provider, event_id=row.event_id).exists()
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    if not before:
        wake_worker(INBOX.task)
    return not before


def handle(*, clock: Callable[[], datetime], time_budget: timedelta | None = TIME_BUDGET) -> Counter[str]:
    """Handle due events; see ``EventInbox.process``."""
    return INBOX.process(_handle_one, clock=clock, time_budget=time_budget)


def _handle_one(row: ProviderEvent, *, now: datetime) -> str:
    """Handle an event and record its result in one transaction."""
    try:
        reported = PROVIDERS[row.provider].parse(row.raw)
        is_payout = reported is not None and reported.kind == Kind.PAYOUT
        payout = PROVIDERS[row.provider].payout(reported.object_id) if reported and is_payout else None
        with transaction.atomic():
            claimed = INBOX.of_this_try(row).select_for_update(no_key=True)
            if not claimed.exists():
                return "claimed_by_another"
            result = intents.Applied.NOTHING.value
            if payout:
                result = payouts.record(row.provider, payout)
            elif reported:
                result = intents.apply(row.provider, reported, now=now).value
            claimed.update(processed_at=now, due_at=None, error="", result=result)
            if reported and reported.kind == Kind.CAPTURED:
                ProviderEvent.objects.filter(_waits_for(row.provider, reported.payment_id)).update(due_at=now)
        return result
    except UnknownPayment:
        assert reported is not None
        return INBOX.put_off(row, _waiting_text(reported.payment_id), now=now)
    except Exception as error:
        log.exception("provider_event_failed", provider=row.provider, kind=row.kind, attempts=row.attempts)
        return INBOX.put_off(row, f"{type(error).__name__}: {error}", now=now)


def _waiting_text(payment_id: str) -> str:
    return f"Waits for the event of payment {payment_id}."


def _waits_for(provider: str, payment_id: str) -> Q:
    return Q(provider=provider, processed_at=None, failed_at=None, error=_waiting_text(payment_id))


def retry(row: ProviderEvent, *, by: Agent, now: datetime) -> None:
    """Handle a failed event again.

    :raises Forbidden: if the agent may not
    :raises NotFailed: if it has not failed, or was retried or closed already
    """
    require_permission(by, _RERUN)
    INBOX.retry(row, by=by, now=now)


def close(row: ProviderEvent, *, by: Agent, now: datetime) -> None:
    """Close a failed event without any effect; errors as for ``retry``."""
    require_permission(by, _RERUN)
    INBOX.close(row, by=by, now=now)


def ask(*, now: datetime) -> int:
    """Ask providers about intents of which no event came, and apply the answers; return how many moved."""
    silent = PaymentIntent.objects.filter(status=PaymentIntent.Status.REDIRECTED, updated_at__lte=now - _SILENT_FOR)
    silent = silent.filter(created_at__gte=now - _ASKED_UNTIL, provider__in=PROVIDERS).exclude(provider_id=None)
    moved = 0
    for intent in silent.order_by("updated_at")[:_ASKED]:
        try:
            reported = PROVIDERS[intent.provider].status(intent.provider_id or "")
        except ProviderDown:
            break  # Ask again at the next tick.
        PaymentIntent.objects.filter(pk=intent.pk).update(updated_at=now)
        moved += reported is not None and intents.apply(intent.provider, reported, now=now) != intents.Applied.NOTHING
    return moved
