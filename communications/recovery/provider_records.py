"""The provider's records of what was sent since a dump."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from communications.models import CommunicationLog
from communications.providers.base import Provider, SentRecord

#: The provider's clock may be behind by this much, and a hand-over may have begun before the dump.
_MARGIN = timedelta(minutes=5)


def fetch(provider: Provider, *, since: datetime) -> Sequence[SentRecord] | None:
    """Return the records of messages that this database does not know as sent; None if the provider keeps none.

    :raises Exception: if the provider does not answer
    """
    records = provider.list_sent(since=since - _MARGIN)
    if records is None:
        return None
    ids = [record.provider_message_id for record in records]
    messages = CommunicationLog.objects.filter(provider=provider.name, provider_message_id__any_of=ids)
    known = set(messages.values_list("provider_message_id", flat=True))
    return [record for record in records if record.provider_message_id not in known]
