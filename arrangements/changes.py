"""Change an active arrangement: delay an instalment, or change its amount; the last instalment takes the difference."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from agents.models import Agent, require_permission
from arrangements import assessment, calendar, decisions, effects, policies
from arrangements.assessment import Step
from arrangements.models import Arrangement, ArrangementEvent, Instalment
from arrangements.schedules import Due
from ddc.common import money
from ddc.common.errors import DomainError, Invalid, OutOfRange
from debtors import calendars


class NoSuchInstalment(Invalid):
    code = "database.exists"
    field = "instalment_no"
    message = "This arrangement has no such instalment."


class InstalmentIsPaid(DomainError):
    field = "instalment_no"
    message = "This instalment is paid. Choose one that is not."


class DelayOutOfRange(OutOfRange):
    field = "due_on"
    message = "The new day is after the agreed one, not in the past, and not after the next instalment."


class DelayTooLong(OutOfRange):
    field = "due_on"

    def __init__(self, days: int) -> None:
        super().__init__(
            f"An instalment may be delayed once, by at most {days} days. A supervisor may allow more."
            if days
            else "Instalments may not be delayed. A supervisor may allow it."
        )


class AmountOutOfRange(OutOfRange):
    field = "amount"
    message = "The amount is at least what is paid of this instalment, and leaves something for the last one."


@transaction.atomic
def delay(
    arrangement: Arrangement,
    no: int,
    *,
    to: date,
    by: Agent | None,
    reason: str = "",
    now: datetime,
    dry_run: bool = False,
) -> list[Due]:
    """Delay an instalment that is not paid, and return the schedule after that.

    :param by: the agent; None: the debtor, whom the policy allows so many days once per instalment
    :param dry_run: only compute the schedule
    :raises WrongStatus: if the arrangement is not active
    :raises DelayTooLong: if the policy does not allow it, and ``by`` may not either
    :raises NoSuchInstalment, InstalmentIsPaid, DelayOutOfRange: if it does not fit the schedule
    """
    steps = _steps(arrangement, by=by, now=now)
    step = _step(steps, no)
    following = [other.agreed_on for other in steps if other.no == no + 1]
    if not (step.agreed_on < to and calendars.today(arrangement.debtor, at=now) <= to <= min(following, default=to)):
        raise DelayOutOfRange
    instalment = Instalment.objects.get(pk=step.id)
    allowed = policies.rules(arrangement.creditor, arrangement.currency_code).terms.delay_days
    if (instalment.delays or (to - step.agreed_on).days > allowed) and not _may_exceed(by):
        raise DelayTooLong(allowed)
    due_on = calendar.shifted(to, rule=arrangement.business_days, debtor=arrangement.debtor)
    if not dry_run:
        Instalment.objects.filter(pk=step.id).update(
            agreed_on=to, due_on=due_on, delays=instalment.delays + 1, reminded_on=None
        )
        _record(
            arrangement, step, by=by, now=now, reason=reason, due_on=to.isoformat(), before=step.agreed_on.isoformat()
        )
    return [_due(other, agreed_on=to, due_on=due_on) if other.no == no else _due(other) for other in steps]


@transaction.atomic
def change_amount(
    arrangement: Arrangement,
    no: int,
    *,
    amount: Decimal,
    by: Agent,
    reason: str = "",
    now: datetime,
    dry_run: bool = False,
) -> list[Due]:
    """Change the amount of an instalment other than the last, which takes the difference; arguments and errors as for ``delay``.

    :raises AmountOutOfRange: if the amount is below what is paid of it, or leaves nothing for the last instalment
    """
    steps = _steps(arrangement, by=by, now=now)
    step, last = _step(steps, no), steps[-1]
    amount = money.check(amount, arrangement.currency_code, field="amount")
    rest = last.amount + step.amount - amount
    if step.no == last.no or amount < max(step.paid, money.quantum(arrangement.currency_code)) or rest <= 0:
        raise AmountOutOfRange
    changed = {step.no: amount, last.no: rest}
    if not dry_run:
        for other in (step, last):
            Instalment.objects.filter(pk=other.id).update(amount=changed[other.no])
        amounts = {"amount": str(amount), "before": str(step.amount), "last": str(rest)}
        _record(arrangement, step, by=by, now=now, reason=reason, **amounts)
    return [_due(other, amount=changed.get(other.no, other.amount)) for other in steps]


def _steps(arrangement: Arrangement, *, by: Agent | None, now: datetime) -> list[Step]:
    if by:
        require_permission(by, "arrangements.change_arrangement")
    decisions.lock_debts(arrangement)
    arrangement.refresh_from_db(fields=["status"])
    if arrangement.status != Arrangement.Status.ACTIVE:
        raise decisions.WrongStatus(arrangement)
    day = calendars.today(arrangement.debtor, at=now)
    return assessment.steps([arrangement.pk], day=day)[arrangement.pk]


def _step(steps: list[Step], no: int) -> Step:
    step = next((step for step in steps if step.no == no), None)
    if step is None:
        raise NoSuchInstalment
    if step.open <= 0:
        raise InstalmentIsPaid
    return step


def _may_exceed(by: Agent | None) -> bool:
    return by is not None and by.has_perm("arrangements.approve_arrangement")


def _due(step: Step, **changes: object) -> Due:
    values = {"no": step.no, "agreed_on": step.agreed_on, "due_on": step.due_on, "amount": step.amount}
    return Due(**values | changes)  # type: ignore[arg-type]


def _record(arrangement: Arrangement, step: Step, *, by: Agent | None, now: datetime, **details: str) -> None:
    effects.record(arrangement, ArrangementEvent.Kind.CHANGED, by=by, now=now, instalment=step.no, **details)
