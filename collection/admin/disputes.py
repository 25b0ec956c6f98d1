"""Admin pages of disputes: new ones come first, and actions take them from step to step."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
)

from collection import disputes, search
from collection.models import Debt, Dispute
from ddc.common.admin.forms import DecimalField, DomainForm
from ddc.common.admin.listings import Listing, adding, listing
from ddc.common.admin.pages import SMALLEST, amount, column, unbroken, when
from ddc.common.admin.workflow import WorkflowAdmin, offered
from debtors import calendars
from debtors.models import Debtor

Status = Dispute.Status
_AWAITING_CREDITOR = Q(status=Status.AWAITING_CREDITOR)
_CHANNELS = [choice for choice in Dispute.Channel.choices if choice[0] != Dispute.Channel.PORTAL]


class DisputeForm(DomainForm):
    """A dispute received by phone, by letter or in another way outside the portal."""

    channel = forms.ChoiceField(label="Channel", choices=[("", "—"), *_CHANNELS], widget=UnfoldAdminSelectWidget())
    received_at = forms.SplitDateTimeField(
        label="Received",
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget(),
        help_text="Empty: now.",
    )
    reason = forms.CharField(
        max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), help_text="In the debtor's words."
    )
    evidence = forms.CharField(
        max_length=1000, required=False, empty_value=None, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )

    class Meta:
        model = Dispute
        fields = ("debt", "portion", "channel", "received_at", "reason", "evidence")


_COLUMNS: dict[str, Any] = {
    "Received": lambda dispute: when(dispute.received_at),
    "Disputed": lambda dispute: amount(dispute.portion, dispute.currency_code) if dispute.portion else "all",
    "Channel": lambda dispute: dispute.get_channel_display(),
    "Status": lambda dispute: dispute.get_status_display(),
}


def _answer_field(label: str = "Answer", help_text: str = "The debtor sees it.") -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})
    return forms.CharField(label=label, max_length=1000, widget=widget, help_text=help_text)


class AnswerForm(forms.Form):
    answer = _answer_field()


class VerifyForm(forms.Form):
    answer = _answer_field(
        "The creditor's proof",
        "Name the proof, and the day on which a copy went to the debtor (12 CFR 1006.38(d)(2)). The debtor sees it.",
    )


class AdjustForm(AnswerForm):
    balance = DecimalField(
        label="Corrected balance",
        min_value=0,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text="The amount still owed. The difference is posted as an adjustment.",
    )
    field_order = ("balance", "answer")


@admin.register(Dispute)
class DisputeAdmin(WorkflowAdmin):
    form = DisputeForm
    list_display = ("debtor", "owed", "disputed", "why", "channel", "within", "age", "status")
    list_display_links = ("debtor",)
    list_filter = ("status", "channel", "received_at", "decided_at")
    list_select_related = ("debt__debtor", "debt__validation_notice", "by", "asked_by", "decided_by")
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, part of the reference, or an id"
    autocomplete_fields = ("debt",)
    bounds = {"portion": (SMALLEST, None)}
    # New disputes come first, the oldest at the top; then decided ones, the newest at the top.
    ordering = (
        Case(
            When(status=Status.RECEIVED, then=Value(0)),
            When(status=Status.AWAITING_CREDITOR, then=Value(1)),
            default=Value(2),
        ),
        Case(When(status__in=Dispute.OPEN, then=F("received_at"))),
        "-created_at",
        "-id",
    )
    actions = ("ask_creditor_selected",)
    actions_detail = ("ask_creditor", "verify", "adjust", "withdraw", "recall")
    entered = ("debt", "portion", "channel", "received_at", "reason", "evidence")
    fieldsets = (
        (None, {"fields": (("debtor", "debt"), ("disputed", "balance"), "reason", "evidence")}),
        ("Received", {"fields": (("channel", "received_at"), ("within", "by"))}),
        ("Decision", {"fields": ("status", ("asked_at", "asked_by"), ("decided_at", "decided_by"), "answer")}),
    )

    def search_filter(self, text: str) -> Q:
        return Q(debt__in=search.debts(text))

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debt=key) | Q(debt__debtor=key)

    # --- Columns

    debtor = column("Debtor", lambda dispute: str(dispute.debt.debtor))
    owed = column("Debt", lambda dispute: unbroken(dispute.debt))
    disputed = column(
        "Disputed",
        lambda dispute: unbroken(amount(dispute.portion, dispute.currency_code) if dispute.portion else "all"),
    )
    balance = column("Balance", lambda dispute: amount(dispute.debt.current_balance, dispute.debt.currency_code))
    why = column("Reason", lambda dispute: Truncator(dispute.reason).chars(70))
    age = column("Age", lambda dispute: timesince(dispute.received_at, now(), depth=1), ordering="received_at")

    @admin.display(description="Within the 30 days")
    def within(self, dispute: Dispute) -> str:
        """Compare with the validation period by the debtor's calendar (12 CFR 1006.34(b)(5)); it begins with the notice."""
        notice: Any = getattr(dispute.debt, "validation_notice", None)
        if notice is None:
            return "no notice yet"
        days = calendars.days(dispute.debt.debtor, at=dispute.received_at)
        return "yes" if min(days) <= notice.period_ends_on else "no"

    def listings(self, request: HttpRequest, obj: Dispute) -> list[Listing]:
        columns = {"File": lambda document: document.name, "Type": lambda document: document.content_type}
        return [listing("Documents", obj.documents.all(), columns, q=obj.debt.debtor_id)]

    # --- Permissions

    has_ask_permission = offered(Q(status=Status.RECEIVED), "collections.change_dispute")
    has_decide_permission = offered(_AWAITING_CREDITOR, "collections.decide_dispute")
    has_adjust_permission = offered(_AWAITING_CREDITOR, "collections.decide_dispute", "collections.adjust_debt")
    has_recall_permission = offered(_AWAITING_CREDITOR, "collections.decide_dispute", "collections.close_debt")
    has_withdraw_permission = offered(Q(status__in=Dispute.OPEN), "collections.decide_dispute")

    # --- Actions

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Dispute:
        return disputes.receive(**fields, by=request.user, now=now())  # type: ignore[arg-type]

    @admin.action(description="Ask creditor", permissions=["ask"])
    def ask_creditor_selected(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> None:
        self.each_selected(request, queryset, disputes.ask_creditor, done="waiting for the creditor")

    @action(description="Ask creditor", permissions=["ask"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def ask_creditor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Record that the creditor was asked to prove this debt"
        return self.step(request, object_id, forms.Form, disputes.ask_creditor, title=title, button="Record")

    @action(description="Verify debt", permissions=["decide"])  # type: ignore[untyped-decorator]
    def verify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request,
            object_id,
            VerifyForm,
            disputes.verify,
            title="The creditor proved the debt",
            button="Resume collection",
        )

    @action(description="Adjust balance", permissions=["adjust"])  # type: ignore[untyped-decorator]
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(request, object_id, AdjustForm, disputes.adjust, title="Correct the balance", button="Post")

    @action(description="Withdraw dispute", permissions=["withdraw"])  # type: ignore[untyped-decorator]
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request,
            object_id,
            AnswerForm,
            disputes.withdraw,
            title="The debtor withdrew the dispute",
            button="Resume collection",
        )

    @action(description="Recall debt", permissions=["recall"], variant=ActionVariant.DANGER)  # type: ignore[untyped-decorator]
    def recall(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Return the debt to the creditor"
        return self.step(request, object_id, AnswerForm, disputes.recall, title=title, button="Close debt")


def of_debt(request: HttpRequest, debt: Debt) -> Listing:
    """List a debt's disputes."""
    may_enter = debt.is_open and request.user.has_perm("collections.add_dispute")
    add = adding(Dispute, debt=debt.pk) if may_enter else None
    return listing("Disputes", Dispute.objects.filter(debt=debt), _COLUMNS, add=add, debt__id__exact=debt.pk)


def of_debtor(debtor: Debtor) -> Listing:
    """List the disputes of all debts of a debtor."""
    rows = Dispute.objects.filter(debt__debtor=debtor).select_related("debt")
    return listing("Disputes", rows, _COLUMNS | {"Debt": lambda dispute: dispute.debt}, q=debtor.pk)
