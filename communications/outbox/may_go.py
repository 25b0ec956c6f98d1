"""May this message go? Every check on its way, from top to bottom.

1. ``queue`` refuses an address that opted out at once (``outbox.queue``): blocked with SUPPRESSED.
2. ``ask`` asks the contact gate as soon as a person requests the message, so that they see the answer.
3. ``decide_claimed`` asks it again for messages that a worker has claimed: the decision that counts.
4. ``may_still_go`` repeats the decision at the moment of hand-over, by the clock of that moment and the facts of the claim.
5. ``UNCHANGED`` makes the database look once more, in the statement that starts the hand-over: same address, no opt-out, no hold,
   the same debt.

The gate's rules are in ``contact.engine.gate``. Each refusal has one code of ``ReasonCode``, which the row's ``failure_reason``
starts with in lower case. The worker adds ``Unsendable`` for messages of which no text can be made, and for urgent ones that
came too late; ``withdrawal.withdraw`` adds WITHDRAWN for those that people take back.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from collection.models import Debt
from communications.models import CommunicationLog
from communications.outbox import history
from contact import addresses, decisions, policies, preview
from contact.decisions import GateInput, Stage, TakenSlots
from contact.engine import gate
from contact.engine.decision import Decision, Verdict
from contact.models import Purpose
from contact.preview import Preview
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from debtors.channels import Channel
from debtors.models import Debtor


class Unsendable(StrEnum):
    """Why a message fails before its hand-over, other than by the contact rules."""

    #: Of an urgent message; the gate denies any other with STALE.
    EXPIRED = "expired: It could not be sent in time."
    TEMPLATE_INACTIVE = "template_inactive: No variant of the template is active."
    #: To be formatted with the names of the placeholders.
    MISSING_VALUE = "missing_value: The text has no value for {names}. Enter it, or give words for it in the template."
    TOO_LONG = "too_long"
    UNWRITABLE = "unwritable"


def gate_inputs(messages: Sequence[CommunicationLog], *, now: datetime) -> list[GateInput]:
    """Fetch what the gate needs about messages (debtors, debts and templates loaded), in a fixed number of queries."""
    policy_set = policies.current()
    requests = history.requests(messages, policy_set, now=now)
    return decisions.inputs(requests, policy_set, now=now)


def ask(message: CommunicationLog, *, stage: Stage = Stage.ASKED, now: datetime) -> Decision:
    """Decide on one message and record the decision. A message is decided on again when it is sent.

    To act on the answer at once, hold the debtor's lock (``lock``).
    """
    (asked,) = gate_inputs([message], now=now)
    decision = asked.decide(now)
    decisions.record([(asked, decision)], stage=stage, now=now)
    return decision


def decide_claimed(messages: Sequence[CommunicationLog], *, now: datetime) -> list[tuple[GateInput, Decision]]:
    """Decide on messages that this transaction has claimed, and record the decisions; in a fixed number of queries.

    The debtors are locked until the transaction ends, before contacts are counted. A claimed message counts as a contact. So
    of two workers at the last slot, the second one sees the slot taken. A message that is not sent gives its slot back.
    """
    lock(messages)
    slots = TakenSlots()
    decided = [slots.decide(one, now=now) for one in gate_inputs(messages, now=now)]
    decisions.record(decided, stage=Stage.SENDING, now=now)
    return decided


def lock(messages: Sequence[CommunicationLog]) -> None:
    """Let one worker at a time contact the debtors of these messages, until the transaction ends."""
    debtors = {str(message.debtor_id) for message in messages if message.purpose == Purpose.COLLECTION}
    if debtors:
        advisory_locks.lock(AdvisoryLock.CONTACT, *debtors)


def is_urgent(message: CommunicationLog) -> bool:
    """Return whether a message is of use only at once, such as a one-time code or the confirmation of an opt-out.

    A message of a strategy rule expires too, but has days to go out.
    """
    return message.expires_at is not None and (message.purpose != Purpose.COLLECTION or message.template_id is None)


def has_expired(message: CommunicationLog, *, now: datetime) -> bool:
    return message.expires_at is not None and message.expires_at <= now


def may_still_go(message: CommunicationLog, asked: GateInput, *, now: datetime) -> bool:
    """Check whether a claimed message may go at this moment too, by the facts of the claim."""
    if has_expired(message, now=now):
        return False
    if now.replace(microsecond=0) == asked.at.replace(microsecond=0):
        return True  # No rule changes its answer within a second.
    return asked.decide(now).verdict == Verdict.ALLOW


_NOT_ON_HOLD = """
    NOT EXISTS (
        SELECT FROM hold
        WHERE hold.{owner} = log.{owner} AND (log.purpose = 'collection' OR hold.reason = ANY(%(blocks_answers)s))
          AND (hold.blocks_contact OR (hold.blocks_payment_requests AND %(asks_for_payment)s))
          AND hold_is_active(hold.starts_on, hold.ends_on, hold.ended_at, %(first_day)s, %(last_day)s)
    )"""
#: By channel, an SQL condition on a row ``log``: what the decision was based on is still so. The debt's open amount is compared
#: because the text may name it. ``unchanged_parameters`` makes its parameters.
UNCHANGED = {
    channel: f"""
    (log.confirms_opt_out OR {addresses.is_usable(channel)})
    AND (log.purpose IN ('code', 'confirmation')
        OR ({_NOT_ON_HOLD.format(owner="debt_id")} AND {_NOT_ON_HOLD.format(owner="debtor_id")}))
    AND (%(debt_id)s::uuid IS NULL OR EXISTS (
        SELECT FROM debt
        WHERE debt.id = %(debt_id)s AND debt.current_status = %(debt_status)s
          AND debt.current_balance - debt.disputed_amount = %(debt_open)s
    ))"""
    for channel in Channel
}


def unchanged_parameters(message: CommunicationLog, asked: GateInput, *, now: datetime) -> dict[str, Any]:
    """Return the parameters of ``UNCHANGED``."""
    days, debt = asked.facts.days(now), message.debt
    return {
        "first_day": min(days),
        "blocks_answers": list(gate.ANSWERS_BLOCKED_BY),
        "last_day": max(days),
        "asks_for_payment": asked.facts.asks_for_payment,
        "debt_id": debt.pk if debt else None,
        "debt_status": debt.current_status if debt else None,
        "debt_open": debt.undisputed if debt else None,
        **addresses.usable_parameters(message.address or "", asked.request.channel),
    }


def previews(debtor: Debtor, *, debts: Sequence[Debt | None] = (None,), now: datetime) -> list[Preview]:
    """Preview an ordinary message by each channel about each of these debts; None is about no debt in particular.

    The number of queries depends neither on the debts nor on the channels.
    """
    messages = [
        CommunicationLog(debtor=debtor, debt=debt, communication_type=channel) for debt in debts for channel in Channel
    ]
    return preview.previews(gate_inputs(messages, now=now), now=now)
