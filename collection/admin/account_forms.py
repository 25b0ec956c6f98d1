"""Charge, waive and write off, as steps on the page of a debt."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from agents import limits
from agents.models import LimitKind
from collection import charges
from collection.balances import accounts
from collection.claims.components import NAMES
from collection.models import CostRule, Debt
from ddc.common import money
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DecimalField
from ddc.common.admin.pages import SMALLEST
from ddc.common.days import agency_today

#: The label and the permission of each step.
ACTIONS = {
    "charge": ("Charge costs or a fee", charges.CHARGE),
    "waive": ("Waive", charges.WAIVE),
    "write_off": ("Write off", charges.WRITE_OFF),
}


def _amount(**options: Any) -> DecimalField:
    return DecimalField(required=False, widget=UnfoldAdminDecimalFieldWidget(), **options)


def _text(**options: Any) -> forms.CharField:
    return forms.CharField(max_length=255, required=False, widget=UnfoldAdminTextInputWidget(), **options)


class ChargeForm(forms.Form):
    """A charge by a cost rule, or by another legal basis."""

    rule_code = forms.ChoiceField(label="Cost rule", required=False, widget=UnfoldAdminSelectWidget())
    factor = _text(help_text="Only for rules with several factors.")
    amount = _amount(min_value=SMALLEST, help_text="All that the rule allows if empty.")
    component = forms.ChoiceField(
        label="Without a rule",
        choices=[("costs", "Costs of the creditor or of legal pursuit"), ("fees", "Fee of the agency")],
        widget=UnfoldAdminSelectWidget(),
    )
    reason = _text(label="Legal basis", help_text="Required without a rule: the law or the contract.")
    value_date = forms.DateField(required=False, widget=UnfoldAdminDateWidget(), help_text="Today if empty.")

    def __init__(self, debt: Debt, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = CostRule.objects.filter(currency_code=debt.currency_code, valid_from__lte=debt.placement_date)
        country = debt.debtor.country_code or ""
        rules = {rule.code: rule.name for rule in found if not rule.countries or country in rule.countries}
        field: Any = self.fields["rule_code"]
        field.choices = [("", "None: another legal basis"), *rules.items()]


class WaiverForm(forms.Form):
    """The amounts to waive."""

    interest, costs, fees, principal = (_amount(min_value=0) for _ in range(4))
    reason = _text()

    def __init__(self, debt: Debt, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owed = accounts.owed(debt, agency_today(now()))
        for name in NAMES:
            self.fields[name].help_text = f"Open: {money.text(owed.of(name), debt.currency_code)} {debt.currency_code}"


class WriteOffForm(forms.Form):
    """A write-off."""

    amount = _amount(min_value=SMALLEST)
    reason = forms.ChoiceField(
        choices=[(reason.value, reason.label) for reason in charges.Reason], widget=UnfoldAdminSelectWidget()
    )
    note = _text()

    def __init__(self, debt: Debt, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owed = money.text(accounts.owed(debt, agency_today(now())).total, debt.currency_code)
        self.fields[
            "amount"
        ].help_text = f"All that is owed if empty: {owed} {debt.currency_code}. That closes the debt."


class AccountActions(DomainAdmin):
    """The steps of a claim account."""

    def has_charge_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm(charges.CHARGE)

    def has_waive_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm(charges.WAIVE)

    def has_write_off_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm(charges.WRITE_OFF)

    @action(description="Charge costs or a fee", permissions=["charge"])  # type: ignore[untyped-decorator]
    def charge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = ChargeForm(self.one(request, object_id), request.POST or None)

        def act(debt: Debt, fields: dict[str, Any]) -> None:
            charges.charge(debt, **fields, **_who(request))

        return self.do_to_one(
            request, object_id, form, act, title="Charge costs or a fee", button="Charge", done="The charge is posted."
        )

    @action(description="Waive", permissions=["waive"])  # type: ignore[untyped-decorator]
    def waive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = WaiverForm(self.one(request, object_id), request.POST or None)

        def act(debt: Debt, fields: dict[str, Any]) -> None:
            reason = fields.pop("reason")
            parts: dict[str, Decimal] = {name: part for name, part in fields.items() if part}
            charges.waive(debt, parts, reason=reason, **_who(request))

        title = "Waive parts of the debt" + _limit(request, LimitKind.WAIVER_AMOUNT)
        return self.do_to_one(request, object_id, form, act, title=title, button="Waive", done="The waiver is posted.")

    @action(description="Write off", permissions=["write_off"])  # type: ignore[untyped-decorator]
    def write_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = WriteOffForm(self.one(request, object_id), request.POST or None)

        def act(debt: Debt, fields: dict[str, Any]) -> None:
            reason = charges.Reason(fields.pop("reason"))
            charges.write_off(debt, reason=reason, **fields, **_who(request))

        title = "Write off" + _limit(request, LimitKind.WRITE_OFF_AMOUNT)
        return self.do_to_one(
            request, object_id, form, act, title=title, button="Write off", done="The write-off is posted."
        )


def _who(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "today": agency_today(now())}


def _limit(request: HttpRequest, kind: LimitKind) -> str:
    """Return the limit of the agent's role, for the title of a form."""
    found = limits.of(request.user).by_kind.get(kind)  # type: ignore[arg-type]
    return f" (at most {found})" if found else ""
