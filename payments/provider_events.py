"""The events of payment providers: stored before they are answered, and handled by a worker, each once.

A handler that fails is run again, later and later, and its work is rolled back each time. Money that went back waits for the
event of its payment, in whatever order the two come. An event that fails each time stays in the back office.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Q

from agents.models import Agent, require_permission
from ddc.common.errors import DomainError
from ddc.common.observing import tracing
from ddc.common.process.wake import wake_worker
from payments import intents, payouts
from payments.intents import UnknownPayment
from payments.models import PaymentIntent, ProviderEvent
from payments.providers.base import Kind, ProviderDown
from payments.providers.registry import PROVIDERS

log = structlog.get_logger(__name__)

TASK = "payments.tasks.handle_provider_events"
#: How long a worker may handle one event before another worker tries.
LEASE = timedelta(seconds=60)
#: The pauses between the tries. After the last of them the event has failed.
BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600))
_TIME_BUDGET = timedelta(seconds=20)
#: Intents at the provider of which nothing was heard for so long are asked about.
_SILENT_FOR, _ASKED_UNTIL, _ASKED = timedelta(minutes=15), timedelta(days=2), 50


class NotFailed(DomainError):
    message = "This event has not failed. It may have been retried or closed already."


def store(provider: str, event_id: str, raw: dict[str, Any], *, now: datetime) -> bool:
    """Store an authentic event and wake a worker; return whether it is new."""
    row = ProviderEvent(
        provider=provider, event_id=event_id[:255], kind=str(raw.get("type") or raw.get("kind") or "")[:100], raw=raw,
        received_at=now, due_at=now,
    )  # fmt: skip
    before = ProviderEvent.objects.filter(provider=provider, event_id=row.event_id).exists()
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    if not before:
        wake_worker(TASK)
    return not before


def handle(*, clock: Callable[[], datetime], time_budget: timedelta | None = _TIME_BUDGET) -> Counter[str]:
    """Handle due events one by one until none is left or the time is over. Any number of workers may do so at once."""
    results: Counter[str] = Counter()
    ends = clock() + time_budget if time_budget else None
    while row := _claim(now=clock()):
        with tracing.caused_by(row.request_id):
            results[_handle_one(row, now=clock())] += 1
        if ends and clock() >= ends:
            wake_worker(TASK)
            break
    return results


# One at a time: an event that kills its worker uses up no tries of other events.
_CLAIM = """
UPDATE payment_provider_event SET due_at = %(until)s, attempts = attempts + 1
WHERE id = (
    SELECT id FROM payment_provider_event
    WHERE handled_at IS NULL AND failed_at IS NULL AND due_at <= %(now)s
    ORDER BY due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id
"""


def _claim(*, now: datetime) -> ProviderEvent | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "until": now + LEASE})
        found = cursor.fetchone()
    return ProviderEvent.objects.get(pk=found[0]) if found else None


def _handle_one(row: ProviderEvent, *, now: datetime) -> str:
    """Handle an event and record its result in one transaction."""
    try:
        reported = PROVIDERS[row.provider].parse(row.raw)
        is_payout = reported is not None and reported.kind == Kind.PAYOUT
        payout = PROVIDERS[row.provider].payout(reported.object_id) if reported and is_payout else None
        with transaction.atomic():
            claimed = ProviderEvent.objects.select_for_update(no_key=True).filter(
                pk=row.pk, attempts=row.attempts, handled_at__isnull=True
            )
            if not claimed.exists():
                return "claimed by another"
            result = intents.Applied.NOTHING.value
            if payout:
                result = payouts.record(row.provider, payout)
            elif reported:
                result = intents.apply(row.provider, reported, now=now).value
            claimed.update(handled_at=now, due_at=None, error="", result=result)
            if reported and reported.kind == Kind.CAPTURED:
                ProviderEvent.objects.filter(_waits_for(row.provider, reported.payment_id)).update(due_at=now)
        return result
    except UnknownPayment:
        assert reported is not None
        return _put_off(row, _waiting_text(reported.payment_id), now=now)
    except Exception as error:
        log.exception("provider_event_failed", provider=row.provider, kind=row.kind, attempts=row.attempts)
        return _put_off(row, f"{type(error).__name__}: {error}", now=now)


def _waiting_text(payment_id: str) -> str:
    return f"Waits for the event of payment {payment_id}."


def _waits_for(provider: str, payment_id: str) -> Q:
    return Q(provider=provider, handled_at=None, failed_at=None, error=_waiting_text(payment_id))


def _put_off(row: ProviderEvent, error: str, *, now: datetime) -> str:
    """Try again later, or let the event fail; in a transaction of its own."""
    error = error.replace("\x00", "")[:500]
    unhandled = ProviderEvent.objects.filter(pk=row.pk, attempts=row.attempts, handled_at__isnull=True)
    if row.attempts > len(BACKOFF):
        unhandled.update(failed_at=now, due_at=None, error=error)
        return "failed"
    unhandled.update(due_at=now + BACKOFF[row.attempts - 1], error=error)
    return "put off"


def retry(row: ProviderEvent, *, by: Agent, now: datetime) -> None:
    """Handle a failed event again.

    :raises NotFailed: if it has not failed, or was retried or closed already
    """
    _failed(row, by, failed_at=None, attempts=0, due_at=now, result=f"Retried by {by}"[:100])
    wake_worker(TASK)


def close(row: ProviderEvent, *, by: Agent, now: datetime) -> None:
    """Close a failed event without any effect.

    :raises NotFailed: if it has not failed, or was retried or closed already
    """
    _failed(row, by, failed_at=None, handled_at=now, result=f"Closed by {by}"[:100])


def _failed(row: ProviderEvent, by: Agent, **changes: object) -> None:
    require_permission(by, "payments.rerun_providerevent")
    if not ProviderEvent.objects.filter(pk=row.pk, failed_at__isnull=False).update(**changes):
        raise NotFailed


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
