"""Notify debtors of the decisions on their deferral requests and disputes."""

import tomllib
from datetime import datetime
from pathlib import Path

from collection.models import Debt
from communications.models import CommunicationLog
from communications.outbox import outbox
from communications.texts import templates
from contact import addresses
from contact.models import Purpose
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import Debtor

_NOTICES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

#: The names of the templates that replace the product's own texts.
NAMES = frozenset(_NOTICES) - {"greeting", "signature"}


def notify(debt: Debt, decision: str, *, now: datetime) -> CommunicationLog:
    """Queue the notice of a decision such as ``deferral_approved``, by the active template of this name.

    Without such a template the text is the product's own.
    """
    channel = _channel(debt.debtor)
    template = templates.named(decision, channel, language=debt.debtor.language_preference)
    subject, text = _NOTICES[decision]["subject"], _NOTICES[decision]["text"]
    if channel == Channel.EMAIL:
        text = "\n\n".join((_NOTICES["greeting"], text, _NOTICES["signature"]))
    return outbox.queue(
        debtor=debt.debtor,
        debt=debt,
        channel=channel,
        template=template,
        subject=subject if channel == Channel.EMAIL and not template else None,
        body=None if template else text,
        purpose=Purpose.ANSWER,
        now=now,
    )


def _channel(debtor: Debtor) -> Channel:
    """Choose e-mail if its address may be used, else SMS. If neither may, the blocked e-mail shows in the back office."""
    mail = addresses.address(debtor, Channel.EMAIL)
    phone = addresses.address(debtor, Channel.SMS)
    suppressed = contact_points.suppressed({Channel.EMAIL: {mail}, Channel.SMS: {phone}})
    if mail and (Channel.EMAIL, mail) not in suppressed:
        return Channel.EMAIL
    return Channel.SMS if phone and (Channel.SMS, phone) not in suppressed else Channel.EMAIL
