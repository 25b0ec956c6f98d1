"""What was said in the demo, and what debtors did: messages in every state, with their texts, and activities."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from collection.models import Debt, DebtStatus
from communications import composition, facts, suppressions, templates
from communications.models import Channel, CommunicationLog, CommunicationTemplate, MessageStatus
from debtors.models import Debtor, Medium, StopReason
from portal.models import DigitalActivity

_SENT = {
    "first_notice": Channel.EMAIL,
    "reminder": Channel.EMAIL,
    "sms_reminder": Channel.SMS,
    "voice_reminder": Channel.VOICE,
}
_STATES = {
    MessageStatus.DELIVERED: 70, MessageStatus.SENT: 15, MessageStatus.BOUNCED: 3, MessageStatus.FAILED: 3,
    MessageStatus.BLOCKED: 4, MessageStatus.UNCERTAIN: 1, MessageStatus.QUEUED: 1, MessageStatus.POSTPONED: 3,
}  # fmt: skip
_REASONS = {
    MessageStatus.BOUNCED: "550 5.1.1 There is no such mailbox here.",
    MessageStatus.FAILED: "30003: The handset is unreachable.",
    MessageStatus.BLOCKED: "suppressed: They opted out.",
    MessageStatus.UNCERTAIN: "The hand-over was cut short: the provider may have the message, or not.",
}
_WENT = (
    MessageStatus.DELIVERED,
    MessageStatus.SENT,
    MessageStatus.BOUNCED,
    MessageStatus.FAILED,
    MessageStatus.UNCERTAIN,
)
_REPLIES = ("I can pay on Friday.", "Please call me after six.", "I have paid this already!", "Who are you?")
_PATHS = {
    "page_view": "/portal",
    "sign_in": "/portal/sign-in",
    "debt_viewed": "/debts",
    "deferral_started": "/deferral",
}


def messages(
    dice: random.Random, debts: Sequence[Debt], variants: Sequence[CommunicationTemplate], *, now: datetime
) -> list[CommunicationLog]:
    """Make up what was said about these debts, with the texts as the templates have them."""
    about = [
        debt
        for debt in debts
        if debt.current_status == DebtStatus.ACTIVE and (now.date() - debt.placement_date).days > 7
    ]
    values = facts.gather([(debt.debtor, debt) for debt in about], today=now.date())
    made = []
    for debt, known in zip(about, values, strict=True):
        for name in dice.sample(tuple(_SENT), dice.choice((1, 1, 2, 3))):
            channel = _SENT[name]
            if not suppressions.address(debt.debtor, channel):
                continue
            log = _message(dice, debt, channel, now=now)
            if log.status in _WENT:
                fit = templates.choose((v for v in variants if v.name == name), debt.debtor.language_preference)
                assert fit is not None
                text = composition.compose(fit.subject, fit.body, known, mail=channel == Channel.EMAIL)
                log.template, log.subject, log.body, log.html = fit, text.subject, text.body, text.html
            else:
                log.template = next(v for v in variants if v.name == name and v.language == "en")
            made.append(log)
        if debt.debtor.mobile_phone and dice.random() < 0.05:
            made.append(_reply(dice, debt, now=now))
    return made


def activities(
    dice: random.Random, debts: Sequence[Debt], logs: Sequence[CommunicationLog], *, now: datetime
) -> list[DigitalActivity]:
    """Make up what debtors did in the portal; each opening of a mail is among it."""
    made = [
        DigitalActivity(debtor=log.debtor, debt=log.debt, activity_type="email_opened", created_at=log.opened_at)
        for log in logs
        if log.opened_at and log.debtor
    ]
    for debt in dice.sample(debts, len(debts) // 4):
        at = now - timedelta(minutes=dice.randint(10, 60 * 24 * 60))
        for kind, path in _PATHS.items():
            at = min(at + timedelta(seconds=dice.randint(5, 90)), now)
            made.append(DigitalActivity(debtor=debt.debtor, debt=debt, activity_type=kind, path=path, created_at=at))
            if dice.random() < 0.3:
                break
    return made


def stops(dice: random.Random, people: Sequence[Debtor], *, now: datetime) -> None:
    """Make up who wants no more messages, and whose address is dead."""
    for debtor in dice.sample(people, 40):
        if debtor.mobile_phone:
            suppressions.suppress(
                debtor.mobile_phone, medium=Medium.SMS, reason=StopReason.OPTED_OUT, source="They wrote: STOP", now=now
            )
    words = _REASONS[MessageStatus.BOUNCED]
    for debtor in dice.sample(people, 25):
        suppressions.suppress(debtor.email, medium=Medium.EMAIL, reason=StopReason.BOUNCED, source=words, now=now)


def _message(dice: random.Random, debt: Debt, channel: Channel, *, now: datetime) -> CommunicationLog:
    status = dice.choices(tuple(_STATES), tuple(_STATES.values()))[0]
    waits = status in (MessageStatus.QUEUED, MessageStatus.POSTPONED)
    age = (now.date() - debt.placement_date).days
    at = now - timedelta(minutes=dice.randint(5, 300) if waits else dice.randint(24 * 60, age * 24 * 60))
    log = CommunicationLog(
        debtor=debt.debtor,
        debt=debt,
        communication_type=channel,
        status=status,
        due_at=now + timedelta(hours=dice.randint(8, 20)) if waits else None,
        failure_reason=_REASONS.get(status),
        created_at=at,
    )
    if status in _WENT:
        log.address, log.attempts = suppressions.address(debt.debtor, channel), 1
        log.provider, log.sent_at = "demo", at + timedelta(seconds=dice.randint(1, 90))
    if status == MessageStatus.DELIVERED and log.sent_at:
        log.delivered_at = log.sent_at + timedelta(seconds=dice.randint(1, 60))
        if channel == Channel.EMAIL and dice.random() < 0.3:
            log.opened_at = min(log.delivered_at + timedelta(minutes=dice.randint(2, 2_000)), now)
            log.open_count = dice.randint(1, 4)
    return log


def _reply(dice: random.Random, debt: Debt, *, now: datetime) -> CommunicationLog:
    return CommunicationLog(
        debtor=debt.debtor,
        debt=debt,
        communication_type=Channel.SMS,
        direction=CommunicationLog.Direction.INBOUND,
        status=MessageStatus.RECEIVED,
        address=debt.debtor.mobile_phone,
        body=dice.choice(_REPLIES),
        provider="demo",
        created_at=now - timedelta(minutes=dice.randint(30, 20_000)),
    )
