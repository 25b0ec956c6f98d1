"""The unsubscribe link of a mail: it works without signing in, for the one address that got the mail (RFC 8058)."""

import uuid

from django.conf import settings

from communications.links import tokens
from communications.models import CommunicationLog
from communications.texts import composition, wording

_USE = "unsubscribing"


def url(message_id: uuid.UUID) -> str:
    """Return the unsubscribe link of a mail. It contains no personal data, and another mail's cannot be guessed."""
    return f"{settings.PUBLIC_URL}/unsubscribe/{tokens.make(message_id, use=_USE)}"


def mail_of(token: str) -> CommunicationLog | None:
    """Return the mail that a link's token belongs to; None for an invalid token."""
    return tokens.mail_of(token, use=_USE)


def headers(message_id: uuid.UUID) -> dict[str, str]:
    """Return the headers by which mail programs offer to unsubscribe (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{url(message_id)}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def with_line(body: str, *, language: str | None) -> str:
    """Return the text of a mail with the unsubscribe line at its end, in the language of the text."""
    line = wording.in_language(language)[0].unsubscribe_line
    if composition.is_markup(body):
        return f'{body}<p><a href="{{{{unsubscribe_url}}}}">{line}</a></p>'
    return f"{body}\n\n{line}: {{{{unsubscribe_url}}}}"
