"""The inbox of callbacks: an event is stored before its callback is answered, and a worker processes it.

An event that contradicts what is known about its message fails at once, and stays in the back office until an agent retries or
closes it.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction

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
from ddc.common.event_inbox import TIME_BUDGET, EventInbox
from ddc.common.process.wake import wake_worker

log = structlog.get_logger(__name__)

INBOX = EventInbox(ProviderEvent, "communications.tasks.process_inbox", "callback")
#: How long an event waits for its message: a callback may be faster than the provider's answer.
WAIT_FOR_MESSAGE = timedelta(minutes=2)
_LOOK_AGAIN = timedelta(seconds=20)
_FORM = "application/x-www-form-urlencoded"


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
        wake_worker(INBOX.task)
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


def process(*, clock: Callable[[], datetime], time_budget: timedelta | None = TIME_BUDGET) -> Counter[str]:
    """Process due events; see ``EventInbox.process``."""
    return INBOX.process(_process_one, clock=clock, time_budget=time_budget)


def _process_one(row: ProviderEvent, *, now: datetime) -> str:
    """Handle an event and record its result in one transaction."""
    try:
        with transaction.atomic():
            claimed = INBOX.of_this_try(row).select_for_update(no_key=True)
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
        return INBOX.put_off(row, f"{type(error).__name__}: {error}", now=now)


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
