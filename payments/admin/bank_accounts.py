"""The page of bank accounts: one person proposes an account, another approves it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant

from ddc.common.admin.forms import DomainForm
from ddc.common.admin.pages import column
from ddc.common.admin.workflow import ConditionFilter, WorkflowAdmin, offered
from payments import bank_accounts
from payments.models import BankAccount


class AccountForm(DomainForm):
    class Meta:
        model = BankAccount
        fields = ("creditor", "currency_code", "holder", "iban", "bic")


class StateFilter(ConditionFilter):
    title, parameter_name = "state", "state"
    conditions = {
        "proposed": ("To decide", Q(decision=None)),
        "now": ("In force", Q(decision="approved", replaced_at=None)),
        "before": ("Replaced", Q(replaced_at__isnull=False)),
    }


@admin.register(BankAccount)
class BankAccountAdmin(WorkflowAdmin):
    form = AccountForm
    list_display = ("owner", "currency_code", "holder", "iban", "state", "proposed_by", "decided_by")
    list_display_links = ("owner",)
    list_filter = (StateFilter, "currency_code")
    list_select_related = ("creditor", "proposed_by", "decided_by")
    search_fields = ("id",)
    search_help_text = "Part of the creditor's or the holder's name, an IBAN, or an id"
    autocomplete_fields = ("creditor",)
    actions = ()
    actions_detail = ("approve", "reject")
    entered = (("creditor", "currency_code"), "holder", ("iban", "bic"))
    fieldsets = (
        (None, {"fields": (("owner", "currency_code"), "holder", ("iban", "bic"), ("state", "replaced_at"))}),
        ("Four eyes", {"fields": (("proposed_by", "created_at"), ("decided_by", "decided_at"))}),
    )

    owner = column("Account of", lambda account: account.creditor or "The agency")
    state = column("State", lambda account: account.status.capitalize())

    def search_filter(self, text: str) -> Q:
        compact = "".join(text.split()).upper()
        return Q(creditor__name__icontains=text) | Q(holder__icontains=text) | Q(iban=compact)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> BankAccount:
        fields = {name: value or ("" if name == "bic" else None) for name, value in fields.items()}
        return bank_accounts.propose(BankAccount(**fields), by=request.user, now=now())  # type: ignore[arg-type]

    has_approve_permission = offered(Q(decision=None), "payments.decide_bankaccount")
    has_reject_permission = offered(Q(decision=None), "payments.add_bankaccount")

    @action(description="Approve", permissions=["approve"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Ask debtors to transfer their money to this account? It replaces the one before"
        return self.step(
            request, object_id, forms.Form, bank_accounts.approve, title=title, button="Approve", done="Approved."
        )

    @action(description="Reject", permissions=["reject"])  # type: ignore[untyped-decorator]
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Do not use this account?"
        return self.step(
            request, object_id, forms.Form, bank_accounts.reject, title=title, button="Reject", done="Rejected."
        )
