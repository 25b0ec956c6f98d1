"""Facts about a debtor who asks for more time: debts, payments, earlier requests, contacts and holds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from casework.admin.person.header import Label
from casework.admin.words import day, styled, sum_of
from collection.models import Debt, DebtStatus, DeferralRequest, Hold
from communications.models import CommunicationLog, MessageStatus
from ddc.common.days import agency_today
from debtors.models import Debtor
from payments.models import Payment, PaymentStatus

MOST_DEBTS, MOST_PAYMENTS, MOST_REQUESTS = 50, 1_000, 50
_SHOWN_REQUESTS = 5
#: So many messages are searched for the last one that was sent, and for the last reply.
_RECENT = 100
_MONTHS = 12
_SENT = (MessageStatus.SENT, MessageStatus.DELIVERED)

KEPT, LATE, PART, NOTHING, RUNNING = "Kept", "Late", "Part paid", "Nothing paid", "Running"
_TONES = {KEPT: ("check", "good"), LATE: ("schedule", "warn"), PART: ("contrast", "warn"), NOTHING: ("close", "bad"),
          RUNNING: ("hourglass_top", "info"), "Refused": ("close", "")}  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """The payments of a month in one currency; ``height`` is in percent of the highest."""

    month: date
    amount: Decimal
    text: str
    height: int


@dataclass(frozen=True)
class Chart:
    """Twelve months of payments in one currency."""

    currency: str
    total: str
    count: int
    bars: list[Bar]


@dataclass(frozen=True)
class Earlier:
    """An earlier request with its outcome."""

    request: DeferralRequest
    outcome: Label
    words: str


@dataclass
class Facts:
    """The facts at a moment, each part bounded, in a fixed number of queries."""

    debts: list[dict[str, Any]] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    last_payment: str = ""
    earlier: list[Earlier] = field(default_factory=list)
    record: str = ""
    contacts: list[tuple[str, str]] = field(default_factory=list)
    flags: list[Label] = field(default_factory=list)


def read(debtor: Debtor, debt: Debt, but: DeferralRequest, *, now: datetime) -> Facts:
    """Fetch the facts about a debtor, beside one request on one debt."""
    today = agency_today(now)
    debts = _debts(debtor)
    payments = payments_of([each.pk for each in debts])
    requests = list(
        DeferralRequest.objects.filter(debtor=debtor).exclude(pk=but.pk).select_related("debt")[:MOST_REQUESTS]
    )
    found = Facts(debts=[_debt_row(each, debt, today) for each in debts if each.is_open or each.pk == debt.pk])
    found.owed = _sums(debts)
    found.charts = _charts(payments, today)
    found.last_payment = _last(payments)
    decided = [each for each in requests if each.status != DeferralRequest.Status.PENDING]
    found.earlier = [_earlier(each, payments, today) for each in decided[:_SHOWN_REQUESTS]]
    found.record = record(decided, payments, today)
    found.contacts = _contacts(debtor)
    found.flags = _flags(debtor, debts, today)
    return found


def _debts(debtor: Debtor) -> list[Debt]:
    rows = Debt.objects.filter(debtor=debtor).select_related("creditor").order_by("due_date", "created_at", "id")
    return list(rows[:MOST_DEBTS])


def payments_of(debts: Iterable[Any]) -> list[Payment]:
    """Return the newest completed payments on some debts, newest first."""
    rows = Payment.objects.filter(debt__in=list(debts), status=PaymentStatus.COMPLETED)
    return list(rows.order_by("-payment_date", "-created_at")[:MOST_PAYMENTS])


def _debt_row(debt: Debt, asked: Debt, today: date) -> dict[str, Any]:
    late = (today - debt.due_date).days if debt.due_date and debt.is_open else 0
    if debt.current_status == DebtStatus.DISPUTED:
        state = Label("Disputed", "balance", "warn")
    elif late > 0:
        state = Label(f"{late} day{'' if late == 1 else 's'} overdue", "warning", "bad")
    else:
        state = Label(DebtStatus(debt.current_status).label, "check")
    return {
        "debt": debt,
        "creditor": debt.original_creditor,
        "balance": styled(debt.current_balance, debt.currency_code),
        "due": day(debt.due_date) if debt.due_date else "",
        "state": state,
        "is_asked": debt.pk == asked.pk,
    }


def _sums(debts: Sequence[Debt]) -> list[str]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for debt in debts:
        if debt.is_open:
            sums[debt.currency_code] += debt.current_balance
    return [styled(amount, currency) for currency, amount in sorted(sums.items())]


def _charts(payments: Sequence[Payment], today: date) -> list[Chart]:
    months = [_month_before(today, back) for back in reversed(range(_MONTHS))]
    sums: dict[str, dict[date, Decimal]] = defaultdict(lambda: dict.fromkeys(months, Decimal(0)))
    counts: dict[str, int] = defaultdict(int)
    for payment in payments:
        month = payment.payment_date.replace(day=1)
        if month in months:
            sums[payment.currency_code][month] += payment.amount
            counts[payment.currency_code] += 1
    return [
        Chart(currency, styled(sum(by_month.values(), Decimal(0)), currency), counts[currency],
              [_bar(month, amount, max(by_month.values()), currency) for month, amount in by_month.items()])
        for currency, by_month in sorted(sums.items())
    ]  # fmt: skip


def _bar(month: date, amount: Decimal, highest: Decimal, currency: str) -> Bar:
    height = max(3, round(amount / highest * 100)) if amount else 0
    return Bar(month, amount, sum_of(amount, currency), height)


def _month_before(today: date, back: int) -> date:
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _last(payments: Sequence[Payment]) -> str:
    if not payments:
        return "Nothing paid yet"
    newest = payments[0]
    return f"Last paid {day(newest.payment_date)}: {sum_of(newest.amount, newest.currency_code)}"


# --- Outcomes of earlier requests


def outcome(request: DeferralRequest, payments: Iterable[Payment], today: date) -> tuple[str, Payment | None]:
    """Return the outcome of a decided request, and the payment that shows it."""
    if request.status == DeferralRequest.Status.REJECTED:
        return "Refused", None
    until, since = request.granted_until or today, request.reviewed_at.date() if request.reviewed_at else today
    paid = sorted(
        (each for each in payments if each.debt_id == request.debt_id and each.payment_date >= since),
        key=lambda each: each.payment_date,
    )
    in_time = [each for each in paid if each.payment_date <= until]
    if paid and request.debt.current_status == DebtStatus.PAID:
        return (KEPT if paid[-1].payment_date <= until else LATE), paid[-1]
    if in_time:
        return PART, in_time[-1]
    if until >= today and request.debt.is_open:
        return RUNNING, None
    return (LATE, paid[0]) if paid else (NOTHING, None)


def _earlier(request: DeferralRequest, payments: Sequence[Payment], today: date) -> Earlier:
    word, payment = outcome(request, payments, today)
    icon, tone = _TONES[word]
    decided = day(request.reviewed_at) if request.reviewed_at else ""
    verb = "refused" if word == "Refused" else "granted"
    paid = f" Paid {sum_of(payment.amount, payment.currency_code)} on {day(payment.payment_date)}." if payment else ""
    days = f"{request.days} days" if request.days == request.requested_deferral_days or verb == "refused" else (
        f"{request.days} of {request.requested_deferral_days} days"
    )  # fmt: skip
    return Earlier(request, Label(word, icon, tone), f"{days} on {request.debt}, {verb} {decided}.{paid}")


def record(decided: Sequence[DeferralRequest], payments: Sequence[Payment], today: date) -> str:
    """Return the outcomes of earlier requests in a few words: ``1 kept, 1 late``."""
    counts: dict[str, int] = defaultdict(int)
    for request in decided:
        counts[outcome(request, payments, today)[0]] += 1
    return ", ".join(f"{count} {word.lower()}" for word, count in counts.items()) or "None"


# --- Contacts and holds


def _contacts(debtor: Debtor) -> list[tuple[str, str]]:
    fields = ("direction", "status", "communication_type", "sent_at", "created_at", "body", "debtor")
    newest = CommunicationLog.objects.filter(debtor=debtor).order_by("-created_at", "-id").only(*fields)[:_RECENT]
    inbound = CommunicationLog.Direction.INBOUND
    sent = next((log for log in newest if log.direction != inbound and log.status in _SENT), None)
    reply = next((log for log in newest if log.direction == inbound), None)
    name = CommunicationLog.get_communication_type_display
    found = [("Last message", f"{name(sent)}, {day(sent.sent_at or sent.created_at)}" if sent else "None yet")]
    text = " ".join((reply.body or "").split())[:200] if reply else ""
    found.append(("Last reply", f"{day(reply.created_at)}: “{text}”" if reply else "None yet"))
    return found


def _flags(debtor: Debtor, debts: Sequence[Debt], today: date) -> list[Label]:
    of_person = Q(debtor=debtor) | Q(debt__in=[debt.pk for debt in debts])
    active = Hold.objects.active_between(today, today).filter(of_person, dispute=None, deferral_request=None)
    return hold_labels(active.order_by("starts_on", "id")[:MOST_DEBTS])


def hold_labels(holds: Iterable[Hold]) -> list[Label]:
    """Return the reasons of holds, each once."""
    by_reason: Mapping[str, Hold] = {hold.reason: hold for hold in holds}
    return [
        Label(
            Hold.Reason(reason).label + (f" until {day(hold.ends_on)}" if hold.ends_on else ""),
            "flag" if reason == Hold.Reason.VULNERABLE else "pause_circle",
            "warn",
        )
        for reason, hold in by_reason.items()
    ]


def waited(since: datetime, now: datetime) -> str:
    """Write how long a request has waited: ``3 d 20 h``."""
    gone = max(now - since, timedelta(0))
    return (
        f"{gone.days} d {gone.seconds // 3600} h"
        if gone.days
        else f"{gone.seconds // 3600} h {gone.seconds % 3600 // 60} min"
    )
