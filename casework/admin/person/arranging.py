"""Negotiate an arrangement with a person: the schedule, whose consent it needs, and the offer or the agreement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from agents.models import Agent
from arrangements import computation, decisions, proposals
from arrangements.admin import words
from arrangements.computation import Offer, Schedule
from arrangements.models import Arrangement, Kind
from arrangements.schedules import MOST_INSTALMENTS, Frequency
from casework.admin.person.writing import PREVIEW_HEADER
from casework.admin.words import day, sum_of
from collection.models import Debt, DebtStatus
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DecimalField, add_refusal
from ddc.common.admin.pages import SMALLEST
from ddc.common.errors import DomainError
from debtors import calendars
from debtors.models import Debtor

PERMISSION = "arrangements.add_arrangement"
#: What the buttons do: offer it, or offer it and record that the debtor accepts.
OFFER, AGREED = "offer", "agreed"
_MOST_DEBTS = 50
#: What the form starts with.
_NUMBER, _DAYS_TO_FIRST = 6, 14


def _amount(label: str, **more: Any) -> DecimalField:
    return DecimalField(label=label, min_value=SMALLEST, required=False, widget=UnfoldAdminDecimalFieldWidget(), **more)


class ArrangeForm(forms.Form):
    """The terms of an arrangement on open debts of a person. ``amount`` or ``number`` decides how many instalments there are."""

    amount = _amount("Per instalment")
    number = forms.IntegerField(
        label="or number of instalments",
        min_value=1,
        max_value=MOST_INSTALMENTS,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )
    frequency = forms.ChoiceField(
        label="How often", choices=list(words.FREQUENCIES.items()), widget=UnfoldAdminSelectWidget()
    )
    first = forms.DateField(label="First payment on", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    first_amount = _amount("First payment")
    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label.capitalize()) for kind in (Kind.PLAN, Kind.PROMISE, Kind.SETTLEMENT)],
        widget=UnfoldAdminSelectWidget(),
    )
    percent = _amount("Discount in percent", max_value=Decimal(100))
    discount = _amount("or discount as an amount")
    debts = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple(), error_messages={"required": "Choose at least one open debt."}
    )
    creditor_consent = forms.CharField(
        label="The creditor's consent",
        max_length=255,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Who agreed for the creditor, and how.",
    )
    note = forms.CharField(max_length=1000, required=False, widget=UnfoldAdminTextInputWidget())

    def __init__(self, debtor: Debtor, data: Any, *, debt: Debt | None = None, now: datetime) -> None:
        self.debtor = debtor
        self.open_debts = _open_debts(debtor)
        super().__init__(data if data is not None else self._start(debt, now))
        field: Any = self.fields["debts"]
        field.choices = [(str(each.pk), _label(each)) for each in self.open_debts]

    def _start(self, debt: Debt | None, now: datetime) -> dict[str, Any]:
        """Return the values of a new form: a plan on all debts of one creditor and currency."""
        first = debt or next(iter(self.open_debts), None)
        alike = [each for each in self.open_debts if first and _group(each) == _group(first)]
        chosen = [each for each in alike if debt is None or each == debt]
        return {
            "kind": Kind.PLAN.value,
            "number": str(_NUMBER),
            "frequency": Frequency.MONTHLY.value,
            "first": (calendars.today(self.debtor, at=now) + timedelta(days=_DAYS_TO_FIRST)).isoformat(),
            "debts": [str(each.pk) for each in chosen],
        }

    @property
    def is_settlement(self) -> bool:
        return str(self["kind"].value()) == Kind.SETTLEMENT

    @property
    def chosen(self) -> list[Debt]:
        names = set(self.cleaned_data["debts"])
        return [debt for debt in self.open_debts if str(debt.pk) in names]

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or {}
        if fields.get("amount") and fields.get("number"):
            self.add_error("amount", "Enter either the amount or the number of instalments.")
        if fields.get("percent") and fields.get("discount"):
            self.add_error("percent", "Enter the discount either in percent or as an amount.")
        return fields

    def schedule(self) -> Schedule:
        fields = self.cleaned_data
        return Schedule(
            first=fields["first"],
            number=1 if fields["kind"] == Kind.PROMISE else fields["number"],
            amount=None if fields["kind"] == Kind.PROMISE else fields["amount"],
            first_amount=None if fields["kind"] == Kind.PROMISE else fields["first_amount"],
            frequency=Frequency(fields["frequency"]),
        )

    def discount_of(self, debts: Sequence[Debt]) -> Decimal | None:
        """Return what a settlement gives up, in the debts' currency."""
        fields = self.cleaned_data
        if fields["kind"] != Kind.SETTLEMENT or not debts:
            return None
        if fields["percent"] is None:
            return fields["discount"]  # type: ignore[no-any-return]
        balance = sum((debt.current_balance for debt in debts), Decimal(0))
        return computation.settlement(balance, fields["percent"], debts[0].currency_code)[1]


@dataclass(frozen=True)
class Shown:
    """A computed arrangement in words, or why there is none. Nothing is stored."""

    offer: Offer | None = None
    problem: str = ""
    may_agree: bool = False

    @property
    def needs(self) -> list[str]:
        assert self.offer is not None
        return words.needs({"kind": need.kind.value, "text": need.text} for need in self.offer.needs)

    @property
    def sentence(self) -> str:
        """Write the sums in one sentence."""
        offer = self.offer
        assert offer is not None
        count, last = len(offer.instalments), offer.instalments[-1]
        total = sum_of(offer.total, offer.currency)
        text = (
            f"{total} on {day(last.agreed_on)}"
            if count == 1
            else f"{total} in {count} payments until {day(last.agreed_on)}"
        )
        return f"{text}; {sum_of(offer.discount, offer.currency)} is given up" if offer.discount else text

    @property
    def valid_until(self) -> str:
        assert self.offer is not None
        return day(self.offer.valid_until)

    @property
    def rows(self) -> list[tuple[object, ...]]:
        assert self.offer is not None
        return words.schedule(self.offer.instalments, self.offer.currency)

    @property
    def headers(self) -> tuple[str, ...]:
        return words.SCHEDULE


def show(form: ArrangeForm, agent: Agent, *, now: datetime) -> Shown:
    """Compute the arrangement of the form."""
    if not form.open_debts:
        return Shown(problem="There is no open debt on which an arrangement is possible.")
    if not form.is_valid():
        return Shown(problem=" ".join(str(error) for errors in form.errors.values() for error in errors))
    try:
        offer = computation.compute(
            Kind(form.cleaned_data["kind"]),
            form.chosen,
            debtor=form.debtor,
            schedule=form.schedule(),
            discount=form.discount_of(form.chosen),
            by=agent,
            now=now,
        )
    except DomainError as refusal:
        return Shown(problem=refusal.message)
    return Shown(offer, may_agree=agent.has_perm("arrangements.change_arrangement"))


def page(admin: DomainAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Answer the schedule to the panel, store the arrangement, or show the form again with what was refused."""
    debtor, moment = admin.one(request, object_id), now()
    agent: Any = request.user
    form = ArrangeForm(debtor, request.POST if request.method == "POST" else None, now=moment)
    wanted = request.POST.get("do")
    back = admin.back_to(request) or admin.page_of(debtor.pk)
    shown = show(form, agent, now=moment)
    if request.headers.get(PREVIEW_HEADER):
        return TemplateResponse(request, "casework/arrange_preview.html", {"shown": shown})
    if wanted in (OFFER, AGREED) and shown.offer:
        try:
            with transaction.atomic():
                made = _store(form, agent, is_agreed=wanted == AGREED, now=moment)
                admin.log_change(request, debtor, f"{words.title(made)}: {made.get_status_display()}.")
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _said(made))
            return HttpResponseRedirect(f"{back}?panel=arrange")
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Arrangement with {debtor}",
        "opts": admin.opts,
        "debtor": debtor,
        "arrange_form": form,
        "is_refused": bool(wanted),
        "shown": shown,
        "back": back,
        "arrange_url": request.get_full_path(),
    }
    return TemplateResponse(request, "casework/arrange_page.html", context)


def _store(form: ArrangeForm, agent: Agent, *, is_agreed: bool, now: datetime) -> Arrangement:
    """Propose the arrangement; if the debtor agreed and nobody else has to, accept it."""
    fields, debts = form.cleaned_data, form.chosen
    made = proposals.propose(
        Kind(fields["kind"]),
        debtor=form.debtor,
        debt_ids=[debt.pk for debt in debts],
        schedule=form.schedule(),
        discount=form.discount_of(debts) if fields["percent"] is None else None,
        percent=fields["percent"] if fields["kind"] == Kind.SETTLEMENT else None,
        by=agent,
        source=Arrangement.Source.AGENT,
        note=fields["note"],
        creditor_consent=fields["creditor_consent"],
        now=now,
    )
    if is_agreed and made.status == Arrangement.Status.OFFERED:
        decisions.accept(made, by=agent, now=now)
    return made


def _said(made: Arrangement) -> str:
    match made.status:
        case Arrangement.Status.ACTIVE:
            return f"Agreed: {words.title(made)}."
        case Arrangement.Status.OFFERED:
            return f"Offered until {day(made.expires_on)}: {words.title(made)}." if made.expires_on else "Offered."
    return f"Sent for approval: {words.title(made)}."


def _open_debts(debtor: Debtor) -> list[Debt]:
    """Return the debts on which an arrangement is possible, by creditor and currency, the first due first."""
    rows = Debt.objects.open().filter(debtor=debtor, current_balance__gt=0, disputed_amount=0)
    rows = rows.exclude(current_status=DebtStatus.DISPUTED).select_related("creditor")
    found = list(rows.order_by(F("due_date").asc(nulls_last=True), "id")[:_MOST_DEBTS])
    first = {_group(debt): number for number, debt in reversed(list(enumerate(found)))}
    return sorted(found, key=lambda debt: first[_group(debt)])


def _group(debt: Debt) -> tuple[Any, str]:
    return debt.creditor_id, debt.currency_code


def _label(debt: Debt) -> str:
    return f"{debt.creditor}, {debt}: {sum_of(debt.current_balance, debt.currency_code)}"
