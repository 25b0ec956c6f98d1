"""The inbox of callbacks: what a provider tells is kept before it is answered, and dealt with by a worker.

A handler that breaks is run again, later and later; what it did not finish is undone with it. What breaks each time stays, and
shows in the back office.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction

from communications.callbacks import delivery_events, keypad, replies
from communications.callbacks.delivery_events import News
from communications.callbacks.replies import Received
from communications.models import ProviderEvent
from ddc.common.errors import DomainError
from ddc.common.nudge import nudge
from ddc.common.observing import tracing

log = structlog.get_logger(__name__)

TASK = "communications.tasks.work_inbox"
Kind = ProviderEvent.Kind
#: How long one event may take; after that somebody else has a try.
LEASE = timedelta(seconds=60)
#: When it is tried again; after the last of these it has failed.
BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600))
#: How long we wait for the message that an event is about: a callback may be quicker than the provider's answer.
PATIENCE = timedelta(minutes=2)
_LOOK_AGAIN = timedelta(seconds=20)
_TURN = timedelta(seconds=20)
_ERROR_LENGTH = 500


@dataclass(frozen=True)
class Pressed:
    """A key that somebody pressed in a call."""

    provider: str
    event_id: str
    log_id: str
    digit: str
    address: str


@dataclass(frozen=True)
class Unread:
    """A rightly signed call that couldn't be read: all of it that it takes to try that again."""

    provider: str
    event_id: str
    kind: str
    body: str
    content_type: str
    headers: dict[str, str]


Incoming = News | Received | Pressed | Unread


class NotFailed(DomainError):
    """Only what was given up is run again."""

    message = "This callback has not failed."


def take_in(incoming: Iterable[Incoming], *, now: datetime) -> int:
    """Keep what a provider tells, and wake a worker; return how much of it is new. What came before changes nothing."""
    rows = [_row(one, now=now) for one in incoming]
    if not rows:
        return 0
    before = ProviderEvent.objects.filter(provider=rows[0].provider, event_id__in=[row.event_id for row in rows])
    known = set(before.values_list("event_id", flat=True))
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)
    new = sum(row.event_id not in known for row in rows)
    if new:
        nudge(TASK)
    return new


def work(*, clock: Callable[[], datetime], turn: timedelta | None = _TURN) -> Counter[str]:
    """Deal with what is due, one event at a time, until nothing is or the turn is over. Any number may do so at once."""
    ended: Counter[str] = Counter()
    ends = clock() + turn if turn else None
    while event := _claim(now=clock()):
        with tracing.caused_by(event.request_id):
            ended[_deal_with(event, now=clock())] += 1
        if ends and clock() >= ends:
            nudge(TASK)
            break
    return ended


def run_again(event: ProviderEvent, *, now: datetime) -> None:
    """Have another try at what was given up.

    :raises NotFailed: if it wasn't
    """
    failed = ProviderEvent.objects.filter(pk=event.pk, failed_at__isnull=False)
    if not failed.update(failed_at=None, attempts=0, due_at=now):
        raise NotFailed
    nudge(TASK)


def payload(one: Incoming) -> dict[str, Any]:
    """Return what is kept of what a provider tells, beside whose it is and its id."""
    if isinstance(one, News):
        return delivery_events.as_payload(one)
    return {name: value for name, value in asdict(one).items() if name not in ("provider", "event_id")}


def _row(one: Incoming, *, now: datetime) -> ProviderEvent:
    kinds: dict[type, Kind] = {News: Kind.NEWS, Received: Kind.RECEIVED, Pressed: Kind.KEY, Unread: Kind.UNREAD}
    return ProviderEvent(
        provider=one.provider,
        event_id=one.event_id,
        kind=kinds[type(one)],
        payload=payload(one),
        received_at=now,
        due_at=now,
    )


# One at a time: what kills its worker takes nobody else's tries with it.
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


def _deal_with(event: ProviderEvent, *, now: datetime) -> str:
    """Do the work and note it done, both or neither."""
    try:
        with transaction.atomic():
            ours = ProviderEvent.objects.select_for_update(no_key=True).filter(
                pk=event.pk, attempts=event.attempts, processed_at__isnull=True
            )
            if not ours.exists():
                return "passed by"
            result = _handle(event)
            if result == "unknown" and now - event.received_at < PATIENCE:
                ours.update(due_at=now + _LOOK_AGAIN, attempts=0)
                return "waiting"
            ours.update(processed_at=now, due_at=None, error=None, result=_RESULTS[result])
            return result
    except Exception as error:
        log.exception("callback_not_dealt_with", provider=event.provider, kind=event.kind, attempts=event.attempts)
        return _put_off(event, f"{type(error).__name__}: {error}", now=now)


_RESULTS = {
    "done": "Done",
    "unknown": "About no message of ours",
    "known": "Known already",
}


def _handle(event: ProviderEvent) -> str:
    match event.kind:
        case Kind.NEWS:
            told = delivery_events.from_payload(event.provider, event.event_id, event.payload)
            return "done" if delivery_events.take_in(told, now=event.received_at) else "unknown"
        case Kind.RECEIVED:
            received = replies.from_payload(event.provider, event.event_id, event.payload)
            return "done" if replies.receive(received, now=event.received_at) else "known"
        case Kind.KEY:
            keypad.obey(event.payload, now=event.received_at)
            return "done"
        case _:
            from communications.channels.webhooks import mail

            take_in(mail.read_again(event.provider, event.payload), now=event.received_at)
            return "done"


def _put_off(event: ProviderEvent, words: str, *, now: datetime) -> str:
    """Try again later, or give up; in a transaction of its own."""
    tries = event.attempts
    words = words.replace("\x00", "")[:_ERROR_LENGTH]
    row = ProviderEvent.objects.filter(pk=event.pk, attempts=tries, processed_at__isnull=True)
    if tries > len(BACKOFF):
        row.update(failed_at=now, due_at=None, error=words)
        return "failed"
    row.update(due_at=now + BACKOFF[tries - 1], error=words)
    return "put off"
