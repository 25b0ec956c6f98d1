"""The pages of the demo that are shown in the documentation, each with the richest story that the data has."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Model, OuterRef, Q
from django.urls import reverse

from arrangements.models import Arrangement, Kind
from collection.models import Debt, DebtStatus, DeferralRequest
from communications.models import CommunicationLog
from debtors.models import Debtor
from payments.models import Receipt
from strategy.models import StrategyRule, StrategyRun


@dataclass(frozen=True)
class Page:
    """A page by its name, the user who sees it, and whether it is shown at the widths of a desk and a phone.

    The user ``debtor-de`` is the debtor of the portal's pictures, in German.
    """

    name: str
    user: str
    path: str
    narrow: bool = False
    wide: bool = True


def pages() -> Iterator[Page]:
    """Yield the pages of the pictures."""
    for role in ("agent", "supervisor", "auditor"):
        yield Page(f"home-{role}", role, reverse("admin:index"), narrow=role == "agent")
    yield Page("queue", "agent", reverse("admin:collections_deferralrequest_changelist"))
    yield Page("request", "agent", _change(_request()), narrow=True)
    yield Page("person", "agent", _change(_person()), narrow=True)
    yield Page("message", "agent", _change(_message()))
    yield Page("run", "supervisor", _change(_run()))
    yield Page("rule", "supervisor", _change(_rule()))
    yield Page("debt-strategy", "agent", f"{_change(_debt())}?panel=strategy", narrow=True)
    yield Page("arrangements", "supervisor", reverse("admin:arrangements_arrangement_changelist"))
    yield Page("arrangement", "agent", _change(_arrangement()), narrow=True)
    yield Page("negotiation", "agent", f"{_change(_negotiator())}?panel=arrange", narrow=True)
    yield Page("claim-account", "supervisor", f"{_change(_claim())}?panel=account", narrow=True)
    yield Page("suspense", "agent", _change(_receipt()), narrow=True)
    for language in ("en", "de"):
        yield from _portal(language)


def _portal(language: str) -> Iterator[Page]:
    """Yield the portal's pages in a language, as the debtor with the most to see finds them on a phone."""
    debtor = portal_debtor()
    debt = debtor.debts.filter(current_status=DebtStatus.ACTIVE, disputed_amount=0).order_by("-current_balance").first()
    asked = DeferralRequest.objects.filter(debtor=debtor).first()
    assert debt
    assert asked
    paths = {
        "home": reverse("portal"),
        "ledger": reverse("portal-ledger", args=[debt.pk]),
        "pay": reverse("portal-pay"),
        "more-time": reverse("portal-more-time", args=[debt.pk]),
        "request": reverse("portal-request", args=[asked.pk]),
        "plan": reverse("portal-plan", args=[debt.pk]),
        "plan-agree": reverse("portal-plan-agree", args=[debt.pk]) + "?choice=own&amount=25&every=monthly",
        "sign-in": reverse("portal-sign-in"),  # The last: it ends the visit.
    }
    for name, path in paths.items():
        yield Page(f"portal-{name}-{language}", f"debtor-{language}", path, narrow=True, wide=name == "home")


def portal_debtor() -> Debtor:
    """Return the debtor with a request for more time and the most open debts, one of them without anything special."""
    plain = Q(debts__current_status=DebtStatus.ACTIVE, debts__disputed_amount=0)
    asked = Debtor.objects.filter(Exists(DeferralRequest.objects.filter(debtor=OuterRef("pk"))))
    rich = asked.annotate(plain=Count("debts", filter=plain, distinct=True), all=Count("debts", distinct=True))
    found = rich.filter(plain__gt=0).order_by("-all", "email").first()
    assert found
    return found


def _change(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _request() -> Any:
    """Return a pending request of a person with payments and several debts."""
    pending = DeferralRequest.objects.filter(status="pending", debt__current_status=DebtStatus.ACTIVE)
    rich = pending.filter(escalated_at=None, first_approver=None)
    by_story = rich.annotate(
        payments=Count("debt__payments", distinct=True), debts=Count("debtor__debts", distinct=True)
    )
    return by_story.filter(requested_deferral_days__lte=30).order_by("-debts", "-payments").first()


def _person() -> Any:
    """Return a person in debt with notes, messages and calls."""
    owing = Debtor.objects.filter(debts__current_status=DebtStatus.ACTIVE, notes__isnull=False)
    return owing.annotate(messages=Count("communication_logs", distinct=True)).order_by("-messages", "email").first()


def _message() -> Any:
    """Return a mail that a rule sent and its reader opened."""
    opened = CommunicationLog.objects.filter(
        strategy_step__isnull=False, opened_at__isnull=False, template__name="reminder"
    )
    return opened.order_by("created_at").last()


def _claim() -> Any:
    """Return a German debt with interest and costs."""
    return Debt.objects.filter(is_itemized=True, debtor__country_code="DE").first()


def _receipt() -> Any:
    """Return a receipt in suspense that a known person paid."""
    return Receipt.objects.filter(suspense__reason="no_reference").order_by("-created_at").first() or (
        Receipt.objects.filter(suspense__isnull=False).order_by("-created_at").first()
    )


def _run() -> Any:
    """Return a run that left some debts out."""
    return StrategyRun.objects.filter(status="done", dry_run=False).order_by("-date").first()


def _arrangement() -> Any:
    """Return an active plan with the most instalments behind it."""
    active = Arrangement.objects.filter(kind=Kind.PLAN, status=Arrangement.Status.ACTIVE)
    return active.order_by("starts_on").first()


def _negotiator() -> Any:
    """Return a person with two debts to a creditor in one currency, and no arrangement."""
    free = Debtor.objects.filter(debts__current_status=DebtStatus.ACTIVE, arrangements=None)
    by_creditor = free.annotate(owed=Count("debts", distinct=True)).filter(owed__gte=2)
    return by_creditor.order_by("-owed", "email").first()


def _rule() -> Any:
    """Return the rule that queued most."""
    return StrategyRule.objects.annotate(queued=Count("steps")).order_by("-queued", "priority").first()


def _debt() -> Any:
    """Return an open debt for which rules were used, and others are still to come."""
    owing = Debt.objects.filter(current_status=DebtStatus.ACTIVE, segment__isnull=False)
    return owing.annotate(steps=Count("strategy_steps")).order_by("-steps", "-placement_date").first()
