"""Mailgun signs a time and a token, and not what it tells: so a token is good for one telling, and not for long.

documentation.mailgun.com, "Securing webhooks".
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest

from communications.callbacks import events
from communications.callbacks.events import CallbackEvent, UnparsedCallback
from communications.channels.webhooks.refusals import NotAuthentic
from communications.models import ProviderEvent

PROVIDER = "mailgun"
#: Mailgun tries for eight hours to get a callback through; whether it signs each try anew it does not say.
GOOD_FOR = timedelta(days=1)
#: How far its clock may be before ours.
_AHEAD = timedelta(minutes=5)


def once(told: Iterable[CallbackEvent], request: HttpRequest, *, now: datetime) -> list[CallbackEvent]:
    """Return what a rightly signed call tells, each with the token in its id: the inbox keeps the token for as long as that.

    Told again, it is the same and changes nothing.

    :raises NotAuthentic: if the signature is too old, or its token came with something else before
    """
    signed_at, token = _signed(request)
    if not now - GOOD_FOR <= signed_at <= now + _AHEAD:
        raise NotAuthentic
    marked = [replace(one, event_id=_ids(token)[isinstance(one, UnparsedCallback)]) for one in told]
    before = ProviderEvent.objects.filter(provider=PROVIDER, event_id__in=_ids(token))
    if any(row.payload != _kept(one) for row in before for one in marked):
        raise NotAuthentic
    return marked


def _ids(token: str) -> tuple[str, str]:
    return f"token:{token}", f"unread:{token}"


def _signed(request: HttpRequest) -> tuple[datetime, str]:
    fields = json.loads(request.body)["signature"] if request.content_type == "application/json" else request.POST
    try:
        return datetime.fromtimestamp(int(fields["timestamp"]), UTC), str(fields["token"])
    except (ValueError, OverflowError, OSError) as error:
        raise NotAuthentic from error


def _kept(one: CallbackEvent) -> object:
    return json.loads(json.dumps(events.to_payload(one)))
