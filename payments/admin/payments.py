"""Admin pages of payments."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from collection import search
from collection.admin import ledger
from collection.models import LedgerEntry
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DecimalField, UnchangedSinceForm
from ddc.common.admin.listings import Listing
from ddc.common.admin.pages import SMALLEST, ReadOnlyAdmin, amount, column, unbroken
from ddc.common.admin.workflow import offered
from ddc.common.days import agency_today, begun
from payments import posting, returns
from payments.admin.credits import refunds_of
from payments.admin.receipt_forms import direction_field, show_direction
from payments.models import IdempotencyKey, Payment, PaymentStatus, Refund

_MONEY = ("debt", "amount", "currency_code", "status", "payment_date", "allocation")


class PaymentForm(UnchangedSinceForm):
    allocation = direction_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "allocation" in self.fields:
            show_direction(self, self.instance.allocation)
        for name in ("currency_code", "payment_date"):
            if name in self.fields:
                self.fields[name].required = False
        if "currency_code" in self.fields:
            self.fields["currency_code"].help_text = "The debt's currency if empty."
        if self.instance._state.adding and "payment_date" in self.fields:
            self.initial.setdefault("payment_date", agency_today(now()))


class ReturnForm(forms.Form):
    """How much of a payment goes back, and why."""

    amount = DecimalField(required=False, min_value=SMALLEST, widget=UnfoldAdminDecimalFieldWidget())
    reason = forms.CharField(max_length=255, required=False, widget=UnfoldAdminTextInputWidget())

    def __init__(self, payment: Payment, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        left = amount(payment.amount - payment.refunded_amount, payment.currency_code)
        self.fields["amount"].help_text = f"All that is left if empty: {left}"


@admin.register(Payment)
class PaymentAdmin(DomainAdmin):
    form = PaymentForm
    list_display = ("payment_date", "paid", "status", "payment_method", "owed", "debtor", "processor_txn_id")
    list_filter = ("status", "payment_method", "payment_date")
    list_select_related = ("debt__debtor",)
    search_fields = ("processor_txn_id",)
    search_help_text = (
        "The debtor's name, e-mail address or phone, part of the reference, or the whole id of the transaction"
    )
    autocomplete_fields = ("debt",)
    actions_detail = ("charge_back", "refund", "reverse")
    readonly_fields = ("recorded_by", "created_at", "updated_at", "went_back", "charged_back_at")
    fields = (
        "debt",
        ("amount", "currency_code"),
        ("payment_method", "status"),
        ("payment_date", "processor_txn_id"),
        "allocation",
    )
    bounds = {"amount": (SMALLEST, None)}

    def search_filter(self, text: str) -> Q:
        return Q(processor_txn_id=text) | Q(debt__in=search.debts(text))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return (
            (*self.fields, ("went_back", "charged_back_at"), "recorded_by", ("created_at", "updated_at"))
            if obj
            else self.fields
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Make a posted payment's money read-only, except for agents who may reverse it."""
        posted = obj is not None and obj.status == PaymentStatus.COMPLETED
        fixed = _MONEY if posted and not request.user.has_perm("payments.reverse_payment") else ()
        return (*self.readonly_fields, *fixed)

    paid = column("Amount", lambda payment: unbroken(amount(payment.amount, payment.currency_code)), ordering="amount")
    went_back = column("Refunded", lambda payment: amount(payment.refunded_amount or None, payment.currency_code))
    owed = column("Debt", lambda payment: unbroken(payment.debt))
    debtor = column("Debtor", lambda payment: payment.debt.debtor)

    def listings(self, request: HttpRequest, obj: Payment) -> list[Listing]:
        entries = ledger.listing_of(LedgerEntry.objects.filter(payment_id=obj.pk), payment_id__exact=obj.pk)
        return [entries, refunds_of(Refund.objects.filter(payment=obj), payment__id__exact=obj.pk)]

    has_reverse_permission = offered(Q(status=PaymentStatus.COMPLETED), "payments.reverse_payment")

    @action(description="Reverse", permissions=["reverse"])  # type: ignore[untyped-decorator]
    def reverse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            forms.Form(request.POST or None),
            lambda payment, _: self.amend(request, payment, {"status": PaymentStatus.REFUNDED}),
            title="Reverse this payment? The debt's balance goes back up.",
            button="Reverse",
            done="The payment is reversed.",
        )

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Payment:
        return posting.record(**fields, by=request.user, today=agency_today(now()), begun=begun(now()))  # type: ignore[arg-type]

    def amend(self, request: HttpRequest, obj: Payment, changes: dict[str, Any]) -> Payment:
        return posting.amend(obj, by=request.user, today=agency_today(now()), begun=begun(now()), **changes)  # type: ignore[arg-type]

    def remove(self, request: HttpRequest, obj: Payment) -> None:
        posting.void(obj, by=request.user, today=agency_today(now()))  # type: ignore[arg-type]

    @action(description="Charge back", permissions=["reverse"])  # type: ignore[untyped-decorator]
    def charge_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(payment: Payment, fields: dict[str, Any]) -> None:
            moment = now()
            returns.charge_back(payment, **fields, by=request.user, now=moment, today=agency_today(moment))  # type: ignore[arg-type]

        form = ReturnForm(self.one(request, object_id), request.POST or None)
        title, done = "Book a charge-back, effective on the day of the payment", "The charge-back is booked."
        return self.do_to_one(request, object_id, form, act, title=title, button="Book charge-back", done=done)

    has_refund_permission = offered(Q(status=PaymentStatus.COMPLETED), "payments.add_refund")

    @action(description="Refund to the payer", permissions=["refund"])  # type: ignore[untyped-decorator]
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(payment: Payment, fields: dict[str, Any]) -> None:
            returns.propose_refund(payment, **fields, by=request.user, now=now())  # type: ignore[arg-type]

        form = ReturnForm(self.one(request, object_id), request.POST or None)
        title, done = "Propose to pay this back to the payer. A second person approves it", "The refund is proposed."
        return self.do_to_one(request, object_id, form, act, title=title, button="Propose", done=done)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("key", "caller", "status", "created_at")
    list_filter = ("created_at",)
