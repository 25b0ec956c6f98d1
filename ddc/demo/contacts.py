"""The demo's messages in every state with their texts, and the debtors' activities."""

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from collection.models import Debt, DebtStatus
from communications.channels.message import Result
from communications.models import (
    CommunicationLog,
    CommunicationTemplate,
    CommunicationTemplateVersion,
    MessageAttempt,
    MessageStatus,
)
from communications.sending import evidence
from communications.texts import composition, facts, required_lines, templates
from contact import addresses
from contact.engine import gate
from ddc.common.days import agency_today
from ddc.demo.sample import SAMPLE
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import Debtor, SuppressionReason
from portal.models import DigitalActivity

_CALL_TASKS = 12
_STATES = {
    MessageStatus.DELIVERED: 70, MessageStatus.SENT: 15, MessageStatus.BOUNCED: 3, MessageStatus.FAILED: 3,
    MessageStatus.BLOCKED: 4, MessageStatus.UNCERTAIN: 1, MessageStatus.QUEUED: 1, MessageStatus.POSTPONED: 3,
}  # fmt: skip
_REASONS = {
    MessageStatus.BOUNCED: "550 5.1.1 There is no such mailbox here.",
    MessageStatus.FAILED: "30003: The handset is unreachable.",
    MessageStatus.BLOCKED: str(gate.SUPPRESSED),
    MessageStatus.UNCERTAIN: "The connection was lost; the provider may or may not have the message.",
}
#: The statuses of messages that were dispatched; a provider has accepted those that later bounce or fail.
_DISPATCHED = (
    MessageStatus.DELIVERED, MessageStatus.SENT, MessageStatus.BOUNCED, MessageStatus.FAILED, MessageStatus.UNCERTAIN,
)  # fmt: skip


def messages(
    rng: random.Random, debts: Sequence[Debt], variants: Sequence[CommunicationTemplate], *, now: datetime
) -> list[CommunicationLog]:
    """Generate messages about these debts with texts from the templates."""
    about = [
        debt
        for debt in debts
        if debt.current_status == DebtStatus.ACTIVE and (agency_today(now) - debt.placement_date).days > 7
    ]
    recipients = [facts.Recipient(debt.debtor, debt, debt.debtor.language_preference) for debt in about]
    values = facts.gather(recipients, now=now)
    versions = templates.current_versions(variants)
    made = []
    for debt, variables in zip(about, values, strict=True):
        for name in rng.sample(tuple(SAMPLE["campaigns"]), rng.choice((1, 1, 2, 3))):
            channel = Channel(SAMPLE["campaigns"][name])
            if not addresses.address(debt.debtor, channel):
                continue
            log = _message(rng, debt, channel, now=now)
            if log.status in _DISPATCHED:
                _render(log, [v for v in variants if v.name == name], versions, variables)
            else:
                log.template = next(v for v in variants if v.name == name and v.language == "en")
            made.append(log)
            if log.status == MessageStatus.DELIVERED and channel == Channel.SMS and rng.random() < 0.2:
                made.append(_reply(rng, log, now=now))
    scripts = [variant for variant in variants if variant.communication_type == Channel.CALL_SCRIPT]
    reachable = [pair for pair in zip(about, values, strict=True) if pair[0].debtor.mobile_phone]
    for debt, variables in rng.sample(reachable, _CALL_TASKS):
        log = CommunicationLog(
            debtor=debt.debtor,
            debt=debt,
            communication_type=Channel.CALL_SCRIPT,
            status=MessageStatus.SENT,
            created_at=now - timedelta(minutes=rng.randint(10, 3_000)),
        )
        _dispatch(log, rng, provider="agent")
        _render(log, scripts, versions, variables)
        made.append(log)
    return made


def attempts(logs: Sequence[CommunicationLog]) -> list[MessageAttempt]:
    """Generate the dispatch attempt of each dispatched message and seal both."""
    made = []
    for log in logs:
        if log.attempts:
            result = Result.UNCERTAIN if log.status == MessageStatus.UNCERTAIN else Result.SENT
            ended_at = log.sent_at or log.created_at + timedelta(minutes=1)
            attempt = MessageAttempt(
                message=log,
                number=1,
                began_at=ended_at - timedelta(seconds=1),
                ended_at=ended_at,
                provider=log.provider or "",
                result=result,
                provider_message_id=log.provider_message_id,
                answer=log.failure_reason if result == Result.UNCERTAIN else None,
            )
            log.seal = evidence.seal(log, [attempt])
            made.append(attempt)
    return made


def activities(
    rng: random.Random, debts: Sequence[Debt], logs: Sequence[CommunicationLog], *, now: datetime
) -> list[DigitalActivity]:
    """Generate what debtors did in the portal, and one activity for each opened mail."""
    made = [
        DigitalActivity(debtor=log.debtor, debt=log.debt, activity_type="email_opened", created_at=log.opened_at)
        for log in logs
        if log.opened_at and log.debtor
    ]
    for debt in rng.sample(debts, len(debts) // 4):
        at = now - timedelta(minutes=rng.randint(10, 60 * 24 * 60))
        for kind, path in SAMPLE["activities"].items():
            at = min(at + timedelta(seconds=rng.randint(5, 90)), now)
            made.append(DigitalActivity(debtor=debt.debtor, debt=debt, activity_type=kind, path=path, created_at=at))
            if rng.random() < 0.3:
                break
    return made


def suppress_addresses(rng: random.Random, people: Sequence[Debtor], *, now: datetime) -> None:
    """Suppress some phones after an opt-out and some e-mail addresses after a bounce."""
    for debtor in rng.sample(people, 40):
        if debtor.mobile_phone:
            contact_points.suppress(
                debtor.mobile_phone,
                channel=Channel.SMS,
                reason=SuppressionReason.OPTED_OUT,
                source="Reply: STOP",
                now=now,
            )
    reason_text = _REASONS[MessageStatus.BOUNCED]
    for debtor in rng.sample(people, 25):
        contact_points.suppress(
            debtor.email or "", channel=Channel.EMAIL, reason=SuppressionReason.BOUNCED, source=reason_text, now=now
        )


def _message(rng: random.Random, debt: Debt, channel: Channel, *, now: datetime) -> CommunicationLog:
    status = rng.choices(tuple(_STATES), tuple(_STATES.values()))[0]
    waits = status in (MessageStatus.QUEUED, MessageStatus.POSTPONED)
    is_new = waits or status == MessageStatus.UNCERTAIN
    age = (agency_today(now) - debt.placement_date).days
    at = now - timedelta(minutes=rng.randint(5, 300) if is_new else rng.randint(24 * 60, age * 24 * 60))
    log = CommunicationLog(
        debtor=debt.debtor,
        debt=debt,
        communication_type=channel,
        status=status,
        due_at=now + timedelta(hours=rng.randint(8, 20)) if waits else None,
        failure_reason=_REASONS.get(status),
        created_at=at,
    )
    if status in _DISPATCHED:
        _dispatch(log, rng)
    if status == MessageStatus.UNCERTAIN:
        log.sent_at = log.provider_message_id = None
    if status == MessageStatus.DELIVERED and log.sent_at:
        log.delivered_at = log.sent_at + timedelta(seconds=rng.randint(1, 60))
        if channel == Channel.EMAIL and rng.random() < 0.3:
            log.opened_at = min(log.delivered_at + timedelta(minutes=rng.randint(2, 2_000)), now)
            log.open_count = rng.randint(1, 4)
    return log


def _dispatch(log: CommunicationLog, rng: random.Random, *, provider: str = "demo") -> None:
    assert log.debtor is not None
    log.address, log.attempts = addresses.recipient(log.debtor, log.communication_type), 1
    log.provider, log.provider_message_id = provider, str(log.pk)
    log.sent_at = log.created_at + timedelta(seconds=rng.randint(1, 90))


def _render(
    log: CommunicationLog,
    variants: Sequence[CommunicationTemplate],
    versions: Mapping[uuid.UUID, CommunicationTemplateVersion],
    variables: Mapping[str, str],
) -> None:
    assert log.debtor is not None
    fit = templates.choose(variants, log.debtor.language_preference)
    assert fit is not None
    body = required_lines.add(fit.body, channel=log.communication_type, language=fit.language)
    text = composition.compose(fit.subject, body, variables, channel=log.communication_type, language=fit.language)
    log.template, log.template_version = fit, versions[fit.pk]
    log.subject, log.body, log.html = text.subject, text.body, text.html


def _reply(rng: random.Random, answered: CommunicationLog, *, now: datetime) -> CommunicationLog:
    """Generate a reply to a text message, some time later."""
    assert answered.sent_at is not None
    return CommunicationLog(
        debtor=answered.debtor,
        debt=answered.debt,
        in_reply_to=answered,
        communication_type=Channel.SMS,
        direction=CommunicationLog.Direction.INBOUND,
        status=MessageStatus.RECEIVED,
        address=answered.address,
        body=rng.choice(SAMPLE["replies"]),
        provider="demo",
        created_at=min(answered.sent_at + timedelta(minutes=rng.randint(2, 2_000)), now),
    )
