"""Find waiting messages in the provider's records: by our id, else by recipient and text."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from communications.models import CommunicationLog, MessageStatus
from communications.outbox import outbox
from communications.providers.base import SentRecord
from communications.sending import batches, writing
from communications.sending.batches import Source
from contact import addresses
from debtors import contact_points
from debtors.channels import Channel

log = structlog.get_logger(__name__)

#: How many messages are loaded and written at once.
_BATCH = 500
_LISTED = (Channel.SMS, Channel.VOICE)
_Recipient = tuple[Channel, str]


@dataclass(frozen=True)
class Match:
    """The record of a message. ``source`` is what its text is written from; None if its row has the text."""

    record: SentRecord
    source: Source | None


@dataclass
class Matches:
    """The messages by what the records prove, and the records of messages that are not ours."""

    sent: list[tuple[CommunicationLog, Match]] = field(default_factory=list)
    uncertain: list[CommunicationLog] = field(default_factory=list)
    not_sent: list[CommunicationLog] = field(default_factory=list)
    unknown: list[SentRecord] = field(default_factory=list)


def match(messages: Sequence[CommunicationLog], records: Sequence[SentRecord] | None) -> Matches:
    """Compare messages (with their debtors) with the records of unknown messages.

    ``records`` is None if the provider keeps none or was not asked.
    A message without a record that could be its own was not sent. Where the recipient got something else, which the lost
    database may have sent in its place, it is uncertain; so is each one that was being handed over, and was not found.
    """
    if records is None:
        return Matches(uncertain=list(messages))
    open_records = _Open(records)
    found = Matches()
    unmatched = []
    for message, its_match in _matched(messages, open_records):
        if its_match:
            found.sent.append((message, its_match))
        else:
            unmatched.append(message)
    for message in unmatched:
        is_listed = message.communication_type in _LISTED and message.status != MessageStatus.SENDING
        if is_listed and not open_records.of(message):
            found.not_sent.append(message)
        else:
            found.uncertain.append(message)
    found.unknown = open_records.all()
    return found


class _Open:
    """Records that belong to no message yet."""

    def __init__(self, records: Sequence[SentRecord]) -> None:
        self._by_recipient: dict[_Recipient, list[SentRecord]] = defaultdict(list)
        self._by_id = {record.message_id: record for record in records if record.message_id}
        for record in records:
            self._by_recipient[_of_record(record)].append(record)

    def of(self, message: CommunicationLog) -> list[SentRecord]:
        if message.pk in self._by_id:
            return [self._by_id[message.pk]]
        return self._by_recipient.get((Channel(message.communication_type), recipient(message)), [])

    def take(self, record: SentRecord) -> None:
        self._by_recipient[_of_record(record)].remove(record)

    def all(self) -> list[SentRecord]:
        return [record for some in self._by_recipient.values() for record in some]


def _of_record(record: SentRecord) -> _Recipient:
    return record.channel, contact_points.normal_form(record.address)


def recipient(message: CommunicationLog) -> str:
    """Return the normal form of the address that a message goes to, or was being handed over to."""
    has_own_address = message.confirms_opt_out or message.proves_address or message.status == MessageStatus.SENDING
    if message.debtor is None or has_own_address:
        return contact_points.normal_form(message.address or "")
    return addresses.address(message.debtor, message.communication_type)


def _matched(
    messages: Sequence[CommunicationLog], open_records: _Open
) -> Iterator[tuple[CommunicationLog, Match | None]]:
    """Yield each message with its record. A record belongs to one message, the one that was due first."""
    asked = [message for message in messages if open_records.of(message)]
    yield from ((message, None) for message in messages if not open_records.of(message))
    for start in range(0, len(asked), _BATCH):
        loaded = {message.pk: message for message in outbox.load([one.pk for one in asked[start : start + _BATCH]])}
        batch = [loaded[one.pk] for one in asked[start : start + _BATCH]]
        times = {_quarter(record.at) for message in batch for record in open_records.of(message)}
        sources = {at: batches.sources(batch, now=at) for at in sorted(times)}
        for number, message in enumerate(batch):
            its_match = _match(message, open_records, {at: some[number] for at, some in sources.items()})
            if its_match:
                open_records.take(its_match.record)
            yield message, its_match


def _quarter(at: datetime) -> datetime:
    """Return the quarter of an hour: a text may name the debtor's day, which changes only with one."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def _match(message: CommunicationLog, open_records: _Open, sources: dict[datetime, Source | None]) -> Match | None:
    """Find the record of a message. ``sources`` has what its text was written from at that time."""
    has_text = message.status == MessageStatus.SENDING
    for record in open_records.of(message):
        source = sources[_quarter(record.at)]
        texts = {_sent_text(message, source), message.body if has_text else None} - {None}
        is_same = record.body is not None and record.body.strip() in {(text or "").strip() for text in texts}
        if texts and (is_same or record.message_id == message.pk):
            return Match(record, None if has_text else source)
    return None


def _sent_text(message: CommunicationLog, source: Source | None) -> str | None:
    """Return the text that a worker would have sent; None if it cannot be written."""
    if source is None:
        return None
    try:
        return writing.write(message, source.version, source.values)[0].body
    except writing.Unwritable:
        return None
    except Exception:
        log.exception("message_not_written", message=str(message.pk))
        return None
