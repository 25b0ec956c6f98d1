"""A short form of income and costs, for who can pay less than a plan needs; and the plan that follows from it."""

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from arrangements import choices, computation, proposals
from arrangements.computation import Offer
from arrangements.models import Arrangement, Kind
from arrangements.schedules import Frequency
from collection.models import Debt
from ddc.common import money
from ddc.common.errors import DomainError
from portal import account, budgets
from portal.models import Budget
from portal.pages import pages
from portal.pages.forms import PortalForm
from portal.pages.pages import DebtorRequest
from portal.pages.plans import together

#: Plans are offered for so many groups of debts of one creditor.
_GROUPS = 5
_LABELS = {
    "wages": gettext_lazy("Wages"),
    "benefits": gettext_lazy("Benefits"),
    "pension": gettext_lazy("Pension"),
    "other_income": gettext_lazy("Other income"),
    "housing": gettext_lazy("Rent or mortgage"),
    "energy": gettext_lazy("Electricity, heating, water"),
    "food": gettext_lazy("Food and household"),
    "transport": gettext_lazy("Travel"),
    "children": gettext_lazy("Children and care"),
    "health": gettext_lazy("Health"),
    "phone": gettext_lazy("Phone and internet"),
    "insurance": gettext_lazy("Insurance"),
    "other_debts": gettext_lazy("Other debts"),
    "other_essentials": gettext_lazy("Other things that you need"),
}


class AmountField(forms.CharField):
    """An amount as people type it; empty is None."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "dir": "ltr"}
        super().__init__(required=False, max_length=20, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value).strip().replace(",", ".")
        try:
            amount = money.read(text) if text else None
        except money.BadAmount as error:
            raise forms.ValidationError(_("Please enter an amount, such as 20.50.")) from error
        if amount is not None and amount < 0:
            raise forms.ValidationError(_("Please enter an amount, such as 20.50."))
        return amount


class BudgetForm(PortalForm):
    """Income and costs of a month, in one currency."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (*budgets.INCOME, *budgets.ESSENTIALS):
            self.fields[name] = AmountField(label=_LABELS[name])

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and not self.errors and not self.part(budgets.INCOME):
            self.add_error(budgets.INCOME[0], _("Please enter what comes in each month; 0 if nothing does."))
            self._describe()

    def part(self, names: tuple[str, ...]) -> dict[str, Decimal]:
        """Return the amounts that were entered for some kinds."""
        return {name: value for name in names if (value := self.cleaned_data.get(name)) is not None}

    @property
    def income(self) -> list[Any]:
        return [self[name] for name in budgets.INCOME]

    @property
    def essentials(self) -> list[Any]:
        return [self[name] for name in budgets.ESSENTIALS]


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: DebtorRequest) -> HttpResponse:
    """Ask for income and costs."""
    currency = _currency(request)
    if request.method != "POST":
        draft = pages.draft_of(request)
        return pages.show(request, "budget", form=BudgetForm(draft), currency=currency, is_draft=draft is not None)
    form = BudgetForm(request.POST)

    def act(fields: dict[str, Any]) -> HttpResponse:
        made = budgets.record(
            request.debtor,
            currency=currency,
            income=form.part(budgets.INCOME),
            essentials=form.part(budgets.ESSENTIALS),
            now=timezone.now(),
        )
        response = redirect("portal-budget-plan", made.pk)
        pages.forget(response, pages.DRAFT_COOKIE)
        return response

    return pages.submit(request, "budget", form, act, currency=currency)


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def result(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what is left and the plans that fit; POST sends one that is below the floor to a person."""
    budget = get_object_or_404(Budget, pk=pk, debtor=request.debtor)
    groups = _groups(request, budget) if budget.offered > 0 else []
    if request.method == "POST":
        chosen = next((found for found in groups if str(found[0][0].pk) == request.POST.get("debt")), None)
        return _propose(request, *chosen) if chosen else redirect("portal-budget-plan", pk)
    return pages.show(request, "budget_result", budget=budget, groups=groups)


def _propose(request: DebtorRequest, debts: list[Debt], offer: Offer) -> HttpResponse:
    try:
        made = proposals.propose(
            Kind.PLAN,
            debtor=request.debtor,
            debt_ids=[debt.pk for debt in debts],
            schedule=offer.schedule,
            by=None,
            source=Arrangement.Source.PORTAL,
            note="By the debtor's budget.",
            now=timezone.now(),
        )
    except DomainError as error:
        messages.info(request, pages.message_of(error))
        return redirect("portal")
    messages.success(request, _("We have received it. A person looks at it, usually within 2 working days."))
    return redirect("portal-arrangement", made.pk)


def _groups(request: DebtorRequest, budget: Budget) -> list[tuple[list[Debt], Offer]]:
    """Return the debts in the budget's currency by creditor, each group with the plan that its part of the offer pays.

    The parts are in proportion to what is open.
    """
    groups: list[list[Debt]] = []
    seen = set()
    for card in account.load(request.debtor, now=timezone.now()).open_cards:
        debt = card.debt
        if debt.currency_code != budget.currency_code or debt.creditor_id in seen or len(groups) == _GROUPS:
            continue
        seen.add(debt.creditor_id)
        if card.may_have_plan and (debts := together(request, debt.pk)):
            groups.append(debts)
    sums = [sum((debt.current_balance for debt in debts), Decimal(0)) for debts in groups]
    found = []
    for debts, open_sum in zip(groups, sums, strict=True):
        part = budgets.offer(budget.offered, 100 * open_sum / sum(sums), budget.currency_code)
        if part > 0 and (offer := _offer(request, debts, part)):
            found.append((debts, offer))
    return found


def _offer(request: DebtorRequest, debts: list[Debt], amount: Decimal) -> Offer | None:
    now = timezone.now()
    try:
        schedule = choices.own_schedule(
            debts, debtor=request.debtor, amount=amount, frequency=Frequency.MONTHLY, now=now
        )
        return computation.compute(Kind.PLAN, debts, debtor=request.debtor, schedule=schedule, by=None, now=now)
    except DomainError:
        return None


def _currency(request: DebtorRequest) -> str:
    """Return the currency of the most urgent debt, else the agency's."""
    cards = account.load(request.debtor, now=timezone.now()).open_cards
    return cards[0].debt.currency_code if cards else str(settings.REPORTING_CURRENCY)
