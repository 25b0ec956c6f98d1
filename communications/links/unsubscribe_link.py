"""The unsubscribe link of a mail: it works without signing in, for the one address that got the mail (RFC 8058)."""

import uuid

from django.conf import settings

from communications.links import tokens
from communications.texts import composition

_USE = "unsubscribing"
#: The line at the end of a mail whose template does not contain the link (12 CFR 1006.6(e)).
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


def url(message_id: uuid.UUID) -> str:
    """Return the unsubscribe link of a mail. It contains no personal data, and another mail's cannot be guessed."""
    return f"{settings.PUBLIC_URL}/unsubscribe/{tokens.make(message_id, use=_USE)}"


def message_id(token: str) -> uuid.UUID | None:
    """Return the id of the mail that a link's token belongs to; None for an invalid token."""
    return tokens.read(token, use=_USE)


def headers(message_id: uuid.UUID) -> dict[str, str]:
    """Return the headers by which mail programs offer to unsubscribe (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{url(message_id)}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def with_line(body: str, *, language: str | None) -> str:
    """Return the text of a mail with the unsubscribe line at its end, in the language of the text."""
    line = _LINES.get((language or "en").split("-")[0].lower(), _LINES["en"])
    if composition.is_markup(body):
        return f'{body}<p><a href="{{{{unsubscribe_url}}}}">{line}</a></p>'
    return f"{body}\n\n{line}: {{{{unsubscribe_url}}}}"
