"""Mail's way out: a link that works without signing in, for the one address that the mail went to (RFC 8058)."""

import uuid
from datetime import datetime

from django.conf import settings

from communications import suppressions
from communications.links import tokens
from communications.models import Channel, CommunicationLog
from communications.texts import composition
from debtors.models import Medium, StopReason

_USE = "unsubscribing"
#: The line at the end of a mail whose template doesn't have the link itself (12 CFR 1006.6(e)).
_LINES = {
    "en": "To get no more mail from us at this address",
    "de": "Um an diese Adresse keine E-Mails mehr von uns zu erhalten",
    "fr": "Pour ne plus recevoir d'e-mails de notre part à cette adresse",
    "es": "Para no recibir más correos nuestros en esta dirección",
    "it": "Per non ricevere più e-mail da noi a questo indirizzo",
    "pt": "Para não receber mais e-mails nossos neste endereço",
    "nl": "Om op dit adres geen e-mail meer van ons te ontvangen",
    "pl": "Aby nie otrzymywać od nas wiadomości na ten adres",
}


def url(log_id: uuid.UUID) -> str:
    """Return a mail's own link. It names nobody, and nobody can guess another's."""
    return f"{settings.PUBLIC_URL}/unsubscribe/{tokens.make(log_id, use=_USE)}"


def headers(log_id: uuid.UUID) -> dict[str, str]:
    """Return the headers by which mail programs offer the way out (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{url(log_id)}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def with_way_out(body: str, *, language: str | None) -> str:
    """Return a mail's text with a line at its end that says how to get no more, in the text's own language."""
    line = _LINES.get((language or "en").split("-")[0].lower(), _LINES["en"])
    if composition.is_markup(body):
        return f'{body}<p><a href="{{{{unsubscribe_url}}}}">{line}</a></p>'
    return f"{body}\n\n{line}: {{{{unsubscribe_url}}}}"


def mail_of(token: str) -> CommunicationLog | None:
    """Return the mail whose link it is; None if the token is none of ours."""
    log_id = tokens.read(token, use=_USE)
    if log_id is None:
        return None
    return CommunicationLog.objects.filter(pk=log_id, communication_type=Channel.EMAIL, address__isnull=False).first()


def unsubscribe(mail: CommunicationLog, *, now: datetime) -> bool:
    """Send no more mail to the address that this one went to; True if that is news."""
    return suppressions.suppress(
        mail.address or "",
        medium=Medium.EMAIL,
        reason=StopReason.OPTED_OUT,
        source="They unsubscribed by a mail's own link.",
        now=now,
    )
