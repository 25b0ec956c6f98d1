"""The back office's front page with its work queue, and the menu, by subject."""

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

from casework.admin import work
from casework.models import DUE, FollowUp
from collection.holds.reasons import AWAITING_APPROVAL, DUE_FOR_REVIEW
from collection.models import DeferralRequest, Dispute, Hold, ParkedPlacement
from communications.models import CallTask, InboundMessage, ProviderEvent, UncertainMessage

#: The front page counts up to here, and then shows "1,000 or more".
MAX_COUNT = 1000

#: Every table of the back office by section of the menu, and whether the section is open at first.
MENU: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
    ("Work queue", True, (
        "collections.DeferralRequest", "collections.Dispute", "collections.Hold", "collections.ParkedPlacement",
        "communications.InboundMessage", "communications.CallTask", "communications.UncertainMessage", "casework.FollowUp",
    )),
    ("Accounts", True, (
        "debtors.Debtor", "collections.Debt", "payments.Payment", "creditors.Creditor", "debtors.ContactPoint", "debtors.Consent",
        "contact.ContactPreference", "casework.Note",
    )),
    ("Messages", True, (
        "communications.CommunicationLog", "communications.CommunicationTemplate", "contact.ContactDecision",
        "contact.ContactPolicy",
    )),
    ("Strategy", True, ("strategy.StrategyRule", "strategy.StrategyRun", "collections.Segment")),
    ("Records", False, (
        "audit.AuditEvent", "audit.ListExport",
        "collections.LedgerEntry", "collections.HoldEvent", "communications.MessageAttempt", "communications.UncertainResolution",
        "communications.CommunicationTemplateVersion", "contact.ValidationNotice", "strategy.StrategyStep",
        "portal.DigitalActivity", "creditors.CreditorName",
    )),
    ("Settings", False, (
        "agency.AgencyProfile",
        "agents.Agent", "auth.Group", "agents.RoleLimit", "agents.StaffSession", "casework.WorkClaim", "agents.ApiToken",
        "collections.ExchangeRate", "communications.ProviderEvent",
        "communications.Circuit", "communications.DatabaseRestore", "communications.PendingDispatch", "payments.IdempotencyKey",
        "portal.OtpSession", "portal.RevokedDebtorToken",
        "agents.TokenFamily", "agents.SpentRefreshToken", "agents.SignInAttempt", "agents.PasswordLink",
    )),
)  # fmt: skip


@dataclass(frozen=True)
class Worklist:
    """Rows that wait for an agent, the field with the time since when, and the filters of the list that shows them."""

    title: str
    rows: QuerySet[Any]
    since: str
    filters: dict[str, str]


WORKLISTS = (
    Worklist(
        "Deferral requests to decide",
        DeferralRequest.objects.filter(status=DeferralRequest.Status.PENDING),
        "created_at",
        {"status__exact": "pending"},
    ),
    Worklist(
        "Disputes to send to the creditor",
        Dispute.objects.filter(status=Dispute.Status.RECEIVED),
        "received_at",
        {"status__exact": "received"},
    ),
    Worklist(
        "Disputes awaiting the creditor",
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
    Worklist("Parked placement rows", ParkedPlacement.objects.filter(decision=None), "created_at", {}),
    Worklist("Unread messages", InboundMessage.objects.filter(read_at=None), "created_at", {}),
    Worklist("Calls to make", CallTask.objects.filter(outcome=None), "sent_at", {}),
    Worklist("Follow-ups due", FollowUp.objects.filter(DUE), "due_on", {}),
    Worklist("Uncertain messages", UncertainMessage.objects.all(), "created_at", {}),
    Worklist(
        "Failed callbacks",
        ProviderEvent.objects.filter(failed_at__isnull=False),
        "received_at",
        {"state": "failed"},
    ),
)


@dataclass(frozen=True)
class Card:
    """A worklist on the front page: its number of rows, up to ``MAX_COUNT``, and the time of the oldest one."""

    title: str
    count: int
    oldest: date | None
    url: str

    @property
    def number(self) -> str:
        return f"{self.count:,}" if self.count < MAX_COUNT else f"{MAX_COUNT:,} or more"


def style(request: HttpRequest) -> str:
    """Return the URL of our style sheet."""
    return static("common/back_office.css")


def keep_typed(request: HttpRequest) -> str:
    """Return the URL of the script that brings back what was typed when the session had ended."""
    return static("common/keep_typed.js")


def work_keys(request: HttpRequest) -> str:
    """Return the URL of the script with the keys of the bar of those who work through a worklist."""
    return static("casework/work.js")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of every page shows: the bar of those who work through a worklist."""
    return {"work_bar": work.bar(request) if request.user.is_authenticated else None}


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the worklists that the agent may see."""
    visible = (worklist for worklist in WORKLISTS if _may_see(request, worklist.rows.model))
    return context | {"work_queue": [_card(worklist) for worklist in visible]}


def _card(worklist: Worklist) -> Card:
    oldest = worklist.rows.order_by(worklist.since).values(worklist.since)[:MAX_COUNT]
    counted = oldest.aggregate(count=Count("*"), oldest=Min(worklist.since))
    return Card(worklist.title, counted["count"], counted["oldest"], _list_url(worklist.rows.model, worklist.filters))


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the tables of the menu that the agent may see, as django-unfold expects them."""
    sections = ((title, is_open, list(_items(request, labels))) for title, is_open, labels in MENU)
    return [
        {"title": title, "collapsible": not is_open, "separator": True, "items": items}
        for title, is_open, items in sections
        if items
    ]


def _items(request: HttpRequest, labels: Iterable[str]) -> Iterator[dict[str, Any]]:
    for model in map(apps.get_model, labels):
        if _may_see(request, model):
            name = str(model._meta.verbose_name_plural)
            yield {"title": name[:1].upper() + name[1:], "link": _list_url(model)}


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    return bool(admin.site._registry[model].has_view_permission(request))


def _list_url(model: type[Model], filters: dict[str, str] | None = None) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url
