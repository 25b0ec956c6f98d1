"""The hand-over of one message: begun for certain, made outside any transaction, and written down with the start of the next.

One round trip per message: the statement that commits a message as ``sending`` also commits what became of the one before. So
a worker has one message at a time in that state, and whatever ends it leaves one in doubt at most.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection
from psycopg.types.json import Jsonb

from communications import batches, evidence, outcomes, suppressions
from communications.batches import Claimed
from communications.channels import senders as channel_senders
from communications.channels.message import Outcome, Outgoing, Result
from communications.channels.senders import Senders
from communications.composition import Text
from communications.models import Channel, CommunicationLog, CommunicationTemplateVersion, MessageStatus
from communications.outcomes import Ended
from debtors import calendars

log = structlog.get_logger(__name__)

#: How long a hand-over may take before the message is in doubt.
SENDING_LEASE = timedelta(seconds=60)

_BEGUN = (
    "due_at", "updated_at", "attempts", "address", "template_id", "template_version_id", "subject", "body", "html",
    "provider", "seal",
)  # fmt: skip
_HOLDS = """
    NOT EXISTS (
        SELECT FROM hold
        WHERE hold.{whom} AND hold.blocks_contact AND hold.ended_at IS NULL AND hold.starts_on <= %(last_day)s
          AND (hold.ends_on IS NULL OR (hold.ends_on > %(first_day)s AND hold.ends_on > hold.starts_on))
    )
"""
# Nothing begins where the claim was lost (a later one has another end), where the address is not what it was when the gate was
# asked (it is another now, or somebody said stop), or where a hold came in since. What is known at this very statement counts.
_BEGIN = f"""
begun AS (
    UPDATE communication_log AS log SET
        status = 'sending', draft = %(draft)s, {", ".join(f"{name} = %({name})s" for name in _BEGUN)}
    WHERE id = %(id)s AND status = 'claimed' AND due_at = %(claimed_until)s AND (confirms_opt_out OR {{is_usable}})
        AND (purpose = 'solicited' OR ({_HOLDS.format(whom="debt_id = log.debt_id")}
            AND {_HOLDS.format(whom="debtor_id = log.debtor_id")}))
    RETURNING id
)
"""  # noqa: S608 - the names are ours
_BEGIN_IN = {channel: _BEGIN.format(is_usable=suppressions.is_usable(channel)) for channel in Channel}
_FIRST = "WITH {begin} SELECT 1, count(*) FROM begun"
_NEXT = "WITH {recorded}, {begin} SELECT (SELECT count(*) FROM recorded), (SELECT count(*) FROM begun)"


@dataclass(frozen=True)
class Ready:
    """A claimed message that is written, and what goes of it. ``claimed_until`` tells this claim from a later one."""

    claimed: Claimed
    goes: Text
    version: CommunicationTemplateVersion | None
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
    message.provider = channel_senders.provider(Channel(message.communication_type))
    message.status, message.due_at, message.updated_at = MessageStatus.SENDING, now + SENDING_LEASE, now
    message.seal = evidence.seal(message, claimed.earlier)
    return Ready(claimed, goes, version, claimed_until)


def begin(ready: Ready, *, after: Ended | None) -> bool:
    """Commit that a hand-over begins, and what became of the one before; False if this one may not begin."""
    statement, parameters = _FIRST, _parameters(ready)
    if after:
        statement, parameters = _NEXT, parameters | after.parameters
    begin_in = _BEGIN_IN[Channel(ready.message.communication_type)]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(recorded=outcomes.RECORDED, begin=begin_in), parameters)
        recorded, begun = cursor.fetchone()
    if after and not recorded:
        outcomes.record_late(after)
    return bool(begun)


def hand_over(ready: Ready, senders: Senders) -> Outcome:
    """Hand a message to its channel. A call script goes to an agent, before whom it is once it is written."""
    message, goes = ready.message, ready.goes
    if message.communication_type == Channel.CALL_SCRIPT:
        return Outcome(Result.SENT, channel_senders.AGENT)
    language = ready.version.language if ready.version else None
    outgoing = Outgoing(message.pk, message.address or "", goes.subject, goes.body, goes.html, language)
    try:
        return senders.send(Channel(message.communication_type), outgoing)
    except Exception as error:  # A channel tells every failure that it knows; of any other, who knows?
        log.exception("hand_over_failed", message=str(message.pk))
        return Outcome(Result.UNCERTAIN, "unknown", words=f"{type(error).__name__}: {error}")


def _parameters(ready: Ready) -> dict[str, Any]:
    message = ready.message
    days = calendars.days(message.debtor, at=message.updated_at) if message.debtor else {message.updated_at.date()}
    return {
        "first_day": min(days),
        "last_day": max(days),
        **{name: getattr(message, name) for name in _BEGUN},
        **suppressions.usable_parameters(message.address or "", Channel(message.communication_type)),
        "id": message.pk,
        "claimed_until": ready.claimed_until,
        "draft": Jsonb(message.draft) if message.draft else None,
    }


def _address(message: CommunicationLog) -> str:
    debtor = message.debtor
    if message.confirms_opt_out or debtor is None:
        return message.address or ""
    return debtor.email if message.communication_type == Channel.EMAIL else (debtor.mobile_phone or "")
