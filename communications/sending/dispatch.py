"""Hand messages over, one at a time and outside any transaction.

Up to ``WINDOW`` messages turn ``sending`` in one commit that waits for the disk, each with a row in ``pending_dispatch``. The
statement that starts a hand-over deletes this row and checks once more that the message may go. So a worker that dies leaves at
most one message uncertain: all others have their row, and are queued again.

The starting statement does not wait for the disk. A crash of the server may undo it, but empties ``pending_dispatch`` too, which
is not logged: then the whole window is uncertain, and nothing is sent twice.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection

from communications.channels import email
from communications.channels.message import Outcome, Outgoing, Result
from communications.models import CommunicationLog, MessageStatus
from communications.outbox import may_go
from communications.sending import evidence, writing
from communications.sending.batches import ClaimedMessage, Source
from communications.sending.senders import AGENT, Senders, provider_of
from communications.texts.composition import Text
from contact import addresses
from debtors.channels import Channel

log = structlog.get_logger(__name__)

#: The longest time for a hand-over; after it the message is uncertain.
SENDING_LEASE = timedelta(seconds=60)
#: How many messages turn ``sending`` at once, and so may be uncertain after a crash of the server, for each worker.
WINDOW = 20

#: The columns that are written before a hand-over, with their types in SQL.
_COLUMNS = {
    "attempts": "smallint", "address": "text", "template_id": "uuid", "template_version_id": "bigint", "draft": "jsonb",
    "subject": "text", "body": "text", "html": "text", "seal": "text",
}  # fmt: skip
# A message that another worker has claimed since is skipped: its claim ends at another time. For "status || ''" see outcomes.py.
# Rows are locked in the order of their ids, as leases.requeue and withdrawal.withdraw lock them.
MARK_SENDING = f"""
WITH locked AS MATERIALIZED (
    SELECT id FROM communication_log WHERE id = ANY(%(id)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
), marked AS (
    UPDATE communication_log AS log SET
        status = 'sending', due_at = %(due_at)s, updated_at = %(updated_at)s, provider = %(provider)s,
        {", ".join(f"{name} = prepared.{name}" for name in _COLUMNS)}
    FROM unnest(
        %(id)s::uuid[], %(claimed_until)s::timestamptz[],
        {", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS.items())}
    ) AS prepared (id, claimed_until, {", ".join(_COLUMNS)}) JOIN locked USING (id)
    WHERE log.id = prepared.id AND log.status || '' = 'claimed' AND log.due_at = prepared.claimed_until
    RETURNING log.id
), pending AS (
    INSERT INTO pending_dispatch (message_id) SELECT id FROM marked ON CONFLICT DO NOTHING
)
SELECT id FROM marked
"""  # noqa: S608 - the names are constants
START = {
    channel: f"""
DELETE FROM pending_dispatch AS pending USING communication_log AS log
WHERE pending.message_id = %(id)s AND log.id = pending.message_id AND log.status || '' = 'sending' AND log.due_at = %(due_at)s
  AND {may_go.UNCHANGED[channel]}
RETURNING set_config('synchronous_commit', 'off', true)
"""  # noqa: S608 - the condition is a constant
    for channel in Channel
}


@dataclass(frozen=True)
class PreparedMessage:
    """A claimed message with its text. ``claimed_until`` distinguishes this claim from a later one."""

    claimed: ClaimedMessage
    sent_text: Text
    claimed_until: datetime | None

    @property
    def message(self) -> CommunicationLog:
        return self.claimed.message


def prepare(claimed: ClaimedMessage, *, now: datetime) -> PreparedMessage:
    """Write a message's text, and set and seal its row as it will be while it is handed over; save nothing."""
    message = claimed.message
    claimed_until = message.due_at
    sent_text = fill(message, claimed)
    message.status, message.due_at, message.updated_at = MessageStatus.SENDING, now + SENDING_LEASE, now
    message.seal = evidence.seal(message, claimed.attempts)
    return PreparedMessage(claimed, sent_text, claimed_until)


def fill(message: CommunicationLog, source: Source) -> Text:
    """Write a message's text and set the columns of its row that belong to its next attempt; return the text to send."""
    sent_text, stored_text = writing.write(message, source.version, source.values)
    if source.version is None:
        message.draft = (message.draft or {}) | dict(zip(("subject", "body"), writing.draft(message), strict=True))
    message.template, message.template_version = source.variant, source.version
    message.attempts += 1
    message.address = _address(message)
    message.subject, message.body, message.html = stored_text.subject, stored_text.body, stored_text.html
    message.provider = provider_of(Channel(message.communication_type))
    return sent_text


def mark_sending(prepared: Sequence[PreparedMessage]) -> list[PreparedMessage]:
    """Commit messages of one channel as ``sending``; return those with a valid claim."""
    if not prepared:
        return []
    first = prepared[0].message
    columns = {name: [getattr(one.message, name) for one in prepared] for name in _COLUMNS}
    columns["draft"] = [json.dumps(draft) if draft else None for draft in columns["draft"]]
    parameters = {
        **columns,
        "id": [one.message.pk for one in prepared],
        "claimed_until": [one.claimed_until for one in prepared],
        **{name: getattr(first, name) for name in ("due_at", "updated_at", "provider")},
    }
    with connection.cursor() as cursor:
        cursor.execute(MARK_SENDING, parameters)
        marked = {row[0] for row in cursor.fetchall()}
    return [one for one in prepared if one.message.pk in marked]


def start(prepared: PreparedMessage) -> bool:
    """Start a hand-over; False if the message must not go any more, or is not this worker's any more."""
    message, asked = prepared.message, prepared.claimed.asked
    unchanged = may_go.unchanged_parameters(message, asked, now=message.updated_at)
    with connection.cursor() as cursor:
        cursor.execute(
            START[Channel(message.communication_type)], {"id": message.pk, "due_at": message.due_at, **unchanged}
        )
        return cursor.fetchone() is not None


def hand_over(prepared: PreparedMessage, senders: Senders) -> Outcome:
    """Hand a message to its provider. A call script is handed to the agents, who see it once it is written."""
    message, text, version = prepared.message, prepared.sent_text, prepared.claimed.version
    if message.communication_type == Channel.CALL_SCRIPT:
        return Outcome(Result.SENT, AGENT)
    language = version.language if version else (message.draft or {}).get("language")
    answers = email.thread_of(message) if message.communication_type == Channel.EMAIL else ()
    outgoing = Outgoing(message.pk, message.address or "", text.subject, text.body, text.html, language, answers)
    try:
        return senders.send(Channel(message.communication_type), outgoing)
    except Exception as error:  # Channels classify every failure that they know. Any other may have sent the message.
        log.exception("hand_over_failed", message=str(message.pk))
        return Outcome(Result.UNCERTAIN, "unknown", reason_text=f"{type(error).__name__}: {error}")


def _address(message: CommunicationLog) -> str:
    debtor = message.debtor
    if message.confirms_opt_out or message.proves_address or debtor is None:
        return message.address or ""
    return addresses.recipient(debtor, message.communication_type)
