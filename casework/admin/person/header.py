"""The head of a person's page: who and where, what is owed, and whether we may make contact now."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import CharField, Count, F, Min, Model, Q, QuerySet, Sum, UUIDField, Value
from django.db.models.functions import Cast, JSONObject
from django.utils.safestring import SafeString

from agents.models import Agent
from arrangements import assessment
from arrangements.admin import words as arrangement_words
from arrangements.models import Arrangement, Kind
from casework import identity
from casework.admin.words import Clocks, day, name_of, styled
from casework.models import FollowUp, IdentityCheck, Note
from collection.models import Debt, DebtStatus, DeferralRequest
from collection.models.holds import Hold
from communications.outbox import may_go
from contact.engine.decision import Verdict
from contact.preview import Preview
from ddc.common.days import agency_today
from ddc.common.reference import languages
from debtors import calendars
from debtors.channels import Channel
from debtors.models import Debtor
from payments.models import Payment, PaymentStatus

_ICONS = {Channel.EMAIL: "mail", Channel.SMS: "sms", Channel.VOICE: "robot_2", Channel.CALL_SCRIPT: "call"}
#: An agent calls far more often than the others, so that channel comes first.
_ORDER = (Channel.CALL_SCRIPT, Channel.EMAIL, Channel.SMS, Channel.VOICE)
_MOST_ROWS = 10


@dataclass(frozen=True)
class Label:
    """A state with its icon; ``tone`` is a class of the style sheet: good, warn, bad, info or empty."""

    text: str
    icon: str
    tone: str = ""


@dataclass(frozen=True)
class ChannelState:
    """May we make contact by a channel now; if not, from when on, and why?"""

    channel: str
    icon: str
    state: Label
    why: str


@dataclass
class Owed:
    """The sums of the open debts in one currency."""

    currency: str
    balance: Any = 0
    overdue: Any = 0
    since: date | None = None
    next_due: date | None = None

    @property
    def amount(self) -> SafeString:
        return styled(self.balance, self.currency)

    @property
    def overdue_amount(self) -> SafeString:
        return styled(self.overdue, self.currency)


@dataclass
class Head:
    """What the top of the page shows, fetched in a fixed number of queries."""

    debtor: Debtor
    clocks: Clocks
    now: datetime
    channels: list[ChannelState]
    previews: Sequence[Preview]
    owed: list[Owed] = field(default_factory=list)
    flags: list[Label] = field(default_factory=list)
    last_payment: dict[str, Any] | None = None
    pinned: list[dict[str, Any]] = field(default_factory=list)
    follow_ups: list[dict[str, Any]] = field(default_factory=list)
    #: The agent has checked who the caller is, so the birth date may be shown.
    is_identity_checked: bool = False

    @property
    def local_time(self) -> str:
        return self.clocks.time(self.now)

    @property
    def language(self) -> str:
        code = self.debtor.language_preference
        return languages.name(code) if code else "English (none is set)"

    @property
    def overdue(self) -> list[Owed]:
        return [part for part in self.owed if part.overdue]

    @property
    def overdue_days(self) -> int:
        since = [part.since for part in self.owed if part.since]
        return (agency_today(self.now) - min(since)).days if since else 0

    @property
    def next_due(self) -> str:
        days = [part.next_due for part in self.owed if part.next_due]
        return day(min(days)) if days else ""


def read(debtor: Debtor, debt: Debt | None, *, by: Agent, now: datetime) -> Head:
    """Fetch the head of a person's page, or of the page of one debt, for an agent."""
    previews = may_go.previews(debtor, debts=[debt], now=now)
    clocks = Clocks.of(previews[0].facts.zones)
    by_channel = {preview.channel: preview for preview in previews}
    channels = [_state(by_channel[channel], clocks, now) for channel in _ORDER]
    head = Head(debtor, clocks, now, channels, previews)
    today = agency_today(now)
    _add_records(head, debt, by, today)
    return head


def _state(preview: Preview, clocks: Clocks, now: datetime) -> ChannelState:
    decision = preview.decision
    why = " ".join(dict.fromkeys(reason.text for reason in decision.reasons[:2]))
    if decision.verdict == Verdict.ALLOW:
        state, why = Label("Allowed now", "check", "good"), ""
    elif preview.next_at is None:
        state = Label("Not allowed", "close", "off")
    else:
        state = Label(f"From {clocks.from_then(preview.next_at, now=now)}", "schedule", "warn")
    return ChannelState(preview.channel.label, _ICONS[preview.channel], state, why)


_COUNTED = {
    DebtStatus.ACTIVE: ("check", ""),
    DebtStatus.PAYMENT_PLAN: ("calendar_month", "info"),
    DebtStatus.DEFERRED: ("hourglass_top", "info"),
    DebtStatus.DISPUTED: ("balance", "warn"),
}


def _sums_arm(debts: Any, today: date) -> Any:
    """Return the sums of open debts by currency and status."""
    is_late = Q(due_date__lt=today, current_balance__gt=F("disputed_amount")) & ~Q(current_status=DebtStatus.DISPUTED)
    overdue = Sum(F("current_balance") - F("disputed_amount"), filter=is_late)
    data = JSONObject(
        currency=F("currency_code"),
        status=F("current_status"),
        debts=Count("pk"),
        balance=Cast(Sum("current_balance"), CharField()),
        overdue=Cast(overdue, CharField()),
        late=Count("pk", filter=is_late),
        since=Min("due_date", filter=is_late),
        next_due=Min("due_date", filter=Q(due_date__gte=today)),
    )
    grouped = debts.open().order_by("currency_code").values("currency_code", "current_status")
    what, key = Value(_label(Debt), output_field=CharField()), Value(None, output_field=UUIDField())
    return grouped.annotate(_what=what, _key=key, _data=data).values_list("_what", "_key", "_data")


def _add_sums(head: Head, rows: list[dict[str, Any]]) -> None:
    sums: dict[str, Owed] = {}
    counts: dict[str, int] = {}
    for row in rows:
        part = sums.setdefault(row["currency"], Owed(row["currency"]))
        part.balance += Decimal(row["balance"])
        part.overdue += Decimal(row["overdue"] or 0)
        part.since = min(filter(None, (part.since, _date(row["since"]))), default=None)
        part.next_due = min(filter(None, (part.next_due, _date(row["next_due"]))), default=None)
        counts[row["status"]] = counts.get(row["status"], 0) + row["debts"]
    head.owed = list(sums.values())
    if late := sum(row["late"] for row in rows):
        head.flags.append(Label(f"Overdue {late}", "warning", "bad"))
    for status, (icon, tone) in _COUNTED.items():
        if status in counts:
            head.flags.append(Label(f"{status.label} {counts[status]}", icon, tone))


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _add_records(head: Head, debt: Debt | None, by: Agent, today: date) -> None:
    """Fetch sums, requests, holds, the last payment, pinned notes, open follow-ups and the identity check, all in one query."""
    debtor = head.debtor
    of_debt = Q(debt=debt) if debt else Q(debt__debtor=debtor)
    paid = Payment.objects.filter(of_debt, status=PaymentStatus.COMPLETED).order_by("-payment_date", "-created_at")
    holds = Hold.objects.active_between(today, today).filter(of_debt | Q(debtor=debtor))
    # Those of a dispute, a deferral or an arrangement show in the status of their debt.
    holds = holds.filter(dispute=None, deferral_request=None).exclude(reason=Hold.Reason.ARRANGEMENT)
    holds = holds.order_by("starts_on", "id")
    planned = FollowUp.objects.filter(debtor=debtor, outcome=None).order_by("due_on", "id")
    if debt:
        planned = planned.filter(Q(debt=debt) | Q(debt=None))
    agreed = Arrangement.objects.filter(debtor=debtor, status=Arrangement.Status.ACTIVE).order_by("created_at", "id")
    if debt:
        agreed = agreed.filter(parts__debt=debt)
    pinned = Note.objects.filter(debtor=debtor, pinned=True).order_by("-created_at")
    asked = DeferralRequest.objects.filter(of_debt, status=DeferralRequest.Status.PENDING).order_by("created_at")
    arms = (
        _sums_arm(Debt.objects.filter(pk=debt.pk) if debt else Debt.objects.filter(debtor=debtor), today),
        _arm(paid, 1, on=F("payment_date"), amount=Cast("amount", CharField()), currency=F("currency_code")),
        _arm(asked, 1, on=F("created_at")),
        _arm(agreed, _MOST_ROWS, kind=F("kind"), currency=F("currency_code")),
        _arm(holds, _MOST_ROWS, reason=F("reason"), until=F("ends_on")),
        _arm(pinned, _MOST_ROWS, text=F("text"), on=F("created_at"), by=name_of("by")),
        _arm(planned, _MOST_ROWS, text=F("text"), on=F("due_on"), owner=name_of("owner")),
        _arm(identity.recent(debtor, by=by, now=head.now), 1, **{each: F(each) for each in identity.QUESTIONS}),
    )
    first, *rest = arms
    found: dict[str, list[dict[str, Any]]] = {}
    for what, key, data in first.union(*rest, all=True):
        found.setdefault(what, []).append({**_parsed(data), "key": key})
    _add_sums(head, found.get(_label(Debt), []))
    head.last_payment = next(iter(found.get(_label(Payment), ())), None)
    head.pinned, head.follow_ups = found.get(_label(Note), []), found.get(_label(FollowUp), [])
    head.is_identity_checked = any(identity.passed(each) for each in found.get(_label(IdentityCheck), ()))
    for late in head.follow_ups:
        late["is_late"] = late["day"] < today
    if _label(DeferralRequest) in found:
        head.flags.append(Label("Deferral asked", "hourglass_top", "warn"))
    head.flags += _arrangement_flags(head, found.get(_label(Arrangement), []))
    for hold in _most_lasting(found.get(_label(Hold), [])):
        until = f" until {day(date.fromisoformat(hold['until']))}" if hold["until"] else ""
        head.flags.append(Label(f"Hold: {Hold.Reason(hold['reason']).label.lower()}{until}", "pause_circle", "warn"))


def _arrangement_flags(head: Head, agreed: list[dict[str, Any]]) -> list[Label]:
    """Return how each active arrangement stands: its next instalment, and how many were missed."""
    if not agreed:
        return []
    by_id = {uuid.UUID(str(row["key"])): row for row in agreed}
    found = assessment.steps(by_id, day=calendars.today(head.debtor, at=head.now))
    return [
        Label(
            f"{Kind(by_id[pk]['kind']).label.capitalize()}: {arrangement_words.progress(steps, by_id[pk]['currency'])}",
            "handshake",
            "bad" if assessment.missed_of(steps) else "info",
        )
        for pk, steps in found.items()
    ]


def _most_lasting(holds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one hold for each reason: of several, the one that ends last."""
    by_reason: dict[str, dict[str, Any]] = {}
    for hold in sorted(holds, key=lambda each: each["until"] or "9999"):
        by_reason[hold["reason"]] = hold
    return list(by_reason.values())


def _arm(rows: QuerySet[Any], most: int, **data: Any) -> Any:
    what = Value(_label(rows.model), output_field=CharField())
    return rows.annotate(_what=what, _data=JSONObject(**data)).values_list("_what", "pk", "_data")[:most]


def _label(model: type[Model]) -> str:
    return model._meta.label


def _parsed(data: dict[str, Any]) -> dict[str, Any]:
    """Add a day as a date and in words, and an amount as the page shows it."""
    if "on" in data:
        data["day"] = datetime.fromisoformat(data["on"]).date()
        data["on"] = day(data["day"])
    if "amount" in data:
        data["amount"] = styled(Decimal(data["amount"]), data["currency"])
    return data
