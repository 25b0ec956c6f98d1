"""Mailgun's callbacks. It signs a time and a token and not the content, so a token counts for one content and one day.

documentation.mailgun.com, "Securing webhooks".
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest

from communications.callbacks.readers.mail import AnymailReader
from communications.channels.events import CallbackEvent, NotAuthentic, UnparsedCallback, to_payload
from communications.models import ProviderEvent

#: Mailgun retries a callback for eight hours. Its documentation does not say whether each try is signed again.
_VALID_FOR = timedelta(days=1)
#: How far Mailgun's clock may be ahead of ours.
_AHEAD = timedelta(minutes=5)


class Mailgun(AnymailReader):
    def __init__(self) -> None:
        super().__init__("mailgun", "Mailgun")

    def refuse_replay(self, events: list[CallbackEvent], request: HttpRequest, *, now: datetime) -> list[CallbackEvent]:
        """Identify the events by their token, which the inbox keeps with their content; a repeated callback is harmless."""
        signed_at, token = _signature(request)
        if not now - _VALID_FOR <= signed_at <= now + _AHEAD:
            raise NotAuthentic
        ids = f"token:{token}", f"unparsed:{token}"
        identified = [replace(event, event_id=ids[isinstance(event, UnparsedCallback)]) for event in events]
        stored = ProviderEvent.objects.filter(provider=self.name, event_id__in=ids)
        if any(row.payload != to_payload(event) for row in stored for event in identified):
            raise NotAuthentic
        return identified


def _signature(request: HttpRequest) -> tuple[datetime, str]:
    fields = json.loads(request.body)["signature"] if request.content_type == "application/json" else request.POST
    try:
        return datetime.fromtimestamp(int(fields["timestamp"]), UTC), str(fields["token"])
    except (ValueError, OverflowError, OSError) as error:
        raise NotAuthentic from error
