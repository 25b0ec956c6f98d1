"""What the placeholders stand for, for many messages in a fixed number of queries."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.conf import settings

from collection import totals
from collection.models import Debt, LedgerEntry
from communications import one_time_code, wording
from communications.placeholders import NAMES
from debtors.models import Debtor

#: Whom a message is for, and which debt it is about; one that is for no debtor has the agency's values alone.
Pair = tuple[Debtor | None, Debt | None]
_PAYMENTS = frozenset({"last_payment_amount", "last_payment_date"})


@dataclass
class _Payments:
    """The latest payment that still counts, by debt and by debtor."""

    of_debt: dict[uuid.UUID, LedgerEntry] = field(default_factory=dict)
    of_debtor: dict[uuid.UUID, LedgerEntry] = field(default_factory=dict)

    def latest(self, debtor: Debtor, debt: Debt | None) -> LedgerEntry | None:
        return self.of_debt.get(debt.pk) if debt else self.of_debtor.get(debtor.pk)


def gather(pairs: Sequence[Pair], *, today: date, names: Iterable[str] = NAMES) -> list[Mapping[str, str]]:
    """Return each pair's values by placeholder, as text in the debtor's language; what isn't known is empty.

    :param names: the placeholders that are wanted; sums and payments are looked up only where these ask for them
    """
    wanted = frozenset(names)
    debtors = {debtor.pk for debtor, _ in pairs if debtor}
    sums = totals.outstanding(debtors, today=today) if "total_outstanding" in wanted else {}
    payments = _latest_payments(debtors) if wanted & _PAYMENTS else _Payments()
    agency = _of_agency()
    return [
        agency
        | _of_debtor(debtor)
        | _of_debt(debt, language=debtor.language_preference, today=today)
        | _of_payment(payments.latest(debtor, debt), language=debtor.language_preference)
        | {
            "total_outstanding": _sum(sums.get(debtor.pk), debtor.language_preference),
            "today": wording.day(today, language=debtor.language_preference),
            "otp_code": one_time_code.MASK,
            "unsubscribe_url": f"{settings.PUBLIC_URL}/unsubscribe/…",  # Each mail has its own.
        }
        if debtor
        else agency
        for debtor, debt in pairs
    ]


def _of_agency() -> dict[str, str]:
    return {
        "agency_name": settings.AGENCY_NAME,
        "agency_address": settings.AGENCY_ADDRESS,
        "agency_phone": settings.AGENCY_PHONE,
        "agency_email": settings.AGENCY_EMAIL,
        "portal_url": settings.PUBLIC_URL,
    }


def _of_debtor(debtor: Debtor) -> dict[str, str]:
    return {
        "debtor_first_name": debtor.first_name or "",
        "debtor_last_name": debtor.last_name or "",
        "debtor_full_name": debtor.name,
        "debtor_legal_entity": debtor.legal_entity or "",
        "debtor_email": debtor.email,
    }


def _of_debt(debt: Debt | None, *, language: str | None, today: date) -> dict[str, str]:
    if debt is None:
        return {}
    currency = debt.currency_code
    return {
        "debt_amount": wording.amount(debt.current_balance, currency, language=language),
        "debt_original_amount": wording.amount(debt.original_balance, currency, language=language),
        "debt_currency": currency,
        "debt_reference": debt.external_reference or "",
        "debt_due_date": wording.day(debt.due_date, language=language) if debt.due_date else "",
        "debt_placement_date": wording.day(debt.placement_date, language=language),
        "days_since_placement": str(max(0, (today - debt.placement_date).days)),
        "original_creditor": debt.original_creditor,
    }


def _of_payment(entry: LedgerEntry | None, *, language: str | None) -> dict[str, str]:
    if entry is None:
        return {}
    return {
        "last_payment_amount": wording.amount(-entry.amount, entry.currency_code, language=language),
        "last_payment_date": wording.day(entry.value_date, language=language),
    }


def _sum(outstanding: "totals.Outstanding | None", language: str | None) -> str:
    """Write one sum; where a rate is missing, the sums of the currencies side by side."""
    if outstanding is None:
        return wording.amount(Decimal(0), settings.REPORTING_CURRENCY, language=language)
    if outstanding.amount is not None:
        return wording.amount(outstanding.amount, outstanding.currency_code, language=language)
    return " + ".join(
        wording.amount(part.amount, part.currency_code, language=language) for part in outstanding.by_currency
    )


def _latest_payments(debtors: set[uuid.UUID]) -> _Payments:
    """Find, per debt, the newest payment in the ledger that was not taken back."""
    entries = (
        LedgerEntry.objects.filter(
            debt__debtor__in=debtors, kind=LedgerEntry.Kind.PAYMENT, reversed_by__isnull=True, amount__lt=0
        )
        .select_related("debt")
        .order_by("debt_id", "-value_date", "-posted_at", "-id")
        .distinct("debt_id")
    )
    found = _Payments()
    for entry in sorted(entries, key=lambda entry: (entry.value_date, entry.posted_at)):
        found.of_debt[entry.debt_id] = entry
        found.of_debtor[entry.debt.debtor_id] = entry
    return found
