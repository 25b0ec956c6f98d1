"""Pay: choose what and how, the disclosure before the provider's page, the state of a payment, and its receipt."""

import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from arrangements.models import Arrangement
from ddc.common import money
from debtors import calendars
from payments import intents, payable, payment_requests, transfers
from payments.models import Payment, PaymentIntent, ReceiptAllocation
from payments.payable import Payable
from payments.providers.registry import configured
from portal.pages import pages
from portal.pages.forms import PortalForm
from portal.pages.pages import DebtorRequest

Status = PaymentIntent.Status
CARD, TRANSFER = "card", "transfer"


class PayForm(PortalForm):
    """Which debts, how much and how. Without a choice of debts, all of them are meant."""

    debts = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        max_length=20,
        error_messages={"required": gettext_lazy("Please enter an amount, such as 20.50.")},
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "dir": "ltr"}),
    )
    arrangement = forms.UUIDField(required=False, widget=forms.HiddenInput)
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    way = forms.ChoiceField(choices=[(CARD, CARD), (TRANSFER, TRANSFER)], widget=forms.HiddenInput)

    def __init__(self, *args: Any, payables: Sequence[Payable], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["debts"].choices = [(str(one.debt.pk), str(one.debt)) for one in payables]  # type: ignore[attr-defined]

    def clean_amount(self) -> Decimal:
        """Read an amount as people type it: with a point or a comma before the decimals."""
        text = "".join(self.cleaned_data["amount"].split()).replace(",", ".")
        try:
            return money.read(text)
        except money.BadAmount:
            raise forms.ValidationError(self.fields["amount"].error_messages["required"]) from None


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: DebtorRequest) -> HttpResponse:
    """Choose what to pay; one debt is chosen by ``?debt=``."""
    chosen = request.GET.getlist("debt")
    return _choose(request, lambda one: not chosen or str(one.debt.pk) in chosen)


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def pay_request(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Pay what a payment link asks for: its debts and its sum."""
    asked = get_object_or_404(payment_requests.open_ones(now=timezone.now()), pk=pk, debtor=request.debtor)
    debts = set(asked.debts.values_list("pk", flat=True))
    return _choose(request, lambda one: one.debt.pk in debts, amount=asked.amount, arrangement=asked.arrangement)


def _choose(
    request: DebtorRequest, is_meant: Any, *, amount: Decimal | None = None, arrangement: Arrangement | None = None
) -> HttpResponse:
    now = timezone.now()
    payables = [one for one in payable.of(request.debtor, now=now) if is_meant(one)]
    by_currency: dict[str, list[Payable]] = {}
    for one in payables:
        by_currency.setdefault(one.debt.currency_code, []).append(one)
    context: dict[str, Any] = {
        "groups": [_group(request, group, amount, arrangement, now) for group in by_currency.values()],
        "key": uuid.uuid4().hex,
        "has_card": configured() is not None,
        "today": calendars.today(request.debtor, at=now),
    }
    if request.method != "POST":
        return pages.show(request, "pay", form=None, **context)
    form = PayForm(request.POST, payables=payables)

    def act(fields: dict[str, Any]) -> HttpResponse:
        debts = [uuid.UUID(pk) for pk in fields["debts"]] or [one.debt.pk for one in payables]
        if fields["way"] == TRANSFER:
            found = payable.chosen(request.debtor, debts, now=now)
            query = [("debt", pk) for pk in debts] + [("amount", payable.check(found, fields["amount"]))]
            return redirect(f"{reverse('portal-transfer')}?{urlencode(query)}")
        plan = Arrangement.objects.filter(debtor=request.debtor, pk=fields["arrangement"]).first()
        try:
            intent = intents.create(
                request.debtor,
                debts,
                amount=fields["amount"],
                key=fields["key"],
                arrangement=plan,
                language=translation.get_language() or "en",
                now=now,
            )
        except intents.UnderWay as error:
            if error.intent is None:
                raise
            intent = error.intent  # They go on with the first one.
        return redirect("portal-payment", intent.pk)

    return pages.submit(request, "pay", form, act, **context)


def _group(
    request: DebtorRequest, group: Sequence[Payable], amount: Decimal | None, plan: Arrangement | None, now: Any
) -> dict[str, Any]:
    """Return what may be paid in one currency: the next payment of each plan, all, and bounds of another sum."""
    most, currency = payable.most(group), group[0].debt.currency_code
    debts = {one.debt.pk for one in group}
    steps = [one for one in payable.suggested(request.debtor, now=now) if debts.issuperset(one.debt_ids)]
    if plan:
        steps = [one for one in steps if one.arrangement == plan]
    asked = money.rounded(min(amount, most), currency) if amount else None
    return {
        "payables": group,
        "currency": currency,
        "steps": [one for one in steps if asked in (None, one.amount)],
        "asked": None if any(one.amount == asked for one in steps) else asked,
        "most": most,
        "least": min(payable.LEAST, most),
    }


@pages.signed_in
@require_safe
def transfer(request: DebtorRequest) -> HttpResponse:
    """Show how to transfer an amount: account, reference and QR code. The address has all of it, so a reload works."""
    form = PayForm({"way": TRANSFER, "amount": request.GET.get("amount", "")}, payables=())
    debts = [pk for text in request.GET.getlist("debt") if (pk := _uuid(text))]
    if not form.is_valid() or not debts:
        return redirect("portal-pay")
    try:
        found = payable.chosen(request.debtor, debts, now=timezone.now())
        amount = payable.check(found, form.cleaned_data["amount"])
    except (payable.NoSuchDebt, payable.NothingToPay, payable.OneCurrency, payable.NotPayable, money.BadAmount):
        return redirect("portal-pay")
    rows = [
        (one, mark_safe(transfers.qr_code(one.payload)) if one.payload else "")  # noqa: S308 - It consists of numbers.
        for one in transfers.of(found, amount)
    ]
    return pages.show(request, "transfer", rows=rows, amount=amount, currency=found[0].debt.currency_code)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@pages.signed_in
@require_safe
def payment(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the disclosure before the provider's page, and afterwards what became of the payment."""
    intent = get_object_or_404(PaymentIntent, pk=pk, debtor=request.debtor)
    is_open = intent.status in (Status.CREATED, Status.REDIRECTED)
    # A payer who comes back from the provider has paid, as far as they know; its event may come later.
    waits = is_open and "returned" in request.GET
    has_expired = is_open and not waits and intent.expires_at <= timezone.now()
    return pages.show(
        request,
        "payment",
        intent=intent,
        waits=waits,
        may_pay=is_open and not waits and not has_expired and bool(intent.url),
        has_expired=has_expired or intent.status == Status.EXPIRED,
        disclosed=[(one, date.fromisoformat(one["date"])) for one in intent.disclosure["debts"]],
        contact=intent.disclosure["contact"],
    )


@pages.signed_in
@require_safe
def receipt(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the receipt of a payment, to print."""
    rows = PaymentIntent.objects.select_related("receipt").exclude(receipt=None)
    intent = get_object_or_404(rows, pk=pk, debtor=request.debtor)
    booked = ReceiptAllocation.objects.filter(receipt=intent.receipt_id, reverses=None, reversed_by=None)
    payments = Payment.objects.filter(pk__in=booked.values("payment_id")).select_related("debt__creditor")
    credit = sum((one.amount for one in booked if one.kind == ReceiptAllocation.Kind.CREDIT), Decimal(0))
    return pages.show(request, "receipt", intent=intent, came=intent.receipt, payments=payments, credit=credit)
