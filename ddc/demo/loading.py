"""Load the sample data into an empty site, once and in one transaction."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction

from agency import profile
from agents import staff
from agents.models import Agent, RoleLimit
from casework import figures
from collection.models import ExchangeRate, Segment
from collection.segments import records
from communications.models import CommunicationTemplate
from communications.texts import templates
from ddc.common.days import agency_today
from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.demo import arrangements, month, people, portfolio
from ddc.demo.context import Month
from ddc.demo.sample import SAMPLE
from debtors.models import Debtor
from strategy import rules

USERS = {"agent": "Agent", "supervisor": "Supervisor", "auditor": "Auditor"}
_NAMES = {"agent": ("Alex", "Agent"), "supervisor": ("Sam", "Supervisor"), "auditor": ("Ada", "Auditor")}

STEPS = ("debtors", "debts and payments", "thirty days")
_SEED = 2026


@dataclass(frozen=True)
class Size:
    """How much sample data is loaded: a share of the people, and a number of days of strategy. Tests load less."""

    people: float = 1
    days: int = 30


WHOLE = Size()


def steps(size: Size) -> int:
    """Return how often ``load`` calls ``progress``."""
    return len(STEPS) + size.days


@transaction.atomic
def load(*, now: datetime, size: Size = WHOLE, progress: Callable[[str], object] = lambda step: None) -> bool:
    """Load the sample data unless there are debtors already; return whether it was loaded.

    Each call sets the password of the three users to DEMO_PASSWORD and adds today's exchange rates. ``progress`` is called at
    the beginning of each of ``STEPS``, and of each of the days.

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
    _fill(users, size, now=now, progress=progress)
    figures.refresh(now=now)
    return True


def _fill(users: list[Agent], size: Size, *, now: datetime, progress: Callable[[str], object]) -> None:
    rng, today = random.Random(_SEED), agency_today(now)  # noqa: S311 - the same data each time, and no secret
    variants = [templates.create(**values) for values in SAMPLE["templates"]]
    _strategy({variant.name: variant for variant in variants if variant.language == "en"})
    _settings()
    progress("debtors")
    people_and_countries = list(people.debtors(rng, share=size.people, today=today, now=now))
    debtors = Debtor.objects.bulk_create([debtor for debtor, _ in people_and_countries], batch_size=500)
    people.consent(rng, debtors, now=now)
    progress("debts and payments")
    agent, supervisor, _ = users
    arrangements.publish(by=supervisor, now=now - timedelta(days=size.days))
    accounts = portfolio.make(
        rng, people_and_countries, agents=(agent, supervisor), start=today - timedelta(days=size.days), today=today
    )
    accounts.earlier.write()
    _analyze()
    life = Month(accounts, debtors, agent, supervisor, now, seed=_SEED)
    month.live(life, progress=lambda: progress("thirty days"))


def _settings() -> None:
    """Set what each agency sets for itself: its name and address, and what an Agent may grant without a Supervisor."""
    profile.change(SAMPLE["agency"])
    RoleLimit.objects.bulk_create(
        [
            RoleLimit(role=role, kind=kind, value=value)
            for role, kinds in SAMPLE["limits"].items()
            for kind, value in kinds.items()
        ]
    )


def _analyze() -> None:
    """Let PostgreSQL count the new rows: autovacuum does not see them before they are committed."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE debtor, debt, payment, ledger_entry, contact_point, consent, communication_log")


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
            for day in (today - timedelta(days=ago) for ago in range(WHOLE.days + 2))
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
