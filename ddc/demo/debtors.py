"""Let the demo's debtors act on a day: pay, ask for more time, dispute, look at the portal."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice

from collection import deferrals, disputes
from collection.holds import holds
from collection.holds.reasons import POLICIES
from collection.models import Debt, DebtStatus, DeferralRequest, Dispute, Hold
from ddc.common import money
from ddc.common.errors import DomainError
from ddc.demo.context import Month
from ddc.demo.portfolio import part
from ddc.demo.sample import SAMPLE
from debtors.models import Debtor
from payments import posting
from payments.models import PaymentStatus
from portal import activities

#: Requests on one of the last days, which nobody has decided, and on one of the days before.
_ASKED_LATELY, _ASKED_BEFORE = 11, 3
LATELY = 3


def pay(month: "Month", day: date, at: datetime) -> None:
    """Record the day's payments: those of the portfolio, and those that were promised with a granted request."""
    for planned in month.portfolio.planned[day]:
        debt = Debt.objects.get(pk=planned.debt.pk)
        if debt.is_open:
            by = month.rng.choice((month.agent, month.supervisor, None))
            fields = {"payment_method": planned.method, "processor_txn_id": planned.transaction}
            refunded = planned.status == PaymentStatus.REFUNDED
            status = PaymentStatus.COMPLETED if refunded else planned.status
            amount = part(debt, planned.share)
            paid = posting.record(debt=debt, amount=amount, by=by, today=day, now=at, status=status, **fields)  # type: ignore[arg-type]
            if refunded:
                posting.amend(paid, by=month.supervisor, today=day, now=at, status="refunded")
    due = DeferralRequest.objects.filter(granted_until=day, status=DeferralRequest.Status.APPROVED)
    for request in due.select_related("debt").order_by("debt__external_reference"):
        if request.debt.is_open and month.rng.random() < 0.6:
            share = 1 if month.rng.random() < 0.7 else 0.5
            posting.record(
                debt=request.debt, amount=part(request.debt, share), by=None, today=day, now=at, payment_method="card"
            )


def ask(month: "Month", at: datetime) -> None:
    """Let debtors look at the portal, ask for more time and dispute; and open the holds that the day brings."""
    rng = month.rng
    wanted = _ASKED_LATELY if 0 < month.days_left(at) <= LATELY else _ASKED_BEFORE
    visiting, asking, disputing = 8, wanted, rng.choice((0, 1, 2))
    debts = iter(_some_open_debts(rng, visiting + asking + disputing, at))
    for debt in islice(debts, visiting):
        _visit(debt, rng, at)
    for debt in islice(debts, asking):
        request_deferral(debt, rng, at + timedelta(minutes=rng.randint(0, 50)))
    for debt in islice(debts, disputing):
        _try(partial(_dispute, month, debt, at))
    for row in SAMPLE["holds"]:
        if rng.random() < row["count"] / 30:
            _hold(month, row, at)


def request_deferral(debt: Debt, rng: random.Random, at: datetime) -> None:
    """Ask for more time in the portal, as far as the debt still allows it."""
    days = rng.choice((7, 10, 14, 14, 21, 30, 30, 45, 60, 90))
    reason = rng.choice(SAMPLE["deferral_reasons"])

    def ask_in_portal() -> None:
        deferrals.request(debt, debtor=debt.debtor, days=days, reason=reason, now=at)
        activities.record(debt.debtor, activity_type="deferral_started", path="/deferral", debt=debt, now=at)

    _try(ask_in_portal)


def _some_open_debts(rng: random.Random, number: int, at: datetime) -> list[Debt]:
    """Return some debts without a request or a dispute, in any order."""
    active = Debt.objects.filter(current_status=DebtStatus.ACTIVE, placement_date__lt=at.date() - timedelta(days=3))
    ids = list(active.order_by("external_reference").values_list("pk", flat=True))
    chosen = rng.sample(ids, min(number, len(ids)))
    by_id = Debt.objects.select_related("debtor", "creditor").in_bulk(chosen)
    return [by_id[pk] for pk in chosen]


def _visit(debt: Debt, rng: random.Random, at: datetime) -> None:
    for kind, path in SAMPLE["activities"].items():
        at += timedelta(seconds=rng.randint(5, 90))
        activities.record(debt.debtor, activity_type=kind, path=path, debt=debt, now=at)
        if rng.random() < 0.3:
            break


def _dispute(month: "Month", debt: Debt, at: datetime) -> None:
    rng = month.rng
    reason, evidence = rng.choice(SAMPLE["disputes"])
    in_portal = rng.random() < 0.5
    third = money.rounded(debt.current_balance / 3, debt.currency_code)
    disputes.receive(
        debt,
        channel=Dispute.Channel.PORTAL if in_portal else rng.choice(("phone", "letter", "email")),
        reason=reason,
        evidence=evidence or None,
        portion=third if third and rng.random() < 0.4 else None,
        by=None if in_portal else month.agent,
        now=at,
    )


def _hold(month: "Month", row: dict[str, str], at: datetime) -> None:
    rng, reason = month.rng, Hold.Reason(row["reason"])
    nations = POLICIES[reason].nations
    possible = [one for one in month.people if row.get("country") in (None, one.country_code)]
    if nations:
        possible = [one for one in possible if holds.lives_in(one, nations)]
    if not possible:  # A small sample may have nobody there.
        return
    debtor: Debtor = rng.choice(possible)
    by = rng.choice((month.agent, month.supervisor))
    holds.open_hold(reason=reason, debtor=debtor, source=rng.choice(SAMPLE["hold_sources"]), by=by, now=at)


def _try(action: Callable[[], object]) -> None:
    """Do what the rules allow; a refusal is what a debtor would see too."""
    try:
        action()
    except DomainError:
        return
