"""The pages of receipts: money in suspense on the left, debts that it may be for on the right; one key books it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.timezone import now
from unfold.decorators import action

from casework.admin import work
from collection import search
from collection.models import Debt
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import link
from ddc.common.admin.pages import SMALLEST, amount, column, unbroken, when
from ddc.common.admin.workflow import ConditionFilter, WorkflowAdmin, offered
from ddc.common.days import agency_today
from ddc.common.errors import DomainError
from payments import creditor_dues, credits, funding, receipts, receipts_matching
from payments.admin.receipt_forms import BookForm, RefundForm
from payments.models import Payment, Receipt, ReceiptAllocation

_WAITS = Q(suspense__isnull=False)
_BOOK, _UNDO = "payments.add_receiptallocation", "payments.reverse_payment"
#: So many charge-backs of a creditor are offered to set a receipt off against.
_MOST_DUE = 5


class StateFilter(ConditionFilter):
    title = "state"
    parameter_name = "state"
    conditions = {"suspense": ("In suspense", _WAITS), "booked": ("Booked", ~_WAITS)}


class NewReceiptForm(DomainForm):
    class Meta:
        model = Receipt
        fields = (
            "source", "provider", "provider_id", "amount", "currency_code", "reference", "payer_name", "payer_account",
            "creditor", "value_date",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "source" in self.fields:
            source: Any = self.fields["source"]
            source.choices = [choice for choice in Receipt.Source.choices if choice[0] != Receipt.Source.CHARGEBACK]
            self.initial.setdefault("value_date", agency_today(now()))


@admin.register(Receipt)
class ReceiptAdmin(WorkflowAdmin):
    form = NewReceiptForm
    change_form_template = "payments/receipt.html"
    list_display = ("value_date", "received", "open", "payer_name", "text", "source", "why")
    list_filter = (StateFilter, "source", "value_date")
    search_fields = ("id",)
    search_help_text = "The payer's account, the provider's id, or a person or reference that it was booked to"
    autocomplete_fields = ("creditor",)
    ordering = ("-created_at", "-id")
    actions = ()
    actions_detail = ("book_elsewhere", "refund")
    bounds = {"amount": (SMALLEST, None)}
    entered = (
        ("source", "value_date"), ("amount", "currency_code"), "reference", ("payer_name", "payer_account"),
        ("provider", "provider_id"), "creditor",
    )  # fmt: skip
    fieldsets = ((None, {"fields": ("received", "value_date")}),)

    received = column("Amount", lambda row: unbroken(amount(row.amount, row.currency_code)), ordering="amount")
    open = column("Not booked", lambda row: unbroken(amount(row.rest, row.currency_code)))
    text = column("Reference", lambda row: row.reference[:80] or "-")
    why = column("In suspense", lambda row: row.suspense_text or "-")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return funding.with_rest(super().get_queryset(request).select_related("suspense", "creditor"))

    def search_filter(self, text: str) -> Q:
        paid = Payment.objects.filter(debt__in=search.debts(text)).values("pk")
        booked = ReceiptAllocation.objects.filter(payment_id__in=paid).values("receipt")
        account = "".join(text.split())
        return Q(payer_account=account) | Q(provider_id=text) | Q(pk__in=booked)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Receipt:
        agent: Any = request.user
        fields = {name: "" if value is None and name != "provider_id" else value for name, value in fields.items()}
        fields["creditor"] = fields["creditor"] or None
        return receipts.record(**fields, by=agent, today=agency_today(now()), now=now())

    # --- The page

    def get_urls(self) -> list[URLPattern]:
        steps = {"book": self.book, "offset": self.offset, "undo": self.undo}
        own = [
            path(f"<uuid:object_id>/{name}/", self.admin_site.admin_view(step), name=f"payments_receipt_{name}")
            for name, step in steps.items()
        ]
        return [*own, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        receipt = kwargs.get("obj")
        if receipt is not None:
            context = {**context, **self._page(request, receipt)}
        return super().render_change_form(request, context, *args, **kwargs)

    def _page(self, request: HttpRequest, receipt: Any) -> dict[str, Any]:
        agent: Any = request.user
        waits = receipt.suspense_reason is not None
        proposals = receipts_matching.proposals(receipt) if waits and receipt.amount > 0 else []
        return {
            "receipt": receipt,
            "received": amount(receipt.amount, receipt.currency_code),
            "left": amount(receipt.rest, receipt.currency_code),
            "is_partly_booked": waits and receipt.rest != receipt.amount,
            "proposals": [_proposal(one, receipt) for one in proposals],
            "due": _due(receipt) if waits and receipt.amount > 0 else [],
            "allocations": _allocations(receipt),
            "may_book": waits and agent.has_perm(_BOOK),
            "may_undo": agent.has_perm(_UNDO),
        }

    # --- Steps

    def book(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Book what is left to a debt, and what exceeds it to the credit of its person."""

        def act(receipt: Receipt, by: Any) -> str:
            debt = Debt.objects.get(pk=request.POST.get("debt", ""))
            receipts.book_to(
                receipt, debt, by=by, today=agency_today(now()), now=now(), why=request.POST.get("why", "")[:200]
            )
            return f"Booked to {debt}."

        return self._step(request, object_id, _BOOK, act)

    def offset(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Set what is left off against a charge-back of the creditor."""

        def act(receipt: Receipt, by: Any) -> str:
            due = Receipt.objects.get(pk=request.POST.get("counterpart", ""))
            creditor_dues.set_off(receipt, due, by=by, now=now())
            return "Set off against the charge-back."

        return self._step(request, object_id, _BOOK, act)

    def undo(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Undo a booking by a reversal."""

        def act(receipt: Receipt, by: Any) -> str:
            made = ReceiptAllocation.objects.get(pk=request.POST.get("allocation", ""), receipt=receipt)
            receipts.undo(made, by=by, today=agency_today(now()), now=now())
            return "Undone by a reversal. The money waits in suspense again."

        return self._step(request, object_id, _UNDO, act, opens_next=False)

    def _step(
        self,
        request: HttpRequest,
        object_id: Any,
        permission: str,
        act: Callable[[Receipt, Any], str],
        *,
        opens_next: bool = True,
    ) -> HttpResponse:
        """Do one step by POST; then open the next receipt for those who work through suspense, else this one."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        agent: Any = request.user
        if not agent.has_perm(permission):
            raise PermissionDenied
        receipt = self.one(request, str(object_id))
        page = self.page_of(object_id)
        try:
            with transaction.atomic():
                done = act(receipt, agent)
                self.log_change(request, receipt, done)
        except (DomainError, ObjectDoesNotExist, ValidationError) as error:
            words = error.message if isinstance(error, DomainError) else "This does not exist any more."
            self.message_user(request, words, messages.ERROR)
            return HttpResponseRedirect(page)
        self.message_user(request, format_html('{} <a href="{}">{}</a>', done, page, receipt), messages.SUCCESS)
        bar = work.bar(request) if opens_next else None
        if bar is not None and bar.item == receipt and not bar.is_open:
            return HttpResponseRedirect(bar.next_url)
        return HttpResponseRedirect(page)

    has_book_permission = offered(_WAITS & Q(amount__gt=0), _BOOK)
    has_refund_permission = offered(_WAITS & Q(amount__gt=0), "payments.add_refund")

    @action(description="Book to another debt", permissions=["book"])  # type: ignore[untyped-decorator]
    def book_elsewhere(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(receipt: Receipt, fields: dict[str, Any]) -> None:
            by: Any = request.user
            today, moment, debt, sum_ = agency_today(now()), now(), fields["debt"], fields["amount"]
            if sum_ is None and not fields["to_credit"]:
                chosen = {"allocation": fields["allocation"], "why": "Chosen by hand"}
                receipts.book_to(receipt, debt, by=by, today=today, now=moment, **chosen)
                return
            part = sum_ or funding.rest(receipt).normalize()
            line = receipts.Line(debt, part, fields["to_credit"], fields["allocation"])
            receipts.book(receipt, [line], by=by, today=today, now=moment, why="Chosen by hand")

        form = BookForm(request.POST or None)
        title = "Book to a debt that is not proposed"
        return self.do_to_one(request, object_id, form, act, title=title, button="Book", done="Booked.")

    @action(description="Refund to the payer", permissions=["refund"])  # type: ignore[untyped-decorator]
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Propose to pay this back to its payer. A second person approves it"
        return self.step(
            request,
            object_id,
            RefundForm,
            credits.propose_refund_of_receipt,
            title=title,
            button="Propose",
            done="The refund is proposed.",
        )


def _proposal(one: receipts_matching.Proposal, receipt: Receipt) -> dict[str, Any]:
    debt = one.debt
    return {
        "debt": debt,
        "link": link(debt),
        "person": link(debt.debtor),
        "creditor": debt.creditor,
        "balance": amount(debt.current_balance, debt.currency_code),
        "status": debt.get_current_status_display(),
        "is_open": debt.is_open,
        "fits": debt.currency_code == receipt.currency_code,
        "reasons": one.reasons,
        "why": ", ".join(one.reasons).capitalize(),
        "score": one.score,
    }


def _due(receipt: Receipt) -> list[dict[str, Any]]:
    """Return the charge-backs that the receipt's creditor owes."""
    if receipt.creditor_id is None and receipt.source != Receipt.Source.CREDITOR:
        return []
    rows = Receipt.objects.filter(_WAITS, amount__lt=0, currency_code=receipt.currency_code)
    if receipt.creditor_id is not None:
        rows = rows.filter(creditor=receipt.creditor_id)
    found = rows.select_related("creditor").order_by("suspense__since")[:_MOST_DUE]
    return [
        {"receipt": one, "rest": amount(-funding.rest(one), one.currency_code), "creditor": one.creditor}
        for one in found
    ]


def _allocations(receipt: Receipt) -> list[dict[str, Any]]:
    """Return the parts of a receipt with what they were booked to, oldest first."""
    rows = receipt.allocations.select_related("by", "credit__debtor", "refund", "counterpart", "reversed_by")
    found = list(rows.order_by("created_at", "id")[:50])
    payments = Payment.objects.select_related("debt").in_bulk([one.payment_id for one in found if one.payment_id])
    return [
        {
            "id": one.pk,
            "kind": f"Undone: {one.get_kind_display().lower()}" if one.reverses_id else one.get_kind_display(),
            "target": _target(one, payments),
            "amount": amount(one.amount, receipt.currency_code),
            "by": one.by or "System",
            "when": when(one.created_at),
            "why": one.why,
            "went_back": _went_back(payments.get(one.payment_id) if one.payment_id else None),
            "may_undo": not one.reverses_id and not hasattr(one, "reversed_by") and one.kind != funding.Kind.REFUND,
        }
        for one in found
    ]


def _went_back(payment: Payment | None) -> str:
    """Describe the part of a payment that went back since."""
    if payment is None or not payment.refunded_amount:
        return ""
    how = f"charged back on {when(payment.charged_back_at)}" if payment.charged_back_at else "refunded to the payer"
    return f"{amount(payment.refunded_amount, payment.currency_code)} of it went back: {how}"


def _target(allocation: ReceiptAllocation, payments: dict[Any, Payment]) -> Any:
    if allocation.payment_id:
        payment = payments.get(allocation.payment_id)
        return link(payment.debt) if payment else "A payment that was voided"
    if allocation.credit:
        return link(allocation.credit.debtor)
    return link(allocation.counterpart) if allocation.counterpart else link(allocation.refund)  # type: ignore[arg-type]
