"""Plans and settlements: computed choices with all dates, consent to one of them, and the running plan with a delay."""

import uuid
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from arrangements import assessment, changes, choices, computation, decisions, policies, proposals
from arrangements.assessment import Step
from arrangements.computation import Offer
from arrangements.models import Arrangement, Instalment, Kind
from arrangements.schedules import Frequency
from collection.models import OPEN, Debt
from ddc.common import money
from ddc.common.errors import DomainError
from debtors import calendars
from portal import account
from portal.pages import home, pages
from portal.pages.forms import PortalForm
from portal.pages.pages import DebtorRequest

#: How many computed plans are offered; people choose more easily among few.
_PLANS = 3
_WANTED = (3, 6, 12)


class OwnAmountForm(PortalForm):
    """What the debtor can pay, and how often. It is sent by GET, so that a reload works."""

    amount = forms.CharField(
        label=gettext_lazy("I can pay"),
        max_length=20,
        error_messages={"required": gettext_lazy("Please enter an amount, such as 20.50.")},
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "dir": "ltr"}),
    )
    every = forms.ChoiceField(
        label=gettext_lazy("every"),
        initial=Frequency.MONTHLY.value,
        widget=forms.RadioSelect,
        choices=[
            (Frequency.WEEKLY.value, gettext_lazy("week")),
            (Frequency.FORTNIGHTLY.value, gettext_lazy("2 weeks")),
            (Frequency.MONTHLY.value, gettext_lazy("month")),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Please choose how often.")),
    )

    def clean_amount(self) -> Any:
        try:
            amount = money.read(self.cleaned_data["amount"].strip().replace(",", "."))
        except money.BadAmount as error:
            raise forms.ValidationError(_("Please enter an amount, such as 20.50.")) from error
        if amount <= 0:
            raise forms.ValidationError(_("Please enter an amount above 0."))
        return amount


class DelayForm(PortalForm):
    due_on = forms.DateField(
        label=gettext_lazy("Pay it on"),
        error_messages=dict.fromkeys(("required", "invalid"), gettext_lazy("Please enter a date.")),
    )

    def __init__(self, *args: Any, first: date, last: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attrs = {"type": "date", "min": first.isoformat(), "max": last.isoformat()}
        self.fields["due_on"].widget = forms.DateInput(attrs=attrs, format="%Y-%m-%d")


@pages.signed_in
@require_safe
def choose(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the computed choices for a debt and those with it; or the plan for an amount that the debtor can pay."""
    debts = together(request, pk)
    context: dict[str, Any] = {"debts": debts, "total": sum(debt.current_balance for debt in debts)}
    if not debts:
        return pages.show(request, "plan", **context)
    offers = _offers(request, debts)
    form = OwnAmountForm(request.GET if "amount" in request.GET else None)
    context |= {
        "offers": [(name, offer, _rows(offer)) for name, offer in offers.items()],
        "currency": debts[0].currency_code,
    }
    if form.is_bound and form.is_valid():
        try:
            own = _own(request, debts, form)
        except DomainError as error:
            form.refuse(error)
        else:
            if not own.needs:
                query = request.GET.urlencode()
                return redirect(f"{reverse('portal-plan-agree', args=[pk])}?choice=own&{query}")
            context |= {"is_below_floor": True, "own": own, "budget_url": home.url_of("portal-budget")}
    status = 422 if form.is_bound and form.errors else 200
    return pages.show(request, "plan", status=status, form=form, pk=pk, **context)


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def agree(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show all dates and the total of one choice once more; POST agrees to it."""
    debts = together(request, pk)
    offer = _chosen(request, debts) if debts else None
    if offer is None or offer.needs:
        messages.info(request, _("Please choose again; something has changed."))
        return redirect("portal-plan", pk)
    if request.method == "POST":
        # The debtor agrees to what was shown, and not to what a payment or a new day has made of it since.
        if request.POST.get("shown") == _fingerprint(offer):
            return _agree(request, debts, offer)
        messages.info(request, _("The sum has changed in the meantime. Please look at the dates again."))
        return redirect(request.get_full_path())
    return pages.show(
        request, "plan_agree", pk=pk, offer=offer, debts=debts, rows=_rows(offer), shown=_fingerprint(offer),
        freezes=offer.rules.terms.interest == "frozen", has_interest=any(debt.interest_schedule_id for debt in debts),
    )  # fmt: skip


def _agree(request: DebtorRequest, debts: list[Debt], offer: Offer) -> HttpResponse:
    now = timezone.now()
    try:
        arrangement = proposals.propose(
            offer.kind,
            debtor=request.debtor,
            debt_ids=[debt.pk for debt in debts],
            schedule=offer.schedule,
            discount=offer.discount or None,
            by=None,
            source=Arrangement.Source.PORTAL,
            now=now,
        )
        if arrangement.status == Arrangement.Status.OFFERED:
            decisions.accept(arrangement, by=None, now=now)
    except DomainError as error:
        messages.info(request, pages.message_of(error))
        return redirect("portal")
    messages.success(request, _("Thank you. Your plan begins now; we have noted all dates."))
    return redirect("portal-arrangement", arrangement.pk)


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show an arrangement with its payments; POST accepts an offer, or delays the next payment."""
    mine = Arrangement.objects.filter(debtor=request.debtor).select_related("creditor", "debtor")
    arrangement = get_object_or_404(mine, pk=pk)
    now = timezone.now()
    today = calendars.today(request.debtor, at=now)
    if request.method == "POST" and "accept" in request.POST:
        return _accept(request, arrangement)
    steps = assessment.steps([arrangement.pk], day=today)[arrangement.pk]
    following = assessment.next_of(steps)
    limits = _delay_limits(arrangement, steps, today)
    form = DelayForm(request.POST or None, first=limits[0], last=limits[1]) if limits else None
    context: dict[str, Any] = {
        "arrangement": arrangement,
        "steps": steps,
        "next": following,
        "limits": limits,
        "today": today,
    }
    if request.method != "POST" or form is None or following is None:
        return pages.show(request, "arrangement", form=form, **context)

    def act(fields: dict[str, Any]) -> HttpResponse:
        changes.delay(arrangement, following.no, to=fields["due_on"], by=None, reason="Portal", now=now)
        messages.success(request, _("We have moved this payment."))
        return redirect("portal-arrangement", pk)

    return pages.submit(request, "arrangement", form, act, **context)


def _accept(request: DebtorRequest, arrangement: Arrangement) -> HttpResponse:
    try:
        decisions.accept(arrangement, by=None, now=timezone.now())
    except DomainError as error:
        messages.info(request, pages.message_of(error))
    else:
        messages.success(request, _("Thank you. Your plan begins now; we have noted all dates."))
    return redirect("portal-arrangement", arrangement.pk)


def _delay_limits(arrangement: Arrangement, steps: list[Step], today: date) -> tuple[date, date] | None:
    """Return the first and the last day to which the debtor may move the next payment; None if to none."""
    following = assessment.next_of(steps)
    if arrangement.status != Arrangement.Status.ACTIVE or following is None:
        return None
    allowed = policies.rules(arrangement.creditor, arrangement.currency_code).terms.delay_days
    if Instalment.objects.get(pk=following.id).delays:
        return None
    after = [step.agreed_on for step in steps if step.no == following.no + 1]
    first = max(today, following.due_on + timedelta(days=1))
    last = min([following.agreed_on + timedelta(days=allowed), *after])
    return (first, last) if first <= last else None


def together(request: DebtorRequest, pk: uuid.UUID) -> list[Debt]:
    """Return the debts of the same creditor and currency for which a plan is possible; empty if it is not for this one."""
    debt = get_object_or_404(Debt, pk=pk, debtor=request.debtor)
    mine = Debt.objects.filter(debtor=request.debtor, creditor=debt.creditor_id, currency_code=debt.currency_code)
    debts = list(
        mine.filter(current_status__in=OPEN, current_balance__gt=0).select_related("creditor")[: account.MAX_ROWS]
    )
    now = timezone.now()
    cards = account.cards_of(debts, today=calendars.today(request.debtor, at=now), now=now)
    found = [card.debt for card in cards if card.may_have_plan]
    return found if debt in found else []


def _offers(request: DebtorRequest, debts: list[Debt]) -> dict[str, Offer]:
    """Return the choices that need nobody's consent: a settlement, and up to three plans."""
    kinds = (Kind.PLAN, Kind.SETTLEMENT)
    found = choices.choices(debts, debtor=request.debtor, kinds=kinds, by=None, now=timezone.now())
    allowed = [offer for offer in found if not offer.needs]
    plans = {len(offer.instalments): offer for offer in allowed if offer.kind == Kind.PLAN}
    numbers = [number for number in _WANTED if number in plans] or sorted(plans)
    chosen = {f"plan-{number}": plans[number] for number in numbers[:_PLANS]}
    return chosen | {offer.kind: offer for offer in allowed if offer.kind == Kind.SETTLEMENT}


def _chosen(request: DebtorRequest, debts: list[Debt]) -> Offer | None:
    """Return the offer of the choice in the address."""
    if request.GET.get("choice") != "own":
        return _offers(request, debts).get(request.GET.get("choice", ""))
    form = OwnAmountForm(request.GET)
    try:
        return _own(request, debts, form) if form.is_valid() else None
    except DomainError:
        return None


def _own(request: DebtorRequest, debts: list[Debt], form: OwnAmountForm) -> Offer:
    """Compute the plan for an amount that the debtor can pay; it may be below the floor."""
    frequency = Frequency(form.cleaned_data["every"])
    now = timezone.now()
    schedule = choices.own_schedule(
        debts, debtor=request.debtor, amount=form.cleaned_data["amount"], frequency=frequency, now=now
    )
    return computation.compute(Kind.PLAN, debts, debtor=request.debtor, schedule=schedule, by=None, now=now)


def _rows(offer: Offer) -> list[tuple[date, Any]]:
    return [(due.due_on, due.amount) for due in offer.instalments]


def _fingerprint(offer: Offer) -> str:
    """Return what a consent is about: the sum, the first and the last day, and the number of payments."""
    last = offer.instalments[-1].due_on
    return f"{offer.total} {offer.schedule.first} {last} {len(offer.instalments)}"
