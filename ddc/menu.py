"""The back office's menu: what waits, then every table by subject; tables of the machinery are for superusers."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now

from agency.models import AgencyProfile
from audit import checks
from casework import summaries, worklists
from casework.summaries import Waiting

#: The menu counts up to here, and then shows "99+": it is on every page.
MAX_COUNT = 100
MACHINERY = "Machinery"

#: Every table of the back office by section of the menu.
MENU: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("People", (
        "debtors.Debtor", "debtors.ContactPoint", "debtors.Consent", "contact.ContactPreference", "casework.Note",
        "casework.FollowUp", "casework.SupportRequest", "casework.Document", "portal.Budget",
    )),
    ("Debts", (
        "collections.Debt", "arrangements.Arrangement", "collections.DeferralRequest", "collections.Dispute", "collections.Hold",
        "creditors.Creditor", "creditors.CreditorLook", "collections.ParkedPlacement", "collections.PlacementImport",
    )),
    ("Payments", (
        "payments.Payment", "payments.Receipt", "payments.Credit", "payments.Refund", "payments.PaymentIntent",
        "payments.ProviderEvent", "payments.ProviderPayout", "collections.LedgerEntry", "collections.ExchangeRate",
    )),
    ("Messages", (
        "communications.CommunicationLog", "communications.InboundMessage", "communications.CallTask",
        "communications.UncertainMessage", "communications.CommunicationTemplate", "contact.ContactDecision",
    )),
    ("Strategy", (
        "strategy.StrategyRule", "strategy.StrategyRun", "strategy.StrategyUnreached", "collections.Segment",
        "contact.ContactPolicy", "arrangements.ArrangementPolicy",
    )),
    ("Reports", (
        "audit.AuditEvent", "audit.ListExport", "audit.SystemCheck", "collections.HoldEvent", "communications.MessageAttempt",
        "communications.UncertainResolution",
        "communications.CommunicationTemplateVersion", "contact.ValidationNotice", "strategy.StrategyStep",
        "portal.DigitalActivity", "portal.PortalViewing", "portal.SignedLink", "creditors.CreditorName",
    )),
    ("Set-up", (
        "agency.AgencyProfile", "agents.Agent", "auth.Group", "agents.RoleLimit", "agents.StaffSession", "agents.ApiToken",
        "collections.SeriesRate", "collections.InterestSchedule", "collections.CostRule", "payments.BankAccount",
    )),
    (MACHINERY, (
        "casework.WorkClaim", "communications.ProviderEvent", "communications.Circuit", "communications.DatabaseRestore",
        "communications.PendingDispatch", "payments.IdempotencyKey", "portal.OtpSession", "portal.RevokedDebtorToken",
        "agents.TokenFamily", "agents.SpentRefreshToken", "agents.SignInAttempt", "agents.PasswordLink",
        "portal.AddressChange",
    )),
)  # fmt: skip
#: How agents call some tables.
NAMES = {
    "debtors.Debtor": "People",
    "debtors.ContactPoint": "Phones and addresses",
    "communications.InboundMessage": "Received messages",
    "communications.CallTask": "Call tasks",
    "collections.DeferralRequest": "All deferral requests",
    "collections.Dispute": "All disputes",
    "collections.Hold": "All holds",
    "casework.FollowUp": "All follow-ups",
    "payments.ProviderEvent": "Payment providers",
    "payments.ProviderPayout": "Payouts of providers",
    "casework.SupportRequest": "All hardship and complaints",
    "communications.UncertainMessage": "All uncertain messages",
    "collections.ParkedPlacement": "All parked placement rows",
}
ICONS = {
    "People": "group", "Debts": "description", "Payments": "payments", "Messages": "mail", "Strategy": "account_tree",
    "Reports": "bar_chart", "Set-up": "settings", MACHINERY: "build",
}  # fmt: skip


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections that the reader may see, as django-unfold expects them."""
    sections: list[dict[str, Any]] = [
        {"items": [{"title": "Home", "link": reverse("admin:index"), "icon": "home"}]},
        {"title": "To do", "items": list(_to_do(request))},
    ]
    for title, labels in MENU:
        if title != MACHINERY or getattr(request.user, "is_superuser", False):
            sections.append(
                {"title": title, "icon": ICONS[title], "folds": True, "items": list(_items(request, labels))}
            )
    return [section for section in sections if section["items"]]


def _to_do(request: HttpRequest) -> Iterator[dict[str, Any]]:
    agent: Any = request.user
    counted = waiting(request)
    for worklist in worklists.of(agent):
        found = counted[worklist.kind]
        number = f"{found.count}" if found.count < MAX_COUNT else f"{MAX_COUNT - 1}+"
        yield {
            "title": worklist.title, "link": worklist.list_url(), "icon": worklist.icon,
            "count": number if found.count else "", "is_late": found.is_urgent, "active": _is_shown(request, worklist),
        }  # fmt: skip


def _is_shown(request: HttpRequest, worklist: worklists.Worklist) -> bool:
    """Return whether the page is this worklist: several are filters of one list."""
    path, _, filters = worklist.list_url().partition("?")
    return request.path == path and all(request.GET.get(name) == value for name, value in parse_qsl(filters))


def waiting(request: HttpRequest) -> dict[str, Waiting]:
    """Return what waits for the reader, counted once for a page; the home page also adds up what is owed."""
    found: dict[str, Waiting] | None = getattr(request, "waiting", None)
    if found is None:
        agent: Any = request.user
        is_home = request.resolver_match is not None and request.resolver_match.view_name == "admin:index"
        most = worklists.MAX_COUNT if is_home else MAX_COUNT
        found = summaries.waiting(agent, now=now(), most=most, with_sums=is_home)
        request.waiting = found  # type: ignore[attr-defined]
    return found


def _items(request: HttpRequest, labels: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for label in labels:
        model = apps.get_model(label)
        if may_see(request, model):
            name = NAMES.get(label, str(model._meta.verbose_name_plural))
            yield {"title": name[:1].upper() + name[1:], "link": list_url(model)}
        if model is AgencyProfile and request.user.has_perm(checks.PERMISSION):
            yield {"title": "System health", "link": reverse("system-health")}


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Return whether the reader may see a table."""
    return bool(admin.site._registry[model].has_view_permission(request))


def list_url(model: type[Model]) -> str:
    """Return the URL of the list of a table's rows."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
