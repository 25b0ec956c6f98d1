"""Placeholders such as ``{{debtor_first_name}}``: an allow-list, not a template language.

Only the names below are replaced, and a value that was filled in is not evaluated again.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ddc.common.errors import DomainError

_OPENING = re.compile(r"\{\{")
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}", re.ASCII)
_SHOWN_LENGTH = 60


@dataclass(frozen=True)
class Placeholder:
    """A name that templates may use, with its meaning and an example."""

    name: str
    description: str
    example: str


CATALOGUE = tuple(
    Placeholder(*entry)
    for entry in (
        ("debtor_first_name", "The debtor's first name; empty for a company.", "John"),
        ("debtor_last_name", "The debtor's last name; empty for a company.", "Doe"),
        ("debtor_full_name", "First and last name, else the company's name.", "John Doe"),
        ("debtor_legal_entity", "The company's name, if there is one.", "ABC Corp"),
        ("debtor_email", "The debtor's e-mail address.", "john.doe@example.com"),
        ("debt_amount", "The open balance of the debt, without its disputed part.", "£1,250.00"),
        ("debt_original_amount", "The balance when the debt was placed.", "£5,000.00"),
        ("debt_currency", "The debt's currency (ISO 4217).", "GBP"),
        ("debt_reference", "The creditor's reference of the debt.", "INV-2024-001"),
        ("debt_due_date", "The due date of the debt.", "Jan 31, 2026"),
        ("debt_placement_date", "The day when the creditor placed the debt.", "Jan 1, 2026"),
        ("days_since_placement", "Whole days since the placement.", "30"),
        ("original_creditor", "The original creditor's name.", "ABC Credit Corp"),
        ("total_outstanding", "The sum of the debtor's open debts, without their disputed parts.", "£2,750.00"),
        (
            "last_payment_amount",
            "The latest payment of the debt; without a debt, the debtor's latest payment.",
            "£100.00",
        ),
        ("last_payment_date", "The day of that payment.", "Jan 15, 2026"),
        ("agency_name", "The agency's name.", "Example Collections"),
        ("agency_address", "The agency's postal address.", "1 Example Street, London"),
        ("agency_phone", "The agency's phone number.", "+44 20 7946 0000"),
        ("agency_email", "The agency's e-mail address.", "help@example.com"),
        ("portal_url", "The address where debtors sign in.", "https://portal.example.com"),
        (
            "unsubscribe_url",
            "The link to unsubscribe without signing in; only in mail. A mail without it gets a line with the link.",
            "https://portal.example.com/unsubscribe/AZ8x",
        ),
        ("today", "The day of sending.", "Jan 31, 2026"),
        ("otp_code", "The one-time code; masked except in the message of a sign-in.", "••••••"),
    )
)
NAMES = frozenset(entry.name for entry in CATALOGUE)
EXAMPLES: Mapping[str, str] = {entry.name: entry.example for entry in CATALOGUE}


class BadPlaceholder(DomainError):
    """Double braces contain no known placeholder."""

    status = 422
    code = "placeholder"


def check(text: str, *, field: str) -> None:
    """Check the placeholders of a template's text. A stray ``}}`` is plain text.

    :raises BadPlaceholder: if one is unknown, malformed or not closed; the message names the first
    """
    for opening in _OPENING.finditer(text):
        match = _PLACEHOLDER.match(text, opening.start())
        if match is None:
            raise BadPlaceholder(_describe(text[opening.start() :]), field=field)
        if match[1] not in NAMES:
            raise BadPlaceholder(
                f"Unknown placeholder {{{{{match[1][:_SHOWN_LENGTH]}}}}}. Use one from the list of placeholders.",
                field=field,
            )


def _describe(rest: str) -> str:
    closing = rest.find("}}")
    if closing < 0:
        return f'The placeholder "{rest[:_SHOWN_LENGTH]}" is not closed. Add "}}}}" after its name.'
    return f'"{rest[: min(closing + 2, _SHOWN_LENGTH)]}" is not a placeholder. Put only a name between the braces.'


def render(text: str, values: Mapping[str, str], *, escape: bool = False) -> str:
    """Replace the placeholders by their values in one pass; ``escape`` the values in HTML.

    A placeholder without a value is replaced by nothing; ``check`` has refused unknown names before.
    """

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        return html.escape(found) if escape else found

    return _PLACEHOLDER.sub(value, text)


def used(*texts: str | None) -> frozenset[str]:
    """Return the names of the placeholders in the texts."""
    return frozenset(match[1] for text in texts if text for match in _PLACEHOLDER.finditer(text))
