"""Confirm an opt-out: the one message that is sent to a number after its STOP (47 CFR 64.1200(a)(12))."""

from datetime import datetime, timedelta

from communications.models import CommunicationLog
from communications.outbox import outbox
from communications.texts import templates, wording
from contact.models import Purpose
from debtors.channels import Channel

TEMPLATE = "opt_out_confirmed"
#: A late confirmation is not sent.
_LIFETIME = timedelta(minutes=5)


def confirm_opt_out(request: CommunicationLog, *, now: datetime) -> CommunicationLog:
    """Queue the confirmation to the number that opted out, in the debtor's language if the number has a known debtor."""
    preferred = request.debtor.language_preference if request.debtor else None
    template = templates.named(TEMPLATE, Channel.SMS, language=preferred) if request.debtor else None
    return outbox.queue(
        debtor=request.debtor,
        channel=Channel.SMS,
        template=template,
        body=None if template else wording.in_language(preferred)[0].opted_out,
        purpose=Purpose.SOLICITED,
        now=now,
        expires_at=now + _LIFETIME,
        confirms_opt_out_of=request.address,
    )
