"""The back office's front page, with what waits for somebody, and its menu, by what people come for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.db.models import Count, Min, Model, QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from collection.holds.reasons import AWAITING_APPROVAL, DUE_FOR_REVIEW
from collection.models import DeferralRequest, Dispute, Hold
from communications.models import CallTask, InboundMessage, ProviderEvent, UncertainMessage

#: Beyond this many, the front page says "more than".
COUNTED = 1000

#: Every table of the back office, in the room where somebody would look for it, and whether the menu shows that room open.
MENU: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
    ("To do", True, (
        "collections.DeferralRequest", "collections.Dispute", "collections.Hold", "communications.InboundMessage",
        "communications.CallTask", "communications.UncertainMessage",
    )),
    ("Accounts", True, (
        "debtors.Debtor", "collections.Debt", "payments.Payment", "debtors.ContactPoint",
        "communications.ContactWish",
    )),
    ("Messages", True, (
        "communications.CommunicationLog", "communications.CommunicationTemplate", "communications.ContactDecision",
        "communications.ContactPolicy",
    )),
    ("Strategy", True, ("strategy.StrategyRule", "strategy.StrategyRun", "collections.Segment")),
    ("Records", False, (
        "collections.LedgerEntry", "collections.HoldEvent", "communications.MessageAttempt", "communications.Settlement",
        "communications.CommunicationTemplateVersion", "communications.FirstNotice", "strategy.StrategyStep",
        "portal.DigitalActivity",
    )),
    ("Set-up", False, (
        "agents.Agent", "auth.Group", "agents.ApiToken", "collections.ExchangeRate", "communications.ProviderEvent",
        "communications.Circuit", "communications.Unbegun", "payments.IdempotencyKey",
        "portal.OtpSession", "portal.RevokedDebtorToken",
        "agents.TokenFamily", "agents.SpentRefreshToken", "axes.AccessAttempt", "axes.AccessFailureLog",
        "axes.AccessLog", "collections.SegmentationMark",
    )),
)  # fmt: skip


@dataclass(frozen=True)
class Worklist:
    """Rows that wait for somebody, since when each does, and by which choices the table's page lists them."""

    title: str
    rows: QuerySet[Any]
    since: str
    chosen: dict[str, str]


WORKLISTS = (
    Worklist(
        "Deferral requests to decide",
        DeferralRequest.objects.filter(status=DeferralRequest.Status.PENDING),
        "created_at",
        {"status__exact": "pending"},
    ),
    Worklist(
        "Disputes to take to the creditor",
        Dispute.objects.filter(status=Dispute.Status.RECEIVED),
        "received_at",
        {"status__exact": "received"},
    ),
    Worklist(
        "Disputes that wait for the creditor",
        Dispute.objects.filter(status=Dispute.Status.AWAITING_CREDITOR),
        "asked_at",
        {"status__exact": "awaiting_creditor"},
    ),
    Worklist("Holds to approve", Hold.objects.filter(AWAITING_APPROVAL), "created_at", {"state": "waiting"}),
    Worklist(
        "Holds due for review",
        Hold.objects.filter(DUE_FOR_REVIEW),
        "review_on",
        {"state": "review"},
    ),
    Worklist("Unread messages", InboundMessage.objects.filter(read_at=None), "created_at", {}),
    Worklist("Calls to make", CallTask.objects.filter(outcome=None), "sent_at", {}),
    Worklist("Did these messages go?", UncertainMessage.objects.all(), "created_at", {}),
    Worklist(
        "Callbacks that failed",
        ProviderEvent.objects.filter(failed_at__isnull=False),
        "received_at",
        {"state": "failed"},
    ),
)


@dataclass(frozen=True)
class Waiting:
    """How much of a worklist there is, ``COUNTED`` at the most, and how long its oldest row has waited."""

    title: str
    count: int
    oldest: date | None
    url: str

    @property
    def told(self) -> str:
        return f"{self.count:,}" if self.count < COUNTED else f"{COUNTED:,} or more"


def style(request: HttpRequest) -> str:
    """Return the address of our own style sheet."""
    return static("common/back_office.css")


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what waits for somebody, as far as this one may see it."""
    seen = (worklist for worklist in WORKLISTS if _may_see(request, worklist.rows.model))
    return context | {"waiting": [_count(worklist) for worklist in seen]}


def _count(worklist: Worklist) -> Waiting:
    longest = worklist.rows.order_by(worklist.since).values(worklist.since)[:COUNTED]
    counted = longest.aggregate(count=Count("*"), oldest=Min(worklist.since))
    return Waiting(worklist.title, counted["count"], counted["oldest"], _list(worklist.rows.model, worklist.chosen))


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu in the shape of django-unfold, as far as this one may see it."""
    rooms = ((title, is_open, list(_items(request, labels))) for title, is_open, labels in MENU)
    return [
        {"title": title, "collapsible": not is_open, "separator": True, "items": items}
        for title, is_open, items in rooms
        if items
    ]


def _items(request: HttpRequest, labels: Iterable[str]) -> Iterator[dict[str, Any]]:
    for model in map(apps.get_model, labels):
        if _may_see(request, model):
            name = str(model._meta.verbose_name_plural)
            yield {"title": name[:1].upper() + name[1:], "link": _list(model)}


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    return bool(admin.site._registry[model].has_view_permission(request))


def _list(model: type[Model], chosen: dict[str, str] | None = None) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(chosen)}" if chosen else url
