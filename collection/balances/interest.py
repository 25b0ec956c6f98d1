"""The interest of debts: its terms, and what follows when terms, holds or rates change."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from agents.models import Agent, require_permission
from collection.balances import accounts, ledger
from collection.models import OPEN, Debt, Hold, InterestSchedule, LedgerEntry, SeriesRate
from collection.tariffs import schedules
from ddc.common import days
from ddc.common.errors import DomainError, Invalid, Missing, OutOfRange

BATCH = 500
log = structlog.get_logger(__name__)


class NoSuchSchedule(Invalid):
    code = "database.exists"
    field = "schedule"
    message = "There is no interest schedule with this code."


class FirstDayMissing(Missing):
    field = "since"
    message = "Enter the first day with interest."


class StartsInFuture(OutOfRange):
    field = "since"
    message = "The first day with interest cannot be after tomorrow."


class ClosedDebt(DomainError):
    message = "This debt is closed. Reopen it before you change its interest."


@transaction.atomic
def set_terms(
    debt: Debt,
    *,
    schedule: str | None,
    since: date | None = None,
    by: Agent | None,
    today: date,
    posted_at: datetime | None = None,
) -> Debt:
    """Let a debt bear interest by the newest version of a schedule from a day on, or by none; the ledger gets the differences.

    :param schedule: the schedule's code; None: no interest any more, and what was posted is taken back
    :raises Forbidden: if ``by`` may not adjust debts
    :raises NoSuchSchedule: if there is no schedule with the code
    :raises FirstDayMissing: if a schedule has no first day
    :raises ClosedDebt: if the debt is not open
    """
    require_permission(by, "collections.adjust_debt")
    found = None
    if schedule:
        found = InterestSchedule.objects.filter(code=schedule.strip().upper()).order_by("-version").first()
        if found is None:
            raise NoSuchSchedule
        if since is None:
            raise FirstDayMissing
        days.plausible("due_date", today=today).check(since, field="since")
        if since > days.later(today, days=1):
            raise StartsInFuture
    debt = ledger.lock_debt(debt.pk)
    if not debt.is_open:
        raise ClosedDebt
    debt.interest_schedule, debt.interest_from = found, since if found else None
    ledger.save(debt, "interest_schedule", "interest_from")
    accounts.book(debt, by=by, posted_at=posted_at)
    return debt


def shown(debt: Debt) -> dict[str, object]:
    """Return the interest of a debt for people: schedule, version, first day, and the first day without a known rate."""
    terms = schedules.terms_of(debt)
    schedule = debt.interest_schedule if terms else None
    return {
        "schedule": schedule and schedule.code,
        "version": schedule and schedule.version,
        "since": terms and terms.since,
        "no_rate_from": terms and terms.known_until,
    }


def replay(debt_ids: Iterable[uuid.UUID], *, by: Agent | None = None) -> None:
    """Post the differences on debts with interest, after something changed that their accounts depend on.

    A debt that would be overpaid stays as it is: its payments are for a person to decide.
    """
    for debt_id in sorted(debt_ids):
        with transaction.atomic():
            debt = ledger.lock_existing({debt_id}).get(debt_id)
            if debt and debt.is_open and debt.interest_schedule_id:
                _replay(debt, by)


def _replay(debt: Debt, by: Agent | None) -> None:
    try:
        with transaction.atomic():
            accounts.book(debt, by=by)
    except ledger.ExceedsBalance:
        # More was paid than is owed now. The account stays as it was posted, for a person to correct.
        log.warning("interest_not_replayed", debt=str(debt.pk))


def apply_changes(*, now: datetime) -> int:
    """Compute debts again after rates and holds that are new or changed, and return how many.

    A change counts as applied when all its debts are done, so a run that stops is repeated.
    """
    debts = 0
    for rate in SeriesRate.objects.filter(applied_at__isnull=True).order_by("valid_from"):
        debts += _replay_after(rate.valid_from, Q(interest_schedule__series=rate.series))
        SeriesRate.objects.filter(pk=rate.pk, rate=rate.rate).update(applied_at=now)
    changed = Q(interest_applied_at__isnull=True) | Q(interest_applied_at__lt=F("updated_at"))
    for hold in Hold.objects.filter(changed, blocks_interest=True):
        debts += _replay_after(hold.starts_on, Q(pk=hold.debt_id) if hold.debt_id else Q(debtor=hold.debtor_id))
        Hold.objects.filter(pk=hold.pk).update(interest_applied_at=hold.updated_at)
    return debts


def _replay_after(day: date, which: Q) -> int:
    """Compute the open debts with interest again that have entries after a day."""
    later = LedgerEntry.objects.filter(debt=OuterRef("pk"), value_date__gt=day)
    stale = Debt.objects.filter(Exists(later), which, interest_schedule__isnull=False, current_status__in=OPEN)
    last, count = uuid.UUID(int=0), 0
    while found := list(stale.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        replay(found)
        last, count = found[-1], count + len(found)
    return count
