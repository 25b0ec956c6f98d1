"""Signed tokens for links in a mail: they contain only its id, cannot be guessed, and need no sign-in."""

import uuid

from django.core.signing import BadSignature, Signer

from communications.models import CommunicationLog
from debtors.channels import Channel


def make(message_id: uuid.UUID, *, use: str) -> str:
    """Return a mail's token for one use; it is invalid for any other use."""
    return _signer(use).sign(message_id.hex)


def read(token: str, *, use: str) -> uuid.UUID | None:
    """Return the id of the mail that a token belongs to; None for an invalid token. Fallback keys are accepted."""
    try:
        return uuid.UUID(_signer(use).unsign(token))
    except (BadSignature, ValueError):
        return None


def mail_of(token: str, *, use: str) -> CommunicationLog | None:
    """Return the mail that a token belongs to; None for an invalid token."""
    message_id = read(token, use=use)
    mails = CommunicationLog.objects.filter(communication_type=Channel.EMAIL)
    return mails.filter(pk=message_id).first() if message_id else None


def _signer(use: str) -> Signer:
    return Signer(salt=f"communications.{use}", sep=".")
