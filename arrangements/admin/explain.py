"""An arrangement policy in words."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from arrangements.models import ArrangementPolicy, Interest
from ddc.common.admin.pages import amount


def sentences(policy: ArrangementPolicy) -> list[str]:
    """Return one sentence for each field that the policy sets; no sentence: another rule applies, or none."""
    return [
        write(value, policy.currency_code)
        for name, write in _SENTENCES.items()
        if (value := getattr(policy, name)) is not None
    ]


def as_list(policy: ArrangementPolicy) -> SafeString:
    """Return the sentences as lines of a page."""
    return format_html_join("", "<p>{}</p>", ((text,) for text in sentences(policy) or ["It sets nothing."]))


def _days(value: int) -> str:
    return f"{value} day{'' if value == 1 else 's'}"


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f} %"


def _settlement(value: Decimal, _currency: str) -> str:
    return f"A settlement is at least {_percent(value)} of the balance." if value < 100 else "No settlements."


_SENTENCES: dict[str, Callable[[Any, str], str]] = {
    "min_instalment": lambda value, currency: f"An instalment is at least {amount(value, currency)}.",
    "max_months": lambda value, _: f"It ends within {value} months.",
    "max_days_to_first": lambda value, _: f"The first instalment is due within {_days(value)}.",
    "min_settlement_percent": _settlement,
    "offer_valid_days": lambda value, _: f"An offer is valid for {_days(value)}.",
    "grace_days": lambda value, _: f"An instalment is missed {_days(value)} after it was due.",
    "tolerance_amount": lambda value, currency: f"Up to {amount(value, currency)} may lack.",
    "tolerance_percent": lambda value, _: f"Up to {_percent(value)} of an instalment may lack.",
    "missed_to_break": lambda value, _: f"{value} missed instalment{'' if value == 1 else 's'} break it.",
    "self_reinstate_days": lambda value, _: f"A payment that came in time reinstates it within {_days(value)}.",
    "delay_days": lambda value, _: f"A debtor may delay an instalment once, by {_days(value)}.",
    "clearing_days": lambda value, _: f"A payment has cleared after {_days(value)}.",
    "budget_percent": lambda value, _: f"Of what a budget leaves, {_percent(value)} is offered.",
    "interest": lambda value, _: f"Interest {Interest(value).label} while it is active.",
}
