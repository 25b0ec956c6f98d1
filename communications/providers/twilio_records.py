"""Twilio's records of text messages and calls."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from communications.outbox.states import Event
from communications.providers.base import SentRecord
from debtors.channels import Channel

if TYPE_CHECKING:
    from twilio.rest import Client

#: By Twilio's status of a text message or a call.
EVENTS = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "initiated", "ringing", "in-progress"), Event.SENT),
    "sent": Event.SENT,
    **dict.fromkeys(("delivered", "read", "completed"), Event.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled", "busy", "no-answer"), Event.FAILED),
}
#: The most that Twilio puts on one page.
_PAGE_SIZE = 1000
#: Twilio lists the newest first, by a time that may be later than the creation: ten hours, if a message waits in its queue.
_OUT_OF_ORDER = timedelta(days=1)


def event(status: str) -> Event:
    """Return what became of a message or a call; one of an unknown status was sent."""
    return EVENTS.get(status, Event.SENT)


def sent(client: "Client", number: str, *, since: datetime) -> list[SentRecord]:
    """Return the messages and calls from a number that were created since then."""
    return [
        *(
            _record(Channel.SMS, text, since, body=text.body)
            for text in _until(client.messages.stream(from_=number, page_size=_PAGE_SIZE), since)
        ),
        *(
            _record(Channel.VOICE, call, since)
            for call in _until(client.calls.stream(from_=number, page_size=_PAGE_SIZE), since)
        ),
    ]


def _until(newest_first: Iterable[Any], since: datetime) -> Iterator[Any]:
    for resource in newest_first:
        if resource.date_created is None or resource.date_created >= since:
            yield resource
        elif resource.date_created < since - _OUT_OF_ORDER:
            return


def _record(channel: Channel, resource: Any, since: datetime, *, body: str | None = None) -> SentRecord:
    return SentRecord(
        channel=channel,
        provider_message_id=resource.sid,
        address=resource.to,
        at=resource.date_created or since,
        event=event(resource.status),
        body=body,
    )
