"""Admin pages of debts: their list and their form; ``casework/admin/person`` makes a page of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from collection import debts, search
from collection.admin.account_forms import ACTIONS, AccountActions
from collection.models import OPEN, Debt, DebtStatus
from contact import explain, facts
from ddc.common import money
from ddc.common.admin.forms import DecimalField, DomainForm, UnchangedSinceField, currency_field
from ddc.common.admin.pages import SMALLEST, amount, column, unbroken
from ddc.common.days import agency_today


class DebtForm(DomainForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("current_balance", "placement_date"):
            if name in self.fields:
                self.fields[name].required = False
        if "current_balance" in self.fields:
            self.fields["current_balance"].help_text = "The original balance if empty."
        if "current_status" in self.fields:
            status: Any = self.fields["current_status"]
            status.choices = [choice for choice in DebtStatus.choices if choice[0] in OPEN]
        if self.instance._state.adding:
            self.initial.setdefault("placement_date", agency_today(now()))


class AmountsForm(forms.Form):
    """The amounts of a debt. A change is posted as an adjustment or as a new placement."""

    current_balance = DecimalField(min_value=0, widget=UnfoldAdminDecimalFieldWidget())
    original_balance = DecimalField(
        min_value=SMALLEST, widget=UnfoldAdminDecimalFieldWidget(), help_text="Fixed once there are payments."
    )
    currency_code = currency_field(label="Currency", help_text="Fixed once there are payments.")
    if_unchanged_since = UnchangedSinceField()


class StatusForm(forms.Form):
    """The next status of a debt."""

    current_status = forms.ChoiceField(
        label="Status",
        widget=UnfoldAdminSelectWidget(),
        help_text="Settled and written off post the balance as a write-off. Recalled keeps it outside all sums.",
    )
    status_reason = forms.CharField(
        label="Reason",
        max_length=500,
        required=False,
        empty_value=None,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Why an open status is set by hand.",
    )
    status_until = forms.DateField(
        label="Until",
        required=False,
        widget=UnfoldAdminDateWidget(),
        help_text="The first day without an open status set by hand; empty: open-ended.",
    )
    if_unchanged_since = UnchangedSinceField()

    def __init__(self, debt: Debt, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: tuple[DebtStatus, ...] = (DebtStatus.ACTIVE,)
        if debt.is_open:
            choices = (*OPEN, DebtStatus.SETTLED, DebtStatus.WRITTEN_OFF, DebtStatus.RECALLED)
        elif debt.current_status == DebtStatus.PAID:
            choices = ()  # It follows the balance.
        field: Any = self.fields["current_status"]
        field.choices = [(status.value, status.label) for status in choices if status != debt.current_status]


@admin.register(Debt)
class DebtAdmin(AccountActions):
    form = DebtForm
    list_display = (
        "reference",
        "debtor",
        "creditor",
        "balance",
        "current_status",
        "due_date",
        "placement_date",
    )
    list_filter = ("current_status", "segment", "placement_date", "due_date")
    search_fields = ("external_reference",)
    search_help_text = "Part of the reference; the debtor's name, e-mail address, phone or postcode; or an id"
    empty_text = "Creditors place debts by files or over the API."
    empty_link = ("collections.import_placements", "admin:collections_placementimport_add", "Import a placement file.")
    autocomplete_fields = ("creditor", "debtor", "segment")
    actions_detail = ("correct_amounts", "change_status", *ACTIONS)
    bounds = {"original_balance": (SMALLEST, None), "p2p_score": (0, 1)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Debt]:
        found: QuerySet[Debt] = super().get_queryset(request)
        return found.select_related("creditor", "debtor", "segment")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        amounts = (
            (("balance", "original"), ("current_status", "disputed"), "by_hand")
            if obj
            else (("original_balance", "currency_code"), ("current_balance", "current_status"))
        )
        collection = (("placement_date", "due_date"), ("p2p_score", "segment"))
        return (
            (None, {"fields": ("debtor", ("creditor", "external_reference"))}),
            ("Amounts", {"fields": amounts}),
            ("Collection", {"fields": (*collection, "limitation") if obj else collection}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("balance", "original", "disputed", "debtor", "current_status", "by_hand", "limitation") if obj else ()

    def search_filter(self, text: str) -> Q:
        return Q(pk__in=search.debts(text))

    def option_label(self, obj: Debt) -> str:
        balance = amount(obj.current_balance, obj.currency_code)
        return f"{obj}, {obj.creditor}, {obj.debtor}, {balance}, {obj.get_current_status_display().lower()}"

    reference = column("Debt", lambda debt: unbroken(debt), ordering="external_reference")
    balance = column(
        "Balance", lambda debt: unbroken(amount(debt.current_balance, debt.currency_code)), ordering="current_balance"
    )
    original = column("Original balance", lambda debt: amount(debt.original_balance, debt.currency_code))
    disputed = column(
        "Disputed", lambda debt: amount(min(debt.disputed_amount, debt.current_balance) or None, debt.currency_code)
    )

    @admin.display(description="Limitation period")
    def limitation(self, debt: Any) -> str:
        if not hasattr(debt, "limitation_words"):  # A page asks for a field several times.
            known = facts.limitations([debt], now=now()).get(debt.pk)
            debt.limitation_words = explain.limitation(known, now()) or "-"
        return str(debt.limitation_words)

    @admin.display(description="Set by hand")
    def by_hand(self, debt: Debt) -> str:
        """Return the status that an agent set, with its author, time, reason and end."""
        if debt.hand_status is None:
            return "-"
        words = [debt.get_hand_status_display(), f"by {debt.hand_status_by or 'the system'}"]
        words.append(f"on {debt.hand_status_at:%Y-%m-%d}")
        if debt.hand_status_until:
            words.append(f"until {debt.hand_status_until}")
        return " ".join(words) + (f": {debt.hand_status_reason}" if debt.hand_status_reason else "")

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Debt:
        return debts.place(**_with_creditor_name(fields), by=request.user, today=agency_today(now()))  # type: ignore[arg-type]

    def amend(self, request: HttpRequest, obj: Debt, changes: dict[str, Any]) -> Debt:
        return debts.amend(obj, by=request.user, today=agency_today(now()), **_with_creditor_name(changes))  # type: ignore[arg-type]

    def remove(self, request: HttpRequest, obj: Debt) -> None:
        debts.delete(obj, by=request.user, today=agency_today(now()))  # type: ignore[arg-type]

    def has_adjust_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        # If the action named the permission, unfold would look for it before the tables exist.
        return request.user.has_perm("collections.adjust_debt")

    @action(description="Correct amounts", permissions=["adjust"])  # type: ignore[untyped-decorator]
    def correct_amounts(self, request: HttpRequest, object_id: str) -> HttpResponse:
        debt = self.one(request, object_id)
        initial = _unchanged_since(debt) | {
            "current_balance": money.text(debt.current_balance, debt.currency_code),
            "original_balance": money.text(debt.original_balance, debt.currency_code),
            "currency_code": debt.currency_code,
        }
        form = AmountsForm(request.POST or None, initial=initial)
        return self._amend_by(
            request, object_id, form, title="Correct amounts", button="Post", done="Amounts corrected."
        )

    @action(description="Change status", permissions=["change"])  # type: ignore[untyped-decorator]
    def change_status(self, request: HttpRequest, object_id: str) -> HttpResponse:
        debt = self.one(request, object_id)
        form = StatusForm(debt, request.POST or None, initial=_unchanged_since(debt))
        return self._amend_by(request, object_id, form, title="Change status", button="Change", done="Status changed.")

    def _amend_by(self, request: HttpRequest, object_id: str, form: forms.Form, **words: str) -> HttpResponse:
        def amend(debt: Debt, fields: dict[str, Any]) -> None:
            self.amend(request, debt, fields)

        return self.do_to_one(request, object_id, form, amend, **words)


def _with_creditor_name(fields: dict[str, Any]) -> dict[str, Any]:
    """Replace the chosen creditor by its name, which the domain functions take."""
    creditor = fields.pop("creditor", None)
    return fields | {"original_creditor": creditor.name} if creditor else fields


def _unchanged_since(debt: Debt) -> dict[str, Any]:
    return {"if_unchanged_since": debt.updated_at.isoformat()}
