"""Load the sample data into an empty site, once and in one transaction."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F

from agents import staff
from agents.models import Agent
from collection import deferrals
from collection.models import Debt, DebtStatus, ExchangeRate, Segment
from collection.segments import assignment, records
from communications.models import CommunicationLog, CommunicationTemplate, MessageAttempt
from communications.texts import templates
from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.demo import contacts, holds, people, portfolio
from ddc.demo.texts import DEFERRAL_REASONS, REVIEW_NOTES, RULES, SEGMENTS, TEMPLATES
from debtors.models import Debtor
from portal.models import DigitalActivity
from strategy import rules

STEPS = 10
USERS = {"agent": "Agent", "supervisor": "Supervisor", "auditor": "Auditor"}
_NAMES = {"agent": ("Alex", "Agent"), "supervisor": ("Sam", "Supervisor"), "auditor": ("Ada", "Auditor")}

#: Units per euro, close to real rates.
_RATES = {
    "USD": "1.0850",
    "GBP": "0.8450",
    "INR": "97.50",
    "BRL": "6.1000",
    "CAD": "1.5200",
    "AUD": "1.6600",
    "JPY": "171.20",
    # For the currencies of the sample placements file:
    "CHF": "0.9350",
    "PLN": "4.2500",
    "SEK": "11.0500",
    "KWD": "0.3560",
}
_SEED = 2026
_REQUESTS = {"pending": 45, "approved": 20, "rejected": 12}

Progress = Callable[[str], None]


class DemoIsOff(DomainError):
    """Sample data is refused on a site with real debtors."""

    message = "DEMO is not set. Sample data is loaded only with DEMO=1."


class PasswordMissing(DomainError):
    """The three users have no default password."""

    message = "DEMO_PASSWORD is not set. Set the password for agent, supervisor and auditor."


@transaction.atomic
def load(*, now: datetime, progress: Progress = lambda step: None) -> bool:
    """Load the sample data unless there are debtors already; return whether it was loaded.

    Each call sets the password of the three users to DEMO_PASSWORD and adds today's exchange rates.

    :raises DemoIsOff: unless DEMO is on
    :raises PasswordMissing: if DEMO_PASSWORD is empty
    :raises WeakPassword: if it is too weak for a new user
    """
    if not settings.DEMO:
        raise DemoIsOff
    if not settings.DEMO_PASSWORD:
        raise PasswordMissing
    advisory_locks.lock(AdvisoryLock.DEMO_DATA)
    users = [_user(name, settings.DEMO_PASSWORD, now=now) for name in USERS]
    _rates(now.date())
    if Debtor.objects.exists():
        return False
    _fill(users, now=now, progress=progress)
    return True


def _fill(users: list[Agent], *, now: datetime, progress: Progress) -> None:
    rng, today = random.Random(_SEED), now.date()  # noqa: S311 - the same data each time, and no secret
    progress("users and exchange rates")
    variants = [templates.create(**values) for values in TEMPLATES]
    _strategy({variant.name: variant for variant in variants if variant.language == "en"})
    progress("templates, segments and rules")
    people_and_countries = list(people.debtors(rng, today=today, now=now))
    debtors = Debtor.objects.bulk_create([debtor for debtor, _ in people_and_countries], batch_size=500)
    progress("debtors")
    accounts = portfolio.make(rng, people_and_countries, agents=users[:2], now=now)
    progress("debts and payments, generated")
    accounts.write()
    progress("debts and payments, written")
    assignment.assign_all(today=today)
    progress("segments")
    contacts.suppress_addresses(rng, debtors, now=now)
    logs = contacts.messages(rng, accounts.debts, variants, now=now)
    progress("messages, generated")
    attempts = contacts.attempts(logs)
    CommunicationLog.objects.bulk_create(logs, batch_size=500)
    MessageAttempt.objects.bulk_create(attempts, batch_size=500)
    CommunicationLog.objects.update(updated_at=F("created_at"))  # No later change.
    DigitalActivity.objects.bulk_create(contacts.activities(rng, accounts.debts, logs, now=now), batch_size=500)
    progress("messages and activities, written")
    _deferrals(rng, [debt for debt in accounts.debts if debt.current_status == DebtStatus.ACTIVE], users[0], now=now)
    progress("deferral requests")
    agent, supervisor = users[0], users[1]
    holds.open_disputes(rng, accounts.debts, agent=agent, supervisor=supervisor, now=now)
    holds.open_holds(rng, debtors, agent=agent, supervisor=supervisor, now=now)
    progress("disputes and holds")


def _user(name: str, password: str, *, now: datetime) -> Agent:
    user = Agent.objects.filter(username=name).first()
    if user is None:
        user, _ = staff.create(username=name, password=password, role=USERS[name], now=now)
        user.first_name, user.last_name = _NAMES[name]
        user.save(update_fields=["first_name", "last_name"])
    elif not user.check_password(password):  # Setting the same password would end the user's sessions.
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def _rates(today: date) -> None:
    ExchangeRate.objects.bulk_create(
        [
            ExchangeRate(date=day, currency_code=code, per_euro=Decimal(rate))
            for day in (today, today - timedelta(days=1))
            for code, rate in _RATES.items()
        ],
        ignore_conflicts=True,
    )


def _strategy(by_name: dict[str, CommunicationTemplate]) -> None:
    by_segment: dict[str, Segment] = {}
    for values in SEGMENTS:
        bands = {name: Decimal(value) for name, value in values.items() if name.startswith(("min_", "max_"))}
        by_segment[values["name"]] = records.create(**values | bands)
    for priority, (name, segment, template, days) in enumerate(RULES, start=1):
        rules.create(
            name=name,
            segment=by_segment[segment],
            template=by_name[template],
            trigger={"type": "TimeTrigger", "days_since_placement": days},
            priority=priority * 10,
        )


def _deferrals(rng: random.Random, debts: list[Debt], by: Agent, *, now: datetime) -> None:
    """Request deferrals and decide some of them through the domain functions."""
    wanted = [status for status, count in _REQUESTS.items() for _ in range(count)]
    for debt, status in zip(rng.sample(debts, len(wanted)), wanted, strict=True):
        at = now - timedelta(minutes=rng.randint(30, 5_000 if status == "pending" else 20_000))
        days = rng.choice((7, 14, 14, 30, 30, 45, 60, 90))
        asked = deferrals.request(debt, debtor=debt.debtor, days=days, reason=rng.choice(DEFERRAL_REASONS), now=at)
        notes, decided = rng.choice(REVIEW_NOTES.get(status, (None,))), at + timedelta(minutes=rng.randint(5, 25))
        if status == "approved":
            deferrals.approve(asked, by=by, notes=notes, now=decided)
        elif status == "rejected":
            deferrals.reject(asked, by=by, notes=notes, now=decided)
