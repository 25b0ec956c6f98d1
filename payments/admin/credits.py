"""The pages of credits and refunds."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from collection import search
from collection.models import Debt
from ddc.common.admin.forms import DecimalField, ReferenceField
from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import SMALLEST, amount, column, unbroken, when
from ddc.common.admin.workflow import OpenFilter, WorkflowAdmin, offered
from ddc.common.days import agency_today
from payments import credits, funding
from payments.models import Credit, CreditEntry, Refund

_MOST_DEBTS = 50


class ApplyForm(forms.Form):
    """An open debt of the same person with the same creditor."""

    debt = ReferenceField(queryset=Debt.objects.none(), empty_label=None, widget=UnfoldAdminSelectWidget())
    amount = DecimalField(min_value=SMALLEST, widget=UnfoldAdminDecimalFieldWidget())

    def __init__(self, credit: Credit, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        same = {"debtor": credit.debtor_id, "creditor": credit.creditor_id, "currency_code": credit.currency_code}
        field: Any = self.fields["debt"]
        field.queryset = Debt.objects.open().filter(**same)
        shown = field.queryset.order_by("due_date", "created_at")[:_MOST_DEBTS]
        field.widget.choices = [
            (debt.pk, f"{debt}: {amount(debt.current_balance, debt.currency_code)}") for debt in shown
        ]


class RefundForm(forms.Form):
    amount = DecimalField(min_value=SMALLEST, widget=UnfoldAdminDecimalFieldWidget())
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget())


class NoteForm(forms.Form):
    note = forms.CharField(max_length=500, required=False, widget=UnfoldAdminTextInputWidget())


@admin.register(Credit)
class CreditAdmin(WorkflowAdmin):
    list_display = ("debtor", "creditor", "has", "created_at")
    list_select_related = ("debtor", "creditor")
    list_filter = ("currency_code", "created_at")
    search_fields = ("id",)
    search_help_text = "The person's name, e-mail address, phone or reference, or an id"
    actions = ()
    actions_detail = ("apply", "refund")
    fieldsets = ((None, {"fields": (("debtor", "creditor"), ("has", "created_at"))}),)

    has = column("Credit", lambda row: unbroken(amount(row.balance, row.currency_code)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return funding.with_balance(super().get_queryset(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debtor=key)

    def listings(self, request: HttpRequest, obj: Credit) -> list[Listing]:
        entries = CreditEntry.objects.filter(credit=obj).select_related("by")[:50]
        rows = [
            [
                when(one.created_at),
                one.get_kind_display(),
                amount(one.amount, obj.currency_code),
                one.by or "System",
            ]
            for one in entries
        ]
        entered = Listing("Entries", ["Time", "Kind", "Amount", "By"], rows, "")
        return [entered, refunds_of(Refund.objects.filter(credit=obj), credit__id__exact=obj.pk)]

    has_apply_permission = offered(Q(), "payments.apply_credit")
    has_refund_permission = offered(Q(), "payments.add_refund")

    @action(description="Apply to a debt", permissions=["apply"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def apply(self, request: HttpRequest, object_id: str) -> HttpResponse:
        by: Any = request.user
        return self.do_to_one(
            request,
            object_id,
            ApplyForm(self.one(request, object_id), request.POST or None),
            lambda credit, fields: credits.apply(credit, **fields, by=by, today=agency_today(now()), now=now()),
            title="Pay a debt out of this credit",
            button="Apply",
            done="Applied.",
        )

    @action(description="Refund to the payer", permissions=["refund"])  # type: ignore[untyped-decorator]
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Propose to pay this back to the payer. A second person approves it"
        done = "The refund is proposed."
        return self.step(
            request, object_id, RefundForm, credits.propose_refund, title=title, button="Propose", done=done
        )


class DecidedFilter(OpenFilter):
    title = "decision"
    parameter_name = "decided"
    field = "decision"
    still_open = "To decide"
    done = "Decided"


@admin.register(Refund)
class RefundAdmin(WorkflowAdmin):
    list_display = ("paid_back", "payer", "reason", "proposed_by", "created_at", "decision", "decided_by")
    list_filter = (DecidedFilter, "decision", "created_at")
    list_select_related = ("receipt", "payment__debt__debtor", "proposed_by", "decided_by")
    search_fields = ("id",)
    search_help_text = "The person's name, e-mail address, phone or reference, or an id"
    ordering = ("created_at", "id")
    actions = ()
    actions_detail = ("approve", "reject")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("paid_back", "payer"),
                    ("receipt", "credit"),
                    ("payment", "value_date"),
                    "reason",
                    ("proposed_by", "created_at"),
                )
            },
        ),
        ("Decision", {"fields": (("decision", "decided_by"), ("decided_at", "decision_note"))}),
    )

    paid_back = column("Amount", lambda row: unbroken(amount(row.amount, row.currency_code)))
    payer = column("Payer", lambda row: row.payer or "-")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def search_filter(self, text: str) -> Q:
        people = search.debtors(text)
        return Q(credit__debtor__in=people) | Q(payment__debt__debtor__in=people)

    has_approve_permission = offered(Q(decision=None), "payments.decide_refund")
    has_reject_permission = offered(Q(decision=None), "payments.add_refund")

    @action(description="Approve", permissions=["approve"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Pay this back to the payer"
        return self.step(request, object_id, NoteForm, credits.approve, title=title, button="Approve", done="Approved.")

    @action(description="Reject", permissions=["reject"])  # type: ignore[untyped-decorator]
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Do not pay this back: the money stays, or goes back to where it was"
        return self.step(request, object_id, NoteForm, credits.reject, title=title, button="Reject", done="Rejected.")


def refunds_of(rows: "QuerySet[Refund]", **filters: Any) -> Listing:
    """List refunds on another page."""
    columns = {
        "Refund": lambda refund: amount(refund.amount, refund.currency_code),
        "Status": lambda refund: refund.status.capitalize(),
        "Proposed by": lambda refund: refund.proposed_by or "-",
        "Reason": lambda refund: refund.reason,
    }
    return listing("Refunds", rows.select_related("proposed_by"), columns, **filters)


def of_debtor(debtor: Any) -> Listing:
    """List the credits of a person."""
    columns = {
        "Credit": lambda credit: amount(credit.balance, credit.currency_code),
        "Creditor": lambda credit: credit.creditor,
        "Since": lambda credit: f"{credit.created_at:%Y-%m-%d}",
    }
    rows = funding.with_balance(Credit.objects.filter(debtor=debtor).select_related("creditor"))
    return listing("Credits", rows, columns, debtor__id__exact=debtor.pk)
