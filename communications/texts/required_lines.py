"""The lines that contact law demands in each message that collects: who writes, and how to end such messages.

They are added to a text that lacks them. A call offers its way out by key 9; a call script is spoken by an agent.
"""

import re

from agency import profile
from communications.texts import composition, placeholders, wording
from debtors.channels import Channel

#: The placeholders in the lines that are added.
PLACEHOLDERS = frozenset({"agency_name", "unsubscribe_url"})
_STOP = re.compile(r"\bSTOP\b")


def add(body: str, *, channel: str, language: str | None) -> str:
    """Return a template's body with the agency's name and, in the language of the text, the line on ending such messages."""
    words = wording.in_language(language)[0]
    used = placeholders.used(body)
    is_signed = "agency_name" in used or profile.current().name in body
    match channel:
        case Channel.EMAIL:
            name = "" if is_signed else "{{agency_name}}"
            if "unsubscribe_url" in used:
                return _with_paragraph(body, name) if name else body
            return _with_link(body, f"{name} \N{EN DASH} {words.unsubscribe_line}" if name else words.unsubscribe_line)
        case Channel.SMS:
            return _named(body, is_signed) + ("" if _STOP.search(body) else f"\n{words.stop_line}")
        case Channel.VOICE:
            return _named(body, is_signed)
    return body


def missing(body: str, *, channel: str) -> list[str]:
    """Name the lines that ``add`` adds to a template's body."""
    used = placeholders.used(body)
    is_signed = "agency_name" in used or profile.current().name in body
    found = [] if is_signed or channel == Channel.CALL_SCRIPT else ["the agency's name"]
    if channel == Channel.EMAIL and "unsubscribe_url" not in used:
        found.append("the link that ends such mails")
    if channel == Channel.SMS and not _STOP.search(body):
        found.append("how to get no more texts (STOP)")
    return found


def _named(body: str, is_signed: bool) -> str:
    return body if is_signed else f"{{{{agency_name}}}}: {body}"


def _with_paragraph(body: str, text: str) -> str:
    return f"{body}<p>{text}</p>" if composition.is_markup(body) else f"{body}\n\n{text}"


def _with_link(body: str, line: str) -> str:
    if composition.is_markup(body):
        return f'{body}<p><a href="{{{{unsubscribe_url}}}}">{line}</a></p>'
    return f"{body}\n\n{line}: {{{{unsubscribe_url}}}}"
