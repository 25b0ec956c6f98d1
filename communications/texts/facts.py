"""The values of the placeholders, for many messages in a fixed number of queries."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings

from arrangements import overview
from arrangements.assessment import Step
from arrangements.overview import Overview
from collection.balances import totals
from collection.models import Debt, LedgerEntry
from communications.texts import formats, one_time_code, placeholders
from communications.texts.placeholders import NAMES
from contact import facts as contact_facts
from contact.limitation import Limitation
from ddc.common.days import agency_today
from debtors import calendars
from debtors.models import Debtor


@dataclass(frozen=True)
class Recipient:
    """The debtor and the debt of a message, and the language of its text. Without a debtor it gets only the agency's values."""

    debtor: Debtor | None
    debt: Debt | None
    language: str | None


_PAYMENTS = frozenset({"last_payment_amount", "last_payment_date"})
_PLANS = frozenset({"next_instalment_amount", "next_instalment_date", "plan_table"})


def gather(recipients: Sequence[Recipient], *, now: datetime, names: Iterable[str] = NAMES) -> list[Mapping[str, str]]:
    """Return each recipient's values by placeholder, as text in the language of the message; an unknown value is empty.

    Dates are the debtor's own: towards a debtor their day counts.

    :param names: the placeholders that are needed; sums and payments are queried only for these
    """
    wanted = frozenset(names)
    debtors = {recipient.debtor.pk for recipient in recipients if recipient.debtor}
    sums = (
        totals.outstanding(debtors, today=agency_today(now), undisputed=True) if "total_outstanding" in wanted else {}
    )
    debts = [recipient.debt for recipient in recipients if recipient.debt] if "limitation_end_date" in wanted else ()
    limitations = contact_facts.limitations(debts, now=now)
    payments = _latest_payments(debtors) if wanted & _PAYMENTS else {}
    with_plan = {recipient.debt.pk for recipient in recipients if recipient.debt} if wanted & _PLANS else set()
    plans = overview.of_debts(with_plan, day=agency_today(now)) if with_plan else {}
    writers = {name: write for name, write in _WRITERS.items() if name in wanted}
    agency = {name: value for name, value in _of_agency().items() if name in wanted}

    def of(debtor: Debtor, debt: Debt | None, language: str | None) -> dict[str, str]:
        payment = payments.get(debt.pk if debt else debtor.pk)
        language = formats.regional(language, preferred=debtor.language_preference)
        subject = _Subject(
            debtor,
            debt,
            payment,
            sums.get(debtor.pk),
            calendars.today(debtor, at=now),
            language,
            limitations.get(debt.pk) if debt else None,
            plans.get(debt.pk) if debt else None,
        )
        return {name: write(subject) for name, write in writers.items()}

    return [
        agency | of(recipient.debtor, recipient.debt, recipient.language) if recipient.debtor else agency
        for recipient in recipients
    ]


@dataclass(frozen=True)
class _Subject:
    """The debtor and the debt of a message with the facts about them, and the language of its text."""

    debtor: Debtor
    debt: Debt | None
    payment: LedgerEntry | None
    outstanding: "totals.Outstanding | None"
    today: date
    language: str | None
    limitation: Limitation | None = None
    plan: Overview | None = None

    def amount(self, value: Decimal, currency: str) -> str:
        return formats.amount(*totals.current(value, currency, today=self.today), language=self.language)

    def day(self, value: date | None) -> str:
        return formats.day(value, language=self.language) if value else ""


def _of_agency() -> dict[str, str]:
    return placeholders.of_agency() | {
        "portal_url": f"{settings.PUBLIC_URL}/portal",
        "otp_code": one_time_code.MASK,
        "unsubscribe_url": f"{settings.PUBLIC_URL}/unsubscribe/…",  # Each mail has its own.
    }


def _about_the_debt(write: Callable[[_Subject, Debt], str]) -> Callable[[_Subject], str]:
    return lambda subject: write(subject, subject.debt) if subject.debt else ""


def _about_the_payment(write: Callable[[_Subject, LedgerEntry], str]) -> Callable[[_Subject], str]:
    return lambda subject: write(subject, subject.payment) if subject.payment else ""


def _about_the_instalment(write: Callable[[_Subject, Step, str], str]) -> Callable[[_Subject], str]:
    def written(subject: _Subject) -> str:
        plan = subject.plan
        return write(subject, plan.next, plan.arrangement.currency_code) if plan and plan.next else ""

    return written


_WRITERS: Mapping[str, Callable[[_Subject], str]] = {
    "debtor_first_name": lambda s: s.debtor.first_name or "",
    "debtor_last_name": lambda s: s.debtor.last_name or "",
    "debtor_full_name": lambda s: s.debtor.name,
    "debtor_legal_entity": lambda s: s.debtor.legal_entity or "",
    "debtor_email": lambda s: s.debtor.email or "",
    "debt_amount": _about_the_debt(lambda s, debt: s.amount(debt.undisputed, debt.currency_code)),
    "debt_original_amount": _about_the_debt(lambda s, debt: s.amount(debt.original_balance, debt.currency_code)),
    "debt_currency": _about_the_debt(lambda s, debt: totals.current(Decimal(0), debt.currency_code, today=s.today)[1]),
    "debt_reference": _about_the_debt(lambda s, debt: debt.external_reference or ""),
    "debt_due_date": _about_the_debt(lambda s, debt: s.day(debt.due_date)),
    "limitation_end_date": lambda s: s.day(s.limitation.last_day if s.limitation else None),
    "debt_placement_date": _about_the_debt(lambda s, debt: s.day(debt.placement_date)),
    "days_since_placement": _about_the_debt(lambda s, debt: str(max(0, (s.today - debt.placement_date).days))),
    "original_creditor": _about_the_debt(lambda s, debt: debt.original_creditor),
    "last_payment_amount": _about_the_payment(lambda s, entry: s.amount(-entry.amount, entry.currency_code)),
    "last_payment_date": _about_the_payment(lambda s, entry: s.day(entry.value_date)),
    "total_outstanding": lambda s: _sum(s),
    "next_instalment_amount": _about_the_instalment(lambda s, step, currency: s.amount(step.open, currency)),
    "next_instalment_date": _about_the_instalment(lambda s, step, currency: s.day(step.due_on)),
    "plan_table": lambda s: _plan_table(s),
    "today": lambda s: s.day(s.today),
}


def _plan_table(subject: _Subject) -> str:
    if subject.plan is None:
        return ""
    currency = subject.plan.arrangement.currency_code
    return "\n".join(
        f"{subject.day(step.due_on)}: {subject.amount(step.amount, currency)}" for step in subject.plan.steps
    )


def _sum(subject: _Subject) -> str:
    """Format one sum, and beside it the sums in currencies without an exchange rate; no text names a currency that has ended."""
    total = subject.outstanding
    if total is None:
        return subject.amount(Decimal(0), settings.REPORTING_CURRENCY)
    if total.amount is None:
        return " + ".join(subject.amount(value, currency) for currency, value in _by_currency(total, subject.today))
    beside = [subject.amount(part.amount, part.currency_code) for part in total.unconverted]
    return " + ".join([subject.amount(total.amount, total.currency_code), *beside])


def _by_currency(total: "totals.Outstanding", today: date) -> list[tuple[str, Decimal]]:
    sums: dict[str, Decimal] = {}
    for part in total.by_currency:
        amount, currency = totals.current(part.amount, part.currency_code, today=today)
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return sorted(sums.items())


def _latest_payments(debtors: set[uuid.UUID]) -> dict[uuid.UUID, LedgerEntry]:
    """Return the newest payment that was not reversed, by the id of each debt and of each debtor."""
    entries = (
        LedgerEntry.objects.filter(
            debt__debtor__in=debtors, kind=LedgerEntry.Kind.PAYMENT, reversed_by__isnull=True, amount__lt=0
        )
        .select_related("debt")
        .order_by("debt_id", "-value_date", "-posted_at", "-id")
        .distinct("debt_id")
    )
    found = {}
    for entry in sorted(entries, key=lambda entry: (entry.value_date, entry.posted_at)):
        found[entry.debt_id] = found[entry.debt.debtor_id] = entry
    return found
