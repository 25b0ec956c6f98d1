"""The hand-over of messages: certain to be known of before it begins, one at a time, and outside any transaction.

A few messages turn ``sending`` together, on disk before the first of them is handed over. Each has a mark that its turn has not
come (``Unbegun``), and one statement per message takes the mark away, looks once more at the address, and writes down what became
of the message before. So whoever finds the messages of a worker that died knows which were never begun, and one at most is in
doubt. That statement doesn't wait for the disk: a crash of the server that takes it back takes all marks along.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection

from communications.channels.message import Outcome, Outgoing, Result
from communications.models import CommunicationLog, MessageStatus
from communications.outbox import may_go
from communications.sending import batches, evidence, outcomes
from communications.sending.batches import Claimed
from communications.sending.outcomes import Ended
from communications.sending.senders import AGENT, Senders, provider_of
from communications.texts.composition import Text
from debtors.channels import Channel

log = structlog.get_logger(__name__)

#: How long a hand-over may take before the message is in doubt.
SENDING_LEASE = timedelta(seconds=60)

#: How many messages turn ``sending`` at once: as many as a crash of the server leaves in doubt for each worker.
WINDOW = 20

#: What is written down of a message before its hand-over, and its type in SQL.
_WRITTEN = {
    "attempts": "smallint", "address": "text", "template_id": "uuid", "template_version_id": "bigint", "draft": "jsonb",
    "subject": "text", "body": "text", "html": "text", "seal": "text",
}  # fmt: skip
# A claim that was lost is left alone: a later one has another end. (What is added to a status keeps PostgreSQL to the primary
# key: by the indexes of what waits it would read a whole batch for each row, and all that has gone through them.)
_ANNOUNCE = f"""
WITH announced AS (
    UPDATE communication_log AS log SET
        status = 'sending', due_at = %(due_at)s, updated_at = %(updated_at)s, provider = %(provider)s,
        {", ".join(f"{name} = written.{name}" for name in _WRITTEN)}
    FROM unnest(
        %(id)s::uuid[], %(claimed_until)s::timestamptz[],
        {", ".join(f"%({name})s::{kind}[]" for name, kind in _WRITTEN.items())}
    ) AS written (id, claimed_until, {", ".join(_WRITTEN)})
    WHERE log.id = written.id AND log.status || '' = 'claimed' AND log.due_at = written.claimed_until
    RETURNING log.id
), marked AS (
    INSERT INTO message_unbegun (log_id) SELECT id FROM announced ON CONFLICT DO NOTHING
)
SELECT id FROM announced
"""  # noqa: S608 - the names are ours
# The hand-over starts only if what the decision was based on is still so when this very statement runs.
_BEGIN = """
begun AS (
    DELETE FROM message_unbegun AS unbegun USING communication_log AS log
    WHERE unbegun.log_id = %(id)s AND log.id = unbegun.log_id AND log.status || '' = 'sending' AND log.due_at = %(due_at)s
        AND UNCHANGED
    RETURNING unbegun.log_id
)
"""
_FIRST = f"WITH {_BEGIN} SELECT 1, (SELECT count(*) FROM begun), set_config('synchronous_commit', 'off', true)"  # noqa: S608
_NEXT = f"""
WITH {outcomes.RECORDED}, {_BEGIN}
SELECT (SELECT count(*) FROM recorded), (SELECT count(*) FROM begun), set_config('synchronous_commit', 'off', true)
"""  # noqa: S608
#: By the channel, the statement for the first message and the one for any that follows another.
_STATEMENTS = {
    channel: tuple(text.replace("UNCHANGED", may_go.UNCHANGED[channel]) for text in (_FIRST, _NEXT))
    for channel in Channel
}


@dataclass(frozen=True)
class Ready:
    """A claimed message that is written, and what goes of it. ``claimed_until`` tells this claim from a later one."""

    claimed: Claimed
    goes: Text
    claimed_until: datetime | None

    @property
    def message(self) -> CommunicationLog:
        return self.claimed.message


def prepare(claimed: Claimed, *, now: datetime) -> Ready:
    """Write a message's text, and bring it into the state in which it is handed over, under seal; nothing is kept yet."""
    message, version = claimed.message, claimed.version
    claimed_until = message.due_at
    goes, kept = batches.write(message, version, claimed.values)
    if version is None:
        message.draft = dict(zip(("subject", "body"), batches.draft(message), strict=True))
    message.template, message.template_version = claimed.variant, version
    message.attempts += 1
    message.address = _address(message)
    message.subject, message.body, message.html = kept.subject, kept.body, kept.html
    message.provider = provider_of(Channel(message.communication_type))
    message.status, message.due_at, message.updated_at = MessageStatus.SENDING, now + SENDING_LEASE, now
    message.seal = evidence.seal(message, claimed.earlier)
    return Ready(claimed, goes, claimed_until)


def announce(some: Sequence[Ready]) -> list[Ready]:
    """Commit that the hand-over of these messages, of one channel, is at hand; return those whose claim still holds."""
    if not some:
        return []
    message = some[0].message
    columns = {name: [getattr(ready.message, name) for ready in some] for name in _WRITTEN}
    columns["draft"] = [json.dumps(draft) if draft else None for draft in columns["draft"]]
    parameters = {
        **columns,
        "id": [ready.message.pk for ready in some],
        "claimed_until": [ready.claimed_until for ready in some],
        **{name: getattr(message, name) for name in ("due_at", "updated_at", "provider")},
    }
    with connection.cursor() as cursor:
        cursor.execute(_ANNOUNCE, parameters)
        announced = {row[0] for row in cursor.fetchall()}
    return [ready for ready in some if ready.message.pk in announced]


def begin(ready: Ready, *, after: Ended | None) -> bool:
    """Note that a message's turn has come, and what became of the one before; False if it may not go after all."""
    message, channel = ready.message, Channel(ready.message.communication_type)
    first, following = _STATEMENTS[channel]
    parameters = {
        **{"id": message.pk, "due_at": message.due_at},
        **may_go.unchanged_parameters(message, ready.claimed.asked, now=message.updated_at),
        **(after.parameters if after else {}),
    }
    with connection.cursor() as cursor:
        cursor.execute(following if after else first, parameters)
        recorded, begun, _ = cursor.fetchone()
    if after and not recorded:
        outcomes.record_late(after)
    return bool(begun)


def hand_over(ready: Ready, senders: Senders) -> Outcome:
    """Hand a message to its channel. A call script goes to an agent, before whom it is once it is written."""
    message, goes = ready.message, ready.goes
    if message.communication_type == Channel.CALL_SCRIPT:
        return Outcome(Result.SENT, AGENT)
    version = ready.claimed.version
    language = version.language if version else None
    outgoing = Outgoing(message.pk, message.address or "", goes.subject, goes.body, goes.html, language)
    try:
        return senders.send(Channel(message.communication_type), outgoing)
    except Exception as error:  # A channel tells every failure that it knows; of any other, who knows?
        log.exception("hand_over_failed", message=str(message.pk))
        return Outcome(Result.UNCERTAIN, "unknown", reason_text=f"{type(error).__name__}: {error}")


def _address(message: CommunicationLog) -> str:
    debtor = message.debtor
    if message.confirms_opt_out or debtor is None:
        return message.address or ""
    return debtor.email if message.communication_type == Channel.EMAIL else (debtor.mobile_phone or "")
