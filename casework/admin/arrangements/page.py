"""Admin pages of arrangements: a list, a page with schedule, money and story, and the decisions of agents."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from arrangements import assessment, decisions
from arrangements.admin import words
from arrangements.models import Arrangement
from arrangements.policies import Needed
from casework.admin.arrangements import changing
from casework.admin.arrangements.filters import CreditorFilter, StateFilter
from casework.worklists import BY_KIND
from collection import search
from collection.models import LedgerEntry
from communications.models import CommunicationLog
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import amount, column, unbroken, when
from ddc.common.admin.workflow import WorklistAdmin
from debtors import calendars

Status = Arrangement.Status
_CHANGE, _APPROVE = "arrangements.change_arrangement", "arrangements.approve_arrangement"
#: More rows than any arrangement shows.
_MOST = 50
_OPEN = (Status.PENDING_APPROVAL, Status.OFFERED, Status.ACTIVE, Status.BROKEN)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="For the story."
    )


class ConsentForm(forms.Form):
    creditor_consent = forms.CharField(
        label="The creditor's consent",
        max_length=255,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Who agreed for the creditor, and how.",
    )


def _allowed(permission: str, *statuses: str, but_own: bool = False) -> Callable[..., bool]:
    """Return the check of an action's permission; ``but_own``: not for the agent's own proposals.

    The row is read once for all actions of a page.
    """

    def check(_page: Any, request: HttpRequest, object_id: Any = None) -> bool:
        if object_id is None or not request.user.has_perm(permission):
            return request.user.has_perm(permission)
        known: dict[Any, Any] = request.__dict__.setdefault("arrangements", {})
        if object_id not in known:
            known[object_id] = Arrangement.objects.filter(pk=object_id).values_list("status", "proposed_by").first()
        status, proposed_by = known[object_id] or ("", None)
        return status in statuses and not (but_own and proposed_by == request.user.pk)

    return check


@admin.register(Arrangement)
class ArrangementAdmin(WorklistAdmin):
    list_display = ("what", "debtor", "creditor", "sum", "given_up", "state", "who", "created")
    list_filter = (StateFilter, "status", "kind", CreditorFilter)
    list_select_related = ("debtor", "creditor", "proposed_by", "approved_by")
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, part of a reference, or an id"
    fields = (
        "person",
        "attention",
        ("kind", "status", "creditor"),
        ("sum", "given_up", "paid"),
        "following",
        "needed",
        "consent",
        "approval",
        ("rhythm", "expires_on", "accepted_at"),
        "note",
        ("proposer", "approved_by", "approved_at"),
        ("policy", "terms"),
    )
    visible_if = {
        "attention": "needs_person",
        "needed": "needs",
        "consent": "creditor_consent",
        "given_up": "discount",
        "approval": "is_pending",
    }
    actions_detail = (
        "accept", "approve", "reject", "decline", "delay", "change_amount", "reinstate", "cancel",
    )  # fmt: skip

    def search_filter(self, text: str) -> Q:
        return Q(parts__debt__in=search.debts(text))

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debtor=key) | Q(creditor=key)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        return found.select_related(*self.list_select_related, "policy")

    # --- Columns and lines

    what = column("Arrangement", lambda row: row.get_kind_display().capitalize(), ordering="kind")
    sum = column("To pay", lambda row: unbroken(amount(row.total, row.currency_code)), ordering="total")
    given_up = column(
        "Discount", lambda row: unbroken(amount(row.discount, row.currency_code)) if row.discount else "-"
    )
    state = column("Status", lambda row: row.get_status_display().capitalize(), ordering="status")
    who = column("Proposed by", lambda row: row.proposed_by or "The debtor")
    proposer = column("Proposed by", lambda row: row.proposed_by or "The debtor")
    created = column("Proposed", lambda row: when(row.created_at), ordering="created_at")
    person = column("Debtor", lambda row: link(row.debtor))
    attention = column("Attention", lambda row: "A person must decide how it goes on: death, bankruptcy or attorney.")
    needed = column("Needs", lambda row: " ".join(words.needs(row.needs)))
    consent = column("The creditor's consent", lambda row: row.creditor_consent)
    following = column("Progress", lambda row: _progress(row))
    rhythm = column("Instalments", lambda row: words.FREQUENCIES[row.frequency])
    paid = column("Paid", lambda row: amount(sum_of_steps(row, lambda step: step.paid), row.currency_code))

    @admin.display(description="Approval")
    def approval(self, row: Arrangement) -> str:
        """Name who may approve: not the agent who proposed it."""
        return (
            f"Another person than {row.proposed_by} must approve it." if row.proposed_by else "It waits for approval."
        )

    @admin.display(description="Terms")
    def terms(self, row: Arrangement) -> str:
        grace = f"{row.grace_days} days of grace; {row.missed_to_break} missed break it"
        return f"{grace}; in force again by itself within {row.self_reinstate_days} days"

    def listings(self, request: HttpRequest, obj: Arrangement) -> list[Listing]:
        debts = obj.parts.values("debt")
        messages = CommunicationLog.objects.filter(debt__in=debts, created_at__gte=obj.created_at).order_by(
            "-created_at"
        )
        money = LedgerEntry.objects.filter(debt__in=debts, value_date__gte=obj.starts_on).select_related("debt")
        return [
            _debts(obj),
            _schedule(obj),
            _story(obj),
            listing("Money since", money.order_by("-posted_at", "-id"), _MONEY, q=obj.debtor_id),
            listing("Messages since", messages, _MESSAGES, debtor__id__exact=obj.debtor_id),
        ]

    # --- Actions

    has_accept_permission = _allowed(_CHANGE, Status.OFFERED)
    has_cancel_permission = _allowed(_CHANGE, *_OPEN)
    has_instalment_permission = _allowed(_CHANGE, Status.ACTIVE)
    has_reinstate_permission = _allowed(_APPROVE, Status.BROKEN)
    has_reject_permission = _allowed(_APPROVE, Status.PENDING_APPROVAL)
    has_approve_permission = _allowed(_APPROVE, Status.PENDING_APPROVAL, but_own=True)

    @action(description="Accept", permissions=["accept"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "The debtor accepts this offer", "The arrangement is active."
        return self.step(request, object_id, forms.Form, decisions.accept, title=title, button="Accept", done=done)

    @action(description="Approve", permissions=["approve"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.one(request, object_id)
        needs_consent = any(need["kind"] == Needed.CONSENT for need in obj.needs) and not obj.creditor_consent
        form = ConsentForm if needs_consent else forms.Form
        return self._then_next(
            request,
            object_id,
            form,
            decisions.approve,
            title=_asked(obj),
            button="Approve",
            done="Approved: it is offered.",
        )

    @action(description="Reject", permissions=["reject"], variant=ActionVariant.DANGER)  # type: ignore[untyped-decorator]
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Reject this arrangement"
        return self._then_next(
            request, object_id, ReasonForm, decisions.reject, title=title, button="Reject", done="Rejected."
        )

    @action(description="Decline", permissions=["accept"])  # type: ignore[untyped-decorator]
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "The debtor declines this offer"
        return self.step(request, object_id, ReasonForm, decisions.decline, title=title, button="Decline")

    @action(description="Reinstate", permissions=["reinstate"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def reinstate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Put this arrangement in force again", "The arrangement is active again."
        return self.step(
            request, object_id, ReasonForm, decisions.reinstate, title=title, button="Reinstate", done=done
        )

    @action(description="Cancel", permissions=["cancel"], variant=ActionVariant.DANGER)  # type: ignore[untyped-decorator]
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Cancel this arrangement"
        return self.step(
            request,
            object_id,
            ReasonForm,
            decisions.cancel,
            title=title,
            button="Cancel arrangement",
            done="Cancelled.",
        )

    @action(description="Delay an instalment", permissions=["instalment"])  # type: ignore[untyped-decorator]
    def delay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return changing.page(self, request, object_id, changing.DelayForm)

    @action(description="Change an amount", permissions=["instalment"])  # type: ignore[untyped-decorator]
    def change_amount(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return changing.page(self, request, object_id, changing.AmountForm)

    def _then_next(self, request: HttpRequest, object_id: str, *args: Any, **words: Any) -> HttpResponse:
        """Open the next arrangement that waits for approval after a decision."""
        answer = self.step(request, object_id, *args, **words)
        if not isinstance(answer, HttpResponseRedirect):
            return answer
        agent: Any = request.user
        waiting, obj = BY_KIND["arrangements"], self.one(request, object_id)
        following = waiting.next_after(obj, agent, now=now())
        return HttpResponseRedirect(waiting.next_url(obj) if following else waiting.list_url())


def sum_of_steps(row: Arrangement, value: Callable[[assessment.Step], Any]) -> Any:
    return sum(value(step) for step in _steps(row))


def _steps(row: Arrangement) -> list[assessment.Step]:
    """Return the instalments of a page's arrangement as they stand, read once."""
    found: list[assessment.Step] | None = getattr(row, "_steps_today", None)
    if found is None:
        found = words.steps([row], now=now())[row.pk]
        row._steps_today = found  # type: ignore[attr-defined]
    return found


def _progress(row: Arrangement) -> str:
    text = words.progress(_steps(row), row.currency_code)
    return text[:1].upper() + text[1:]


def _asked(obj: Arrangement) -> str:
    return " ".join([f"Approve: {words.title(obj)}.", *words.needs(obj.needs)])


def _debts(obj: Arrangement) -> Listing:
    rows = [
        (link(part.debt), amount(part.balance_at_start, obj.currency_code), amount(part.share, obj.currency_code))
        for part in obj.parts.select_related("debt")[:_MOST]
    ]
    return Listing("Debts", ("Debt", "Balance when proposed", "Share"), rows, "")


def _schedule(obj: Arrangement) -> Listing:
    today = calendars.today(obj.debtor, at=now())
    rows = [
        (*row, amount(step.paid, obj.currency_code), words.state(step, today))
        for row, step in zip(words.schedule(_steps(obj), obj.currency_code), _steps(obj), strict=True)
    ]
    return Listing("Schedule", (*words.SCHEDULE, "Paid", "State"), rows, "")


def _story(obj: Arrangement) -> Listing:
    events = obj.events.select_related("by").order_by("-at", "-id")[:_MOST]
    rows = [(when(row.at), words.event(row, obj.currency_code)) for row in events]
    return Listing("Story", ("When", "What"), rows, "")


_MONEY: dict[str, Any] = {
    "Value date": lambda entry: entry.value_date,
    "Entry": lambda entry: entry.get_kind_display(),
    "Debt": lambda entry: entry.debt,
    "Amount": lambda entry: amount(entry.amount, entry.currency_code),
}
_MESSAGES: dict[str, Any] = {
    "Time": lambda log: when(log.created_at),
    "Channel": lambda log: log.get_communication_type_display(),
    "Subject": lambda log: log.subject or "-",
    "Status": lambda log: log.get_status_display(),
}
