"""``{{debtor_first_name}}`` and the rest: an allow-list, not a template language.

Nothing but the names below is ever evaluated, and a value that was put in is not looked at again.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ddc.common.errors import DomainError

_OPENING = re.compile(r"\{\{")
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}", re.ASCII)
_SHOWN_OF_A_MISTAKE = 60


@dataclass(frozen=True)
class Placeholder:
    """A name that a template may use, what it stands for, and how that may look."""

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
        ("debt_amount", "What is owed on the debt now, without what of it is disputed.", "£1,250.00"),
        ("debt_original_amount", "What was owed when the debt was placed.", "£5,000.00"),
        ("debt_currency", "The debt's currency (ISO 4217).", "GBP"),
        ("debt_reference", "The creditor's own number for the debt.", "INV-2024-001"),
        ("debt_due_date", "When the debt is due.", "Jan 31, 2026"),
        ("debt_placement_date", "When the creditor placed the debt with us.", "Jan 1, 2026"),
        ("days_since_placement", "Whole days since then.", "30"),
        ("original_creditor", "Whom the money is owed to.", "ABC Credit Corp"),
        ("total_outstanding", "What is owed on all of the debtor's open debts, without what is disputed.", "£2,750.00"),
        ("last_payment_amount", "The latest payment on the debt; without a debt, on any of the debtor's.", "£100.00"),
        ("last_payment_date", "When that payment was made.", "Jan 15, 2026"),
        ("agency_name", "Our name.", "Example Collections"),
        ("agency_address", "Our postal address.", "1 Example Street, London"),
        ("agency_phone", "Our phone number.", "+44 20 7946 0000"),
        ("agency_email", "Our e-mail address.", "help@example.com"),
        ("portal_url", "Where debtors sign in.", "https://portal.example.com"),
        (
            "unsubscribe_url",
            "Where they end mail to their address without signing in; in mail alone. Where it isn't, a line with it is added.",
            "https://portal.example.com/unsubscribe/AZ8x",
        ),
        ("today", "The day of sending.", "Jan 31, 2026"),
        ("otp_code", "The one-time code; masked in any message but one that a sign-in caused.", "••••••"),
    )
)
NAMES = frozenset(entry.name for entry in CATALOGUE)
EXAMPLES: Mapping[str, str] = {entry.name: entry.example for entry in CATALOGUE}


class BadPlaceholder(DomainError):
    """A template's text has something in double braces that nobody can fill in."""

    status = 422
    code = "placeholder"


def check(text: str, *, field: str) -> None:
    """Look at a template's text before it is saved. A stray ``}}`` is plain text.

    :raises BadPlaceholder: naming the first placeholder that is unknown, is no name, or is never closed
    """
    for opening in _OPENING.finditer(text):
        match = _PLACEHOLDER.match(text, opening.start())
        if match is None:
            raise BadPlaceholder(_describe(text[opening.start() :]), field=field)
        if match[1] not in NAMES:
            raise BadPlaceholder(f"There is no placeholder {{{{{match[1][:_SHOWN_OF_A_MISTAKE]}}}}}.", field=field)


def _describe(rest: str) -> str:
    closing = rest.find("}}")
    if closing < 0:
        return f'"{rest[:_SHOWN_OF_A_MISTAKE]}" opens a placeholder that is never closed.'
    return f'"{rest[: min(closing + 2, _SHOWN_OF_A_MISTAKE)]}" is no placeholder: only a name may stand in the braces.'


def render(text: str, values: Mapping[str, str], *, escape: bool = False) -> str:
    """Put the values in, in one pass; ``escape`` them where the text is HTML.

    A placeholder that has no value here stands for nothing; ``check`` has refused unknown ones long before.
    """

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        return html.escape(found) if escape else found

    return _PLACEHOLDER.sub(value, text)


def used(*texts: str | None) -> frozenset[str]:
    """Return the names of the placeholders in the texts."""
    return frozenset(match[1] for text in texts if text for match in _PLACEHOLDER.finditer(text))
