"""The tables of docs/contact-rules.md that are made from the packs and the limitation periods."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from contact import explain, policy_packs
from contact.limitation import PERIODS, Period
from contact.models import ContactPolicy

PAGE = Path(__file__).parents[1] / "docs/contact-rules.md"
_BEGINS, _ENDS = "<!-- Made by manage.py contact_rules. -->\n", "<!-- End of what manage.py contact_rules makes. -->\n"


class MarksMissing(Exception):
    """The page has no place for the tables."""


def updated(page: str) -> str:
    """Return the page with current tables.

    :raises MarksMissing: if it lacks the two marks between which they belong
    """
    before, begins, rest = page.partition(_BEGINS)
    _, ends, after = rest.partition(_ENDS)
    if not (begins and ends):
        raise MarksMissing(f"{_BEGINS.strip()} … {_ENDS.strip()}")
    return before + begins + "\n" + _tables() + "\n" + ends + after


def _tables() -> str:
    policies = sorted(
        (
            ContactPolicy(jurisdiction=jurisdiction, code=code, **fields)
            for jurisdiction, code, fields in policy_packs.read()
        ),
        key=lambda policy: policy.jurisdiction,
    )
    rules = _table(
        ("rule", "where", "about", "demands", "in force", "section", "confidence"), [_rule(p) for p in policies]
    )
    periods = _table(
        ("where", "debts", "period", "payment restarts", "stops contact", "section", "confidence"),
        [_limitation(period) for period in PERIODS],
    )
    return f"{rules}\n### Limitation periods\n\n{periods}"


def _rule(policy: ContactPolicy) -> Sequence[str]:
    value = policy.value
    return (
        f"`{value.name}`",
        _where(policy.countries, policy.regions, policy.cities or policy.postal_prefixes),
        "; ".join(filter(None, (explain.channels(value), explain.limits(value)))),
        "; ".join(explain.demands(value)),
        f"{policy.valid_from}" + (f" to {policy.valid_to}" if policy.valid_to else ""),
        policy.section,
        f"{policy.confidence}, {policy.checked_on}",
    )


def _limitation(period: Period) -> Sequence[str]:
    return (
        _where(sorted(period.countries), sorted(period.regions), ()),
        ", ".join(sorted(period.debt_kinds)) or "all",
        f"{period.years} years" + (", to the year's end" if period.year_end else ""),
        "yes" if period.restarted_by_payment else "no",
        "yes" if period.bars_collection else "no",
        period.section,
        f"{period.confidence}, {period.checked_on}",
    )


def _where(countries: Sequence[str], regions: Sequence[str], parts: Sequence[str]) -> str:
    names = ", ".join(countries) or "every other country"
    if regions:
        names += f": {max(regions, key=len)}"
    return names + (", part of it" if parts else "")


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(_lines(headers, rows))


def _lines(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headers)} |\n"
    yield f"| {' | '.join('---' for _ in headers)} |\n"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n"
