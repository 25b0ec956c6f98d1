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
from ddc.common.days import agency_today
from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.demo import contacts, holds, people, portfolio
from ddc.demo.sample import SAMPLE
from debtors.models import Debtor
from portal.models import DigitalActivity
from strategy import rules

USERS = {"agent": "Agent", "supervisor": "Supervisor", "auditor": "Auditor"}
_NAMES = {"agent": ("Alex", "Agent"), "supervisor": ("Sam", "Supervisor"), "auditor": ("Ada", "Auditor")}

STEPS = ("debtors", "debts and payments", "messages", "deferrals, disputes and holds")
_SEED = 2026
_REQUESTS = {"pending": 45, "approved": 20, "rejected": 12}


@transaction.atomic
def load(*, now: datetime, progress: Callable[[str], object] = lambda step: None) -> bool:
    """Load the sample data unless there are debtors already; return whether it was loaded.

    Each call sets the password of the three users to DEMO_PASSWORD and adds today's exchange rates. ``progress`` is called at
    the beginning of each of ``STEPS``.

    :raises DomainError: unless DEMO is on and DEMO_PASSWORD is set
    :raises WeakPassword: if it is too weak for a new user
    """
    if not settings.DEMO:
        raise DomainError("DEMO is not set. Sample data is loaded only with DEMO=1.")
    if not settings.DEMO_PASSWORD:
        raise DomainError("DEMO_PASSWORD is not set. Set the password for agent, supervisor and auditor.")
    advisory_locks.lock(AdvisoryLock.DEMO_DATA)
    users = [_user(name, settings.DEMO_PASSWORD, now=now) for name in USERS]
    _rates(agency_today(now))
    if Debtor.objects.exists():
        return False
    _fill(users, now=now, progress=progress)
    return True


def _fill(users: list[Agent], *, now: datetime, progress: Callable[[str], object]) -> None:
    rng, today = random.Random(_SEED), agency_today(now)  # noqa: S311 - the same data each time, and no secret
    variants = [templates.create(**values) for values in SAMPLE["templates"]]
    _strategy({variant.name: variant for variant in variants if variant.language == "en"})
    progress("debtors")
    people_and_countries = list(people.debtors(rng, today=today, now=now))
    debtors = Debtor.objects.bulk_create([debtor for debtor, _ in people_and_countries], batch_size=500)
    progress("debts and payments")
    accounts = portfolio.make(rng, people_and_countries, agents=users[:2], now=now)
    accounts.write()
    assignment.assign_all(today=today)
    progress("messages")
    contacts.suppress_addresses(rng, debtors, now=now)
    logs = contacts.messages(rng, accounts.debts, variants, now=now)
    attempts = contacts.attempts(logs)
    CommunicationLog.objects.bulk_create(logs, batch_size=500)
    MessageAttempt.objects.bulk_create(attempts, batch_size=500)
    CommunicationLog.objects.update(updated_at=F("created_at"))  # No later change.
    DigitalActivity.objects.bulk_create(contacts.activities(rng, accounts.debts, logs, now=now), batch_size=500)
    progress("deferrals, disputes and holds")
    _deferrals(rng, [debt for debt in accounts.debts if debt.current_status == DebtStatus.ACTIVE], users[0], now=now)
    agent, supervisor = users[0], users[1]
    holds.open_disputes(rng, accounts.debts, agent=agent, supervisor=supervisor, now=now)
    holds.open_holds(rng, debtors, agent=agent, supervisor=supervisor, now=now)


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
            for code, rate in SAMPLE["exchange_rates"].items()
        ],
        ignore_conflicts=True,
    )


def _strategy(by_name: dict[str, CommunicationTemplate]) -> None:
    by_segment: dict[str, Segment] = {}
    for values in SAMPLE["segments"]:
        bands = {name: Decimal(value) for name, value in values.items() if name.startswith(("min_", "max_"))}
        by_segment[values["name"]] = records.create(**values | bands)
    for priority, rule in enumerate(SAMPLE["rules"], start=1):
        rules.create(
            name=rule["name"],
            segment=by_segment[rule["segment"]],
            template=by_name[rule["template"]],
            trigger={"type": "TimeTrigger", "days_since_placement": rule["days"]},
            priority=priority * 10,
        )


def _deferrals(rng: random.Random, debts: list[Debt], by: Agent, *, now: datetime) -> None:
    """Request deferrals and decide some of them through the domain functions."""
    wanted = [status for status, count in _REQUESTS.items() for _ in range(count)]
    for debt, status in zip(rng.sample(debts, len(wanted)), wanted, strict=True):
        at = now - timedelta(minutes=rng.randint(30, 5_000 if status == "pending" else 20_000))
        days = rng.choice((7, 14, 14, 30, 30, 45, 60, 90))
        reason = rng.choice(SAMPLE["deferral_reasons"])
        asked = deferrals.request(debt, debtor=debt.debtor, days=days, reason=reason, now=at)
        notes = rng.choice(SAMPLE["review_notes"].get(status, [""])) or None
        decided = at + timedelta(minutes=rng.randint(5, 25))
        if status == "approved":
            deferrals.approve(asked, by=by, notes=notes, now=decided)
        elif status == "rejected":
            deferrals.reject(asked, by=by, notes=notes, now=decided)
