"""The inbox of callbacks: an event is stored before its callback is answered, and a worker processes it.

A handler that fails is run again, later and later, and its work is rolled back each time. An event that fails each time, or
contradicts what is known about its message, stays in the back office until an agent retries or closes it.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from agents.models import Agent
from communications.callbacks import delivery_events, keypad, replies
from communications.callbacks.delivery_events import Applied
from communications.callbacks.readers import registry
from communications.channels import events
from communications.channels.events import (
    CallbackEvent,
    DeliveryEvent,
    InboundMessage,
    KeyPress,
    UnparsedCallback,
    Unreadable,
)
from communications.models import ProviderEvent
from ddc.common.errors import DomainError
from ddc.common.observing import tracing
from ddc.common.process.wake import wake_worker

log = structlog.get_logger(__name__)

TASK = "communications.tasks.process_inbox"
#: How long a worker may process one event before another worker tries.
LEASE = timedelta(seconds=60)
#: The pauses between the tries. After the last of them the event has failed.
BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600))
#: How long an event waits for its message: a callback may be faster than the provider's answer.
WAIT_FOR_MESSAGE = timedelta(minutes=2)
_LOOK_AGAIN = timedelta(seconds=20)
_TIME_BUDGET = timedelta(seconds=20)
_FORM = "application/x-www-form-urlencoded"
_ERROR_LENGTH, _RESULT_LENGTH = 500, 100


class NotFailed(DomainError):
    """Only a failed callback is retried or closed."""

    message = "This callback has not failed. It may have been retried or closed already."


def store(reported: Iterable[CallbackEvent], *, now: datetime) -> int:
    """Store events and wake a worker; return how many are new. A repeated event changes nothing."""
    rows = [events.to_row(event, now=now) for event in reported]
    if not rows:
        return 0
    before = ProviderEvent.objects.filter(provider=rows[0].provider, event_id__in=[row.event_id for row in rows])
    known = set(before.values_list("event_id", flat=True))
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)
    new = sum(row.event_id not in known for row in rows)
    if new:
        wake_worker(TASK)
    return new


def keep_unreadable(provider: str, kind: str, form: str, *, now: datetime) -> None:
    """Keep an authentic callback that lacks a necessary field, as a failed one: an agent sees it and closes it.

    ``form`` is its body as a URL-encoded form.
    """
    digest = hashlib.sha256(form.encode()).hexdigest()
    body = base64.b64encode(form.encode()).decode()
    callback = UnparsedCallback(provider, f"unreadable:{kind}:{digest}", kind, body, _FORM, {})
    row = events.to_row(callback, now=now)
    row.failed_at, row.due_at, row.error = now, None, Unreadable.message
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)


def process(*, clock: Callable[[], datetime], time_budget: timedelta | None = _TIME_BUDGET) -> Counter[str]:
    """Process due events one by one until none is left or the time is over. Any number of workers may do so at once."""
    results: Counter[str] = Counter()
    ends = clock() + time_budget if time_budget else None
    while row := _claim(now=clock()):
        with tracing.caused_by(row.request_id):
            results[_process_one(row, now=clock())] += 1
        if ends and clock() >= ends:
            wake_worker(TASK)
            break
    return results


def retry(row: ProviderEvent, *, by: Agent, now: datetime) -> None:
    """Process a failed event again.

    :raises NotFailed: if it has not failed, or was retried or closed already
    """
    _failed(row, failed_at=None, attempts=0, due_at=now, result=f"Retried by {by}"[:_RESULT_LENGTH])
    wake_worker(TASK)


def close(row: ProviderEvent, *, by: Agent, now: datetime) -> None:
    """Take a failed event off the worklist without any effect.

    :raises NotFailed: if it has not failed, or was retried or closed already
    """
    _failed(row, failed_at=None, processed_at=now, result=f"Closed by {by}"[:_RESULT_LENGTH])


def _failed(row: ProviderEvent, **changes: object) -> None:
    if not ProviderEvent.objects.filter(pk=row.pk, failed_at__isnull=False).update(**changes):
        raise NotFailed


# One at a time: an event that kills its worker uses up no tries of other events.
_CLAIM = """
UPDATE provider_event SET due_at = %(until)s, attempts = attempts + 1
WHERE id = (
    SELECT id FROM provider_event
    WHERE processed_at IS NULL AND failed_at IS NULL AND due_at <= %(now)s
    ORDER BY due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id
"""


def _claim(*, now: datetime) -> ProviderEvent | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "until": now + LEASE})
        found = cursor.fetchone()
    return ProviderEvent.objects.get(pk=found[0]) if found else None


def _process_one(row: ProviderEvent, *, now: datetime) -> str:
    """Handle an event and record its result in one transaction."""
    try:
        with transaction.atomic():
            claimed = ProviderEvent.objects.select_for_update(no_key=True).filter(
                pk=row.pk, attempts=row.attempts, processed_at__isnull=True
            )
            if not claimed.exists():
                return "claimed_by_another"
            applied = _handle(row)
            if applied == Applied.UNKNOWN_MESSAGE and now - row.received_at < WAIT_FOR_MESSAGE:
                claimed.update(due_at=now + _LOOK_AGAIN, attempts=0)
                return "waiting"
            if applied == Applied.NEVER_HANDED_OVER:
                claimed.update(failed_at=now, due_at=None, error=delivery_events.NEVER_HANDED_OVER)
            else:
                claimed.update(processed_at=now, due_at=None, error=None, result=applied.label)
            return applied.value
    except Exception as error:
        log.exception("callback_failed", provider=row.provider, kind=row.kind, attempts=row.attempts)
        return _put_off(row, f"{type(error).__name__}: {error}", now=now)


def _handle(row: ProviderEvent) -> Applied:
    event, now = events.from_row(row), row.received_at
    match event:
        case DeliveryEvent():
            return delivery_events.apply(event, now=now)
        case InboundMessage():
            return Applied.DONE if replies.receive(event, now=now) else Applied.REPEATED
        case KeyPress():
            keypad.handle(event, now=now)
        case UnparsedCallback():
            store(registry.read_again(event), now=now)
    return Applied.DONE


def _put_off(row: ProviderEvent, error: str, *, now: datetime) -> str:
    """Try again later, or let the event fail; in a transaction of its own."""
    error = error.replace("\x00", "")[:_ERROR_LENGTH]
    unprocessed = ProviderEvent.objects.filter(pk=row.pk, attempts=row.attempts, processed_at__isnull=True)
    if row.attempts > len(BACKOFF):
        unprocessed.update(failed_at=now, due_at=None, error=error)
        return "failed"
    unprocessed.update(due_at=now + BACKOFF[row.attempts - 1], error=error)
    return "put_off"
